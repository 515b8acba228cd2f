"""Batches: states, inline results, result files, and the SDK."""

import io
import json
from typing import Any

import pytest
from google import genai
from google.genai import types

from gembill.errors import Refusal
from gembill_simulator import Options, Simulator, in_thread
from gembill_simulator.batches import Batches
from gembill_simulator.files import Files
from tests.gembill_simulator.contexts import ContextFactory, document

CREATE = "/v1beta/models/gemini-2.5-flash:batchGenerateContent"
GOOD: dict[str, Any] = {
    "contents": [{"parts": [{"text": "Compute the sum of the first 9 primes"}]}],
    "tools": [{"codeExecution": {}}],
}


def order(*requests: dict[str, Any]) -> dict[str, Any]:
    return {"batch": {"displayName": "b", "inputConfig": {"requests": {"requests": list(requests)}}}}


@pytest.fixture
def make_context() -> ContextFactory:
    return ContextFactory(Options(polls=1))


@pytest.fixture
def batches(make_context: ContextFactory) -> Batches:
    return Batches(make_context.names, Files(make_context.names))


def ask(
    batches: Batches, make_context: ContextFactory, method: str, target: str, body: Any = None, **more: Any
) -> dict[str, Any]:
    return document(batches.answer(make_context(method, target, body, **more), {}))


def test_a_batch_is_pending_then_running_then_done_and_says_the_same_ever_after(
    make_context: ContextFactory, batches: Batches
) -> None:
    made = ask(batches, make_context, "POST", CREATE, order({"request": GOOD, "metadata": {"key": "k"}}))
    assert made["metadata"]["state"] == "BATCH_STATE_PENDING"
    assert made["metadata"]["batchStats"] == {"requestCount": "1", "pendingRequestCount": "1"}
    path = f"/v1beta/{made['name']}"
    assert ask(batches, make_context, "GET", path)["metadata"]["state"] == "BATCH_STATE_RUNNING"
    done = ask(batches, make_context, "GET", path, second=5)
    assert done["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert done["done"] is True
    (entry,) = done["response"]["inlinedResponses"]["inlinedResponses"]
    assert entry["metadata"] == {"key": "k"}
    assert entry["response"]["usageMetadata"]["toolUsePromptTokenCount"] > 0
    assert done["metadata"]["output"]["inlinedResponses"]["inlinedResponses"] == [entry]
    assert ask(batches, make_context, "GET", path, second=9) == done
    assert len(ask(batches, make_context, "GET", "/v1beta/batches")["operations"]) == 1


def test_time_may_decide_instead_of_polls() -> None:
    make_context = ContextFactory(Options(polls=0, pending_ms=2000))
    batches = Batches(make_context.names, Files(make_context.names))
    path = f"/v1beta/{ask(batches, make_context, 'POST', CREATE, order({'request': GOOD}))['name']}"
    assert "done" not in ask(batches, make_context, "GET", path, second=1.9)
    assert ask(batches, make_context, "GET", path, second=2)["done"] is True


def test_a_bad_entry_is_an_error_among_the_results(make_context: ContextFactory, batches: Batches) -> None:
    made = ask(batches, make_context, "POST", CREATE, order({"request": {}}, {"request": GOOD}), x_simulator_polls="0")
    done = ask(batches, make_context, "GET", f"/v1beta/{made['name']}")
    first, second = done["response"]["inlinedResponses"]["inlinedResponses"]
    assert first["error"]["code"] == 3
    assert "response" not in first
    assert second["response"]["usageMetadata"]
    counts = {"requestCount": "2", "successfulRequestCount": "1", "failedRequestCount": "1"}
    assert done["metadata"]["batchStats"] == counts


def test_a_cancelled_batch_has_no_results_and_a_deleted_one_is_gone(
    make_context: ContextFactory, batches: Batches
) -> None:
    path = f"/v1beta/{ask(batches, make_context, 'POST', CREATE, order({'request': GOOD}))['name']}"
    assert ask(batches, make_context, "POST", path + ":cancel") == {}
    batch = ask(batches, make_context, "GET", path)
    assert batch["metadata"]["state"] == "BATCH_STATE_CANCELLED"
    assert "response" not in batch
    assert ask(batches, make_context, "DELETE", path) == {}
    with pytest.raises(Refusal) as caught:
        ask(batches, make_context, "GET", path)
    assert caught.value.status == 404


def test_a_batch_of_nothing_is_refused(make_context: ContextFactory, batches: Batches) -> None:
    with pytest.raises(Refusal):
        ask(batches, make_context, "POST", CREATE, order())


def test_the_sdk_reads_inline_results_and_result_files() -> None:
    lines = [{"key": f"k{number}", "request": GOOD} for number in range(3)]
    with in_thread(Simulator(Options(polls=1))) as running:
        client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=running.url))
        source = client.files.upload(
            file=io.BytesIO("\n".join(map(json.dumps, lines)).encode()),
            config=types.UploadFileConfig(mime_type="application/jsonl"),
        )
        inline = client.batches.create(model="gemini-2.5-flash", src=[types.InlinedRequest(contents="Hello")])
        from_file = client.batches.create(model="gemini-2.5-flash", src=source.name or "")
        jobs = [finished(client, inline.name), finished(client, from_file.name)]
        assert jobs[0].dest is not None
        assert jobs[1].dest is not None
        (one,) = jobs[0].dest.inlined_responses or ()
        assert one.response is not None
        assert one.response.usage_metadata is not None
        results = client.files.download(file=jobs[1].dest.file_name or "").splitlines()
        assert [json.loads(line)["key"] for line in results] == ["k0", "k1", "k2"]
        assert all(json.loads(line)["response"]["usageMetadata"]["totalTokenCount"] for line in results)
        assert len(list(client.batches.list())) == 2
        client.close()


def finished(client: genai.Client, name: str | None) -> types.BatchJob:
    assert name is not None
    states = [client.batches.get(name=name).state for _ in range(2)]
    assert states == [types.JobState.JOB_STATE_RUNNING, types.JobState.JOB_STATE_SUCCEEDED]
    return client.batches.get(name=name)


def test_a_batch_of_embeddings_reports_the_tokens_of_each_entry(make_context: ContextFactory, batches: Batches) -> None:
    path = "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent"
    entry = {"request": {"content": {"parts": [{"text": "hello world"}]}}}
    made = ask(batches, make_context, "POST", path, order(entry, {"request": {}}))
    assert made["metadata"]["@type"].endswith(".EmbedContentBatch")
    assert made["metadata"]["model"] == "models/gemini-embedding-001"
    done = [ask(batches, make_context, "GET", f"/v1beta/{made['name']}", second=n) for n in range(2)][-1]
    good, wrong = done["response"]["inlinedEmbedContentResponses"]["inlinedResponses"]
    assert good["response"]["tokenCount"] == "2"
    assert wrong["error"]["code"] == 3
    assert done["response"]["@type"].endswith(".EmbedContentBatchOutput")


@pytest.mark.filterwarnings("ignore:batches.create_embeddings")
def test_the_sdk_reads_a_batch_of_embeddings() -> None:
    with in_thread(Simulator(Options(polls=0))) as running:
        client = genai.Client(api_key="any", http_options=types.HttpOptions(base_url=running.url))
        job = client.batches.create_embeddings(
            model="gemini-embedding-001", src={"inlined_requests": {"contents": ["hello world", "hello"]}}
        )
        done = client.batches.get(name=str(job.name))
        assert done.dest is not None
        assert [one.response.token_count for one in done.dest.inlined_embed_content_responses] == [2, 1]

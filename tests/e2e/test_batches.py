"""Batches through the proxy: usage from the results alone, once for each entry, at the batch tier."""

import json

import pytest

from tests.e2e.player import Player, Reply

CREATE = "/v1beta/models/gemini-2.5-flash:batchGenerateContent"
BATCH = "batches/b-1"
USAGE = {"promptTokenCount": 33, "candidatesTokenCount": 310, "thoughtsTokenCount": 542, "toolUsePromptTokenCount": 1200, "totalTokenCount": 2085, "serviceTier": "standard"}  # fmt: skip
COST = ((33 + 1200) * 300_000 + (310 + 542) * 2_500_000) // 2
CODE = [
    {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
]
ERROR = {"code": 13, "message": "internal", "status": "INTERNAL"}


def response(parts: list = CODE) -> dict:
    return {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}], "usageMetadata": USAGE, "modelVersion": "gemini-2.5-flash"}  # fmt: skip


def inlined(*entries: dict) -> dict:
    """A finished batch: its results are in it twice, as the API repeats them."""
    output = {"inlinedResponses": {"inlinedResponses": list(entries)}}
    metadata = {"model": "models/gemini-2.5-flash", "name": BATCH, "output": output, "state": "BATCH_STATE_SUCCEEDED"}
    return {"name": BATCH, "metadata": metadata, "done": True, "response": output}


def said(document: dict) -> Reply:
    return Reply([json.dumps(document).encode()])


def created(*tools: list | None) -> dict:
    requests = [{"request": {"contents": [], **({"tools": one} if one is not None else {})}} for one in tools]
    return {"batch": {"inputConfig": {"requests": {"requests": requests}}}}


PENDING = {"name": BATCH, "metadata": {"state": "BATCH_STATE_PENDING", "name": BATCH}}


def test_results_read_three_times_are_one_record_for_each_entry(recording):
    done = inlined(
        {"response": response(), "metadata": {"custom_id": "x"}}, {"response": response([])}, {"error": ERROR}
    )
    replies = [said(PENDING), said(PENDING), *[said(done)] * 3]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(
            CREATE,
            created([{"codeExecution": {}}], [{"code_execution": None}], None),
            {"x-gembill-label-team": "night"},
        )
        for _ in replies[1:]:
            proxy.get(f"/v1beta/{BATCH}")
    stored = proxy.records()
    assert len(stored) == 3
    assert sorted((s.record.status, s.cost_pico) for s in stored) == [
        ("complete", COST),
        ("complete", COST),
        ("error", 0),
    ]
    assert sorted(str(s.record.declared) for s in stored) == ["False", "False", "True"]
    assert {(s.record.operation, s.record.service_tier, s.record.labels["team"]) for s in stored} == {
        ("batch", "batch", "night")
    }
    assert sum(len(s.record.executions) for s in stored) == 1
    assert all(s.record.source_id < 0 for s in stored)


@pytest.mark.parametrize(
    "path", ["/v1beta/files/f-1:download?alt=media", "/download/v1beta/files/f-1:download?alt=media"]
)
def test_a_result_file_read_three_times_is_one_record_for_each_line(path, recording):
    lines = [json.dumps({"key": f"k{n}", "response": response()}) for n in range(700)]
    lines += [
        json.dumps({"key": "bad", "error": ERROR}),
        "",
        "no json at all",
        json.dumps({"key": "k1", "response": response()}),
    ]
    raw = "\n".join(lines).encode()
    replies = [Reply([raw[:1000], raw[1000:]], framing="chunked")] * 3
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        for _ in range(3):
            assert proxy.get(path) == (200, raw)
    stored = proxy.records()
    assert len(stored) == 701
    assert sum(s.cost_pico or 0 for s in stored) == 700 * COST
    assert {s.record.declared for s in stored} == {None}


def test_the_file_of_a_batch_that_was_made_here_has_the_labels_of_its_making(recording):
    done = {
        "name": BATCH,
        "metadata": {"model": "models/gemini-2.5-flash"},
        "done": True,
        "response": {"responsesFile": "files/f-2"},
    }
    line = json.dumps({"key": "k", "response": response()}).encode()
    with (
        Player([said(PENDING), said(done), Reply([line])]).serving() as player,
        (proxy := recording(player.url)).running(),
    ):
        proxy.post(CREATE, created(), {"x-gembill-label-team": "night"})
        proxy.get(f"/v1beta/{BATCH}")
        proxy.get("/v1beta/files/f-2:download?alt=media")
    assert [s.record.labels for s in proxy.records()] == [{"team": "night"}]


@pytest.mark.parametrize("raw", [b"\x89PNG\r\n" + bytes(200_000), b'{"uri": "x"}', b"", b"[1]"])
def test_another_file_passes_and_is_not_a_record(raw, recording):
    with Player([Reply([raw])]).serving() as player, (proxy := recording(player.url)).running():
        assert proxy.get("/v1beta/files/video:download?alt=media") == (200, raw)
    assert proxy.records() == []


def test_a_batch_that_is_refused_or_runs_on_is_not_a_record(recording):
    refused = Reply([json.dumps({"error": {"code": 400, "status": "INVALID_ARGUMENT"}}).encode()], status=400)
    with Player([refused, said(PENDING)]).serving() as player, (proxy := recording(player.url)).running():
        assert proxy.post(CREATE, created([]))[0] == 400
        proxy.get(f"/v1beta/{BATCH}")
    assert proxy.records() == []

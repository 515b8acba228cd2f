"""Embeddings: tokens of the prompt in every form they are reported in, batches and their files."""

import json

import pytest

from gembill.wire import embeddings
from gembill.wire.observation import Observation
from gembill.wire.token_counts import InvalidUsage
from tests.gembill.list_items import items

VALUES = {"values": [0.1, 0.2]}
BATCH_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main.EmbedContentBatch"


def seen(document):
    observation = Observation()
    embeddings.observe(json.dumps(document).encode(), observation)
    return observation.response_facts()


def prediction(**statistics):
    return {"embeddings": {**VALUES, "statistics": statistics}}


@pytest.mark.parametrize(
    ("answer", "prompt", "total"),
    [
        ({"embedding": VALUES, "usageMetadata": {"promptTokenCount": 7}}, 7, 7),
        ({"embeddings": [VALUES], "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}}, 7, 7),
        ({"data": [], "model": "gemini-embedding-001", "usage": {"prompt_tokens": 6, "total_tokens": 6}}, 6, 6),
        ({"predictions": [prediction(token_count=3, truncated=False), prediction(token_count=4.0)]}, 7, 7),
        ({"embedding": VALUES, "usageMetadata": {"totalTokenCount": 5}}, 5, 5),
    ],
)
def test_every_form_of_answer_tells_its_prompt_tokens(answer, prompt, total):
    usage = embeddings.usage(seen(answer).usage)
    assert (usage.prompt, usage.total, usage.candidates) == (prompt, total, None)


@pytest.mark.parametrize(
    "answer",
    [
        {"embedding": VALUES},
        {"predictions": []},
        {"predictions": [prediction(token_count=3), prediction()]},
        {"predictions": [prediction(token_count=True)]},
        {"predictions": [prediction(token_count=-1)]},
        {"predictions": "x"},
    ],
)
def test_without_a_count_there_is_no_usage(answer):
    assert seen(answer).usage is None


@pytest.mark.parametrize("name", ["promptTokenDetails", "promptTokensDetails"])
def test_tokens_by_modality_are_kept_and_wrong_counts_are_not_believed(name):
    text = json.dumps({"promptTokenCount": 9, name: [{"modality": "IMAGE", "tokenCount": 5}, {"tokenCount": 4}]})
    assert embeddings.usage(text).prompt_details == {"image": 5, "text": 4}
    with pytest.raises(InvalidUsage):
        embeddings.usage('{"promptTokenCount": "7"}')


def test_a_request_says_its_model_and_whether_it_is_a_batch():
    facts, basis = embeddings.request_facts(b'{"model": "gemini-embedding-001", "input": ["a"]}', None)
    assert (facts.model, facts.service_tier, facts.declared, basis) == ("gemini-embedding-001", None, False, None)
    facts, _ = embeddings.request_facts(b'{"batch": {"inputConfig": {}}}', "m")
    assert (facts.model, facts.service_tier) == ("m", "batch")


def test_the_answer_to_a_batch_names_it_and_other_names_are_not_taken():
    assert seen({"name": "batches/e1", "metadata": {"@type": BATCH_TYPE}}).response_id == "batches/e1"
    assert seen({"name": "models/m/operations/1"}).response_id is None


def inlined(*counts):
    return {
        "inlinedEmbedContentResponses": {
            "inlinedResponses": [{"response": {"embedding": VALUES, "tokenCount": one}} for one in counts]
        }
    }


@pytest.mark.parametrize(
    ("document", "tokens"),
    [
        ({"metadata": {"@type": BATCH_TYPE, "output": inlined("5", "6")}}, 11),
        ({"response": inlined(5, "6")}, 11),
        ({"metadata": {"output": inlined(5)}, "response": inlined(5)}, 5),
        ({"metadata": {"@type": BATCH_TYPE, "state": "BATCH_STATE_RUNNING"}}, None),
        ({"response": inlined(None, True)}, None),
    ],
)
def test_a_batch_tells_its_tokens_once_it_is_done(document, tokens):
    text = json.dumps(document).encode()
    assert embeddings.is_batch(text)
    listed, rest = items(text, embeddings.INLINED)
    told = [embeddings.entry_tokens(item) for path, _, item in listed if path == listed[0][0]]
    assert sum(one for one in told if one is not None) == (tokens or 0)
    assert any(one is not None for one in told) == (tokens is not None)
    assert embeddings.is_batch(rest), "without its results too"


def test_a_batch_of_prompts_is_not_one_of_embeddings():
    text = json.dumps({"metadata": {"@type": BATCH_TYPE.replace("Embed", "Generate")}, "response": {}}).encode()
    assert not embeddings.is_batch(text)
    assert not embeddings.is_batch(b"[]")


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ({"key": "a", "response": {"embedding": VALUES, "tokenCount": "5"}}, 5),
        ({"response": {"embedding": VALUES, "usageMetadata": {"promptTokenCount": 4}}}, 4),
        ({"response": {"embedding": VALUES}}, 0),
        ({"response": {"candidates": []}}, None),
        ({"error": {"code": 3}}, None),
    ],
)
def test_a_line_of_a_file_is_an_embedding_by_what_it_holds(line, tokens):
    assert embeddings.line_tokens(json.dumps(line).encode()) == tokens

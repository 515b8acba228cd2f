"""The dialect of batches: results inlined or in a file, each known by its place or key."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.wire import batch
from gembill.wire.observation import Observation
from tests.gembill.list_items import items

RESPONSE = {"usageMetadata": {"promptTokenCount": 3}, "modelVersion": "m"}
OUTPUT = {
    "inlinedResponses": {
        "inlinedResponses": [{"response": RESPONSE, "metadata": {"key": "x"}}, {"error": {"code": 5}}, "odd"]
    }
}


@pytest.mark.parametrize(
    "done",
    [{"response": OUTPUT}, {"metadata": {"output": OUTPUT}}, {"response": OUTPUT, "metadata": {"output": OUTPUT}}],
)
def test_inlined_results_are_known_by_their_place_and_read_once(done):
    document = json.dumps({"name": "batches/b", **done}).encode()
    listed, rest = items(document, batch.INLINED)
    entries = [batch.inlined_entry(text, place) for path, place, text in listed if path == listed[0][0]]
    assert [entry.key for entry in entries] == ["0", "1", "2"]
    assert [entry.error is not None for entry in entries] == [False, True, False]
    assert batch.job(rest) == batch.BatchJob("batches/b", None, None)
    observation = Observation()
    entries[0].observe(observation)
    facts = observation.response_facts()
    assert (json.loads(facts.usage or ""), facts.model_version) == (RESPONSE["usageMetadata"], "m")


def test_a_batch_that_runs_has_no_results_and_one_in_a_file_names_it():
    running = batch.job(b'{"name": "batches/b", "metadata": {"model": "models/m", "state": "BATCH_STATE_RUNNING"}}')
    assert running == batch.BatchJob("batches/b", "models/m", None)
    done = batch.job(b'{"name": "batches/b", "response": {"responsesFile": "files/f"}}')
    assert done == batch.BatchJob("batches/b", None, "files/f")


@pytest.mark.parametrize(
    ("line", "key"),
    [({"key": "k", "response": {}}, "k"), ({"key": 7, "error": {}}, "7"), ({"response": {}}, "4"), ({"key": "", "response": {}}, "4"), ({"key": "k"}, None), ([1], None)],
)  # fmt: skip
def test_a_line_of_a_file_is_known_by_its_key_else_by_its_place(line, key):
    entry = batch.entry_of_line(json.dumps(line).encode(), 4)
    assert (entry and entry.key) == key
    assert batch.has_response(json.dumps(line).encode()) == ("response" in line)


@pytest.mark.parametrize("names", [("inputConfig", "codeExecution"), ("input_config", "code_execution")])
def test_code_execution_is_declared_by_each_request(names):
    config, tool = names
    entries = [{"request": {"tools": [{tool: {}}]}}, {"request": {"tools": [{tool: None}]}}, {"request": {}}, {}]
    body = {"batch": {config: {"requests": {"requests": entries}}}}
    assert batch.declared(json.dumps(body).encode()) == (True, False, False, False)
    assert batch.declared(b'{"batch": {"inputConfig": {"fileName": "files/f"}}}') == ()
    assert batch.declared(None) is batch.declared(b"[") is None
    listed, rest = items(json.dumps(body).encode(), batch.REQUESTS)
    assert [batch.allows_code(text) for _, _, text in listed] == [True, False, False, False]
    assert batch.declared(rest) == ()
    assert batch.allows_code(b"{request: {tools: [{'codeExecution': {}}]}}") is True
    assert batch.allows_code(b"7") is None


@given(st.binary(max_size=200))
@settings(max_examples=80, deadline=None)
def test_no_bytes_raise(body):
    batch.job(body)
    batch.entry_of_line(body, 0)
    batch.declared(body)
    batch.inlined_entry(body, 0)
    batch.allows_code(body)
    batch.has_response(body)

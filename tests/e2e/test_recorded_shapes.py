"""Recorded answers, known by their shape alone, give the split that the corpus's index gives for them.

A row of `tests/data/recorded.jsonl` is built into the least answer of its shape; what is observed of it is metered. The
words of an answer are made up here: no row has any.
"""

import json
import re
from typing import Any

import pytest

from gembill.event import Ending, Event, RequestFacts
from gembill.model import Api, Operation, Record
from gembill.rules.metering import meter
from gembill.wire import batch
from gembill.wire.dialect import dialect
from gembill.wire.observation import Observation
from gembill.wire.routes import Role, route
from tests import recorded_shapes
from tests.e2e import corpus
from tests.gembill.list_items import items

ROWS = recorded_shapes.rows()
CALLS = [row for row in ROWS if row["expected"] and "http" not in row["expected"]]
REFUSED = [row for row in ROWS if row["expected"] and "http" in row["expected"]]
ORIGIN = re.compile(r"[\w.-]+/[\w.-]+|known by the text index alone")
FACT = re.compile(r"[A-Za-z][\w.-]*( thought)?( OUTCOME_[A-Z_]+)?( #\d)?( error)?|")


def answer(row: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    """The least document of a shape."""
    if "error" in shape:
        return {"error": shape["error"] | {"message": "No."}}
    return interaction(shape) if row["surface"] in recorded_shapes.INTERACTIONS else generated(shape)


def generated(shape: dict[str, Any]) -> dict[str, Any]:
    parts = [part(*words.split()) for words in shape.get("parts", ())]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": shape.get("finish")}
    counts = {"usageMetadata": shape["usage"]} if "usage" in shape else {}
    spoken = any(one["modality"] == "AUDIO" for one in shape.get("usage", {}).get("candidatesTokensDetails", ()))
    for shown in parts:
        if spoken and "inlineData" in shown:  # a shape does not keep what kind of data it was; its counts do
            shown["inlineData"]["mimeType"] = "audio/wav"
    return ({"candidates": [candidate]} if "parts" in shape else {}) | counts


def part(kind: str, *words: str) -> dict[str, Any]:
    named, outcome = field("id", "#", words), field("outcome", "OUTCOME", words)
    inner = {
        "text": "x",
        "executableCode": {"language": "PYTHON", "code": "print(1)"} | named,
        "codeExecutionResult": {"output": "1"} | outcome | named,
        "inlineData": {"mimeType": "image/png", "data": "AAAA"},
    }.get(kind, {"name": "f"})
    return {kind: inner} | ({"thought": True} if "thought" in words else {})


def field(name: str, start: str, words: tuple[str, ...]) -> dict[str, str]:
    """The word that starts like this, as a field; nothing if there is none."""
    return next(({name: word} for word in words if word.startswith(start)), {})


def interaction(shape: dict[str, Any]) -> dict[str, Any]:
    resource: dict[str, Any] = {"id": "v1_shape"} | {name: shape[name] for name in ("status", "usage") if name in shape}
    if "steps" in shape:
        resource["steps"] = [step(*words.split()) for words in shape["steps"]]
    if "event" not in shape:
        return resource
    event = {"event_type": shape["event"]}
    event |= {"index": shape["index"]} if "index" in shape else {}
    event |= {name: step(*shape[name].split()) for name in ("step", "delta") if name in shape}
    event |= {"metadata": {"usage": shape["running"]}} if "running" in shape else {}
    if shape["event"] == "interaction.status_update":
        return event | {"status": shape["status"]}
    return event | {"interaction": resource} if "status" in shape else event


def step(kind: str, *words: str) -> dict[str, Any]:
    """A step or a piece of one."""
    named = field("call_id" if kind.endswith("_result") else "id", "#", words)
    content = {"content": [{"type": "text", "text": "x"}]} if kind == "model_output" else {}
    return {"type": kind} | content | named | ({"is_error": True} if "error" in words else {})


def metered(row: dict[str, Any]) -> Record:
    """The record of a row's answer; of a batch that of its last entry."""
    documents = [answer(row, shape) for shape in row["answer"]]
    observation, status = Observation(), row["expected"].get("http", 200)
    operation = Operation.INTERACTIONS if row["surface"] in recorded_shapes.INTERACTIONS else Operation.GENERATE_CONTENT
    if row["surface"] == "batch":
        operation, entries = Operation.BATCH, [{"response": document} for document in documents]
        finished = {"name": "batches/x", "response": {"inlinedResponses": {"inlinedResponses": entries}}}
        *_, (_, place, text) = items(json.dumps(finished).encode(), batch.INLINED)[0]
        batch.inlined_entry(text, place).observe(observation)
    else:
        for document in documents:
            dialect(operation).observe(json.dumps(document).encode(), observation)
    return meter(
        Event(
            id="0199a0b0-0000-7000-8000-000000000001", occurred_us=0, api=Api.GEMINI, operation=operation,
            asked=RequestFacts(model=row["model"] or "asked"), ending=Ending.FINISHED, http_status=status,
            seen=observation.response_facts(),
        ),
        1,
    )  # fmt: skip


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row["case"])
def test_a_recorded_shape_gives_the_split_of_the_index(row):
    record = metered(row)
    names = ("input", "intermediate", "output", "total", "cached", "thinking")
    split = {name: getattr(record.tokens, name) for name in names}
    runs = {"executions": len(record.executions), "failed": record.failed}
    shown = split | runs | {"status": record.status, "total_mismatch": "total_mismatch" in record.anomalies}
    assert {name: shown[name] for name in row["expected"]} == row["expected"]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["case"])
def test_a_recorded_refusal_is_an_error_with_its_code_and_no_tokens(row):
    record, error = metered(row), row["answer"][0]["error"]
    assert (record.status, record.http_status, record.tokens.total) == ("error", row["expected"]["http"], None)
    assert (record.error.code, record.error.status) == (error["code"], error.get("status"))


def test_a_count_of_tokens_and_a_cache_are_not_calls_whatever_usage_they_have():
    shown = {row["surface"] for row in ROWS if row["expected"] is None and row["answer"]}
    assert shown == set(recorded_shapes.UNCOUNTED)
    assert route("POST", "/v1beta/models/m:countTokens") is None
    assert route("POST", "/v1beta/cachedContents").role is Role.NOTICE


def test_every_kind_of_answer_has_its_row():
    assert {row["surface"] for row in ROWS} == set(recorded_shapes.SURFACES)
    assert len(CALLS) > 130
    assert sum(row["expected"]["executions"] for row in CALLS) >= 27
    assert {row["expected"]["status"] for row in CALLS} == {"complete", "partial", "unknown"}


def test_the_file_is_small_and_holds_numbers_names_and_words_of_enumerations_only():
    assert recorded_shapes.FILE.stat().st_size < 200_000
    for row in ROWS:
        assert re.fullmatch(r"\d{3}-[a-z0-9.-]+", row["case"])
        assert ORIGIN.fullmatch(row["origin"])
        assert [word for word in strings([row["answer"], row["model"], row["grade"]]) if not FACT.fullmatch(word)] == []


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(word for inner in value.values() for word in strings(inner))]
    if isinstance(value, list):
        return [word for inner in value for word in strings(inner)]
    return [value] if isinstance(value, str) else []


@corpus.needed
def test_the_file_is_what_the_corpus_reduces_to():
    assert recorded_shapes.FILE.read_text() == recorded_shapes.write()

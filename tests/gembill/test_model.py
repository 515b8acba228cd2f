"""The nouns: frozen, small on disk, readable by later versions, and None is never 0."""

import dataclasses
import inspect
from enum import StrEnum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill import model
from gembill.errors import ConfigurationError
from gembill.model import (
    EVENT_VERSION,
    Anomaly,
    Api,
    Charge,
    Ending,
    Event,
    Execution,
    Flag,
    Meter,
    Modality,
    Operation,
    Outcome,
    Part,
    Rating,
    Reading,
    Record,
    RequestFacts,
    ResponseFacts,
    Status,
    Tokens,
    UnreadReason,
    parse_labels,
)

EVENT = Event(id="i", occurred_us=1, api=Api.GEMINI, operation=Operation.GENERATE_CONTENT, ending=Ending.FINISHED)


def record(status: Status = Status.COMPLETE, *outcomes: Outcome) -> Record:
    nothing = {f.name: None for f in dataclasses.fields(Record) if f.default is dataclasses.MISSING}
    said = {
        "source_id": 1, "id": "i", "occurred_us": 1, "api": Api.GEMINI, "operation": Operation.GENERATE_CONTENT, "streamed": False, "service_tier": "standard",
        "status": status, "tokens": Tokens(), "executions": tuple(Execution(outcome=outcome) for outcome in outcomes), "labels": {},
    }  # fmt: skip
    return Record(**{**nothing, **said})


def charge(quantity: int, unit: int) -> Charge:
    return Charge(meter=Meter.INPUT, modality=Modality.TEXT, quantity=quantity, unit_pico=unit, price_id="p")


def test_every_value_is_frozen():
    values = [
        kind
        for _, kind in inspect.getmembers(model, inspect.isclass)
        if kind.__module__ == model.__name__ and not issubclass(kind, StrEnum)
    ]
    assert len(values) > 10
    for kind in values:
        frozen = kind.__struct_config__.frozen if issubclass(kind, msgspec.Struct) else kind.__dataclass_params__.frozen
        assert frozen, kind


def test_an_event_holds_only_what_was_seen():
    assert msgspec.json.decode(msgspec.json.encode(EVENT)) == {
        "id": "i", "occurred_us": 1, "api": "gemini", "operation": "generate_content", "ending": "finished",
    }  # fmt: skip


_word = st.none() | st.text(max_size=8)
_number = st.none() | st.integers(0, 2**53)
_parts = st.builds(
    Part,
    kind=st.text(max_size=5),
    outcome=_word | st.integers(-5, 5),
    candidate=st.integers(0, 9),
    thought=st.booleans(),
    chars=st.integers(0, 99),
    id=_word,
)
_events = st.builds(
    Event, id=st.text(), occurred_us=st.integers(0, 2**53), ended_us=_number, api=st.sampled_from(Api), operation=st.sampled_from(Operation), ending=st.sampled_from(Ending),
    labels=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), labels_cut=st.booleans(), key=_word, http_status=_number,
    asked=st.builds(RequestFacts, model=_word, declared=st.none() | st.booleans(), turns=_number),
    seen=st.builds(ResponseFacts, usage=_word, outline=st.lists(_parts, max_size=3).map(tuple), searches=st.integers(0, 9), finish_reason=_word),
)  # fmt: skip


@given(_events)
def test_an_event_is_the_same_after_storage(event):
    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


def test_none_and_zero_and_false_stay_apart_in_storage():
    for declared in (None, False, True):
        stored = msgspec.json.encode(msgspec.structs.replace(EVENT, asked=RequestFacts(declared=declared, turns=0)))
        facts = msgspec.json.decode(stored, type=Event).asked
        assert (facts.declared, facts.turns) == (declared, 0)


def test_an_event_of_a_later_version_can_still_be_read():
    later = msgspec.json.decode(msgspec.json.encode(EVENT)) | {"version": EVENT_VERSION + 1, "news": {"a": 1}}
    read = msgspec.json.decode(msgspec.json.encode(later), type=Event)
    assert (read.id, read.version) == ("i", EVENT_VERSION + 1)


@pytest.mark.parametrize("missing", ["id", "occurred_us", "api", "operation", "ending"])
def test_an_event_without_its_essentials_is_refused(missing):
    stored = msgspec.json.decode(msgspec.json.encode(EVENT))
    del stored[missing]
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(stored), type=Event)


def test_unset_counts_are_not_reported():
    assert all(getattr(Tokens(), f.name) is None for f in dataclasses.fields(Tokens))


def test_failed_counts_failures_and_deadlines_only():
    assert record(Status.COMPLETE, *Outcome, Outcome.FAILED).failed == 3
    assert record().failed == 0


@pytest.mark.parametrize(
    ("status", "incomplete"), [("complete", False), ("partial", True), ("error", False), ("unknown", True)]
)
def test_tokens_may_be_missing_from_partial_and_unknown_records(status, incomplete):
    assert record(Status(status)).incomplete is incomplete


@given(st.lists(st.tuples(st.integers(0, 2**53), st.integers(0, 10**9)), max_size=5))
def test_the_cost_is_exactly_the_sum_of_quantity_times_unit(pairs):
    rating = Rating(charges=tuple(charge(*pair) for pair in pairs))
    assert rating.cost_pico == sum(quantity * unit for quantity, unit in pairs)


def test_an_unknown_cost_is_none_and_never_zero():
    assert Rating().cost_pico == 0
    assert Rating(charges=(charge(3, 5),), unpriced_reason="no price").cost_pico is None
    assert Rating(known=False).cost_pico is None


def test_readings_differ_by_meter_and_modality():
    assert Reading(Meter.INPUT, Modality.TEXT, 3) == Reading(Meter.INPUT, Modality.TEXT, 3)
    assert len({Reading(meter, modality, 1) for meter in Meter for modality in Modality}) == len(Meter) * len(Modality)


def test_the_words_of_the_contract_are_these():
    assert [*Status] == ["complete", "partial", "error", "unknown"]
    assert [*Outcome] == ["ok", "failed", "deadline_exceeded", "unknown"]
    assert [*Api] == ["gemini", "vertex"]
    assert [*Operation] == ["generate_content", "interactions", "batch", "openai_chat"]
    assert {*Meter} == {"input", "cached_input", "intermediate", "output", "thinking", "grounding"}
    assert {*Flag} == {"incomplete", "long_context_policy", "tool_tokens_with_grounding", "results_as_output", "free_tier", "provisioned_throughput"}  # fmt: skip
    assert {*Anomaly} - {anomaly_of(reason) for reason in UnreadReason} == {
        "total_mismatch", "usage_incomplete", "invalid_usage", "cached_exceeds_input", "details_mismatch", "intermediate_unexplained", "labels_cut", "recorder_stopped",
    }  # fmt: skip


def anomaly_of(reason: UnreadReason) -> Anomaly:
    return Anomaly(f"answer_unread_{reason}")


@pytest.mark.parametrize("reason", UnreadReason)
def test_every_reason_for_not_reading_is_an_anomaly_and_survives_storage(reason):
    stored = msgspec.json.encode(msgspec.structs.replace(EVENT, seen=ResponseFacts(unread=reason)))
    assert f'"unread":"{anomaly_of(reason).removeprefix("answer_unread_")}"' in stored.decode()
    assert msgspec.json.decode(stored, type=Event).seen.unread == reason


def test_a_reason_of_another_version_can_still_be_read():
    stored = msgspec.json.encode(msgspec.structs.replace(EVENT, seen=ResponseFacts(unread="a_later_reason")))
    assert msgspec.json.decode(stored, type=Event).seen.unread == "a_later_reason"


@pytest.mark.parametrize("pair", ["team", "=x", ""])
def test_a_label_without_name_or_value_is_refused(pair: str) -> None:
    with pytest.raises(ConfigurationError, match="write it like team=search"):
        parse_labels((pair,), "--label")


def test_labels_that_contradict_each_other_are_refused() -> None:
    assert parse_labels(("a=1", "a=1", "b="), "--label") == {"a": "1", "b": ""}
    with pytest.raises(ConfigurationError, match="--label a is both '1' and '2'"):
        parse_labels(("a=1", "a=2"), "--label")

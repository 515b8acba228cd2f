"""The nouns: frozen, small on disk, readable by later versions, and None is never 0."""

import inspect
from enum import StrEnum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill import model
from gembill.errors import ConfigurationError
from gembill.event import UnreadReason
from gembill.model import (
    Anomaly,
    Api,
    Charge,
    Execution,
    Flag,
    Meter,
    Modality,
    Operation,
    Outcome,
    Rating,
    Reading,
    Record,
    Status,
    Tokens,
    chosen_labels,
    parse_labels,
)


def record(status: Status = Status.COMPLETE, *outcomes: Outcome) -> Record:
    nothing = {f.name: None for f in msgspec.structs.fields(Record) if f.required}
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
    assert len(values) > 7
    for kind in values:
        frozen = kind.__struct_config__.frozen if issubclass(kind, msgspec.Struct) else kind.__dataclass_params__.frozen
        assert frozen, kind


def test_unset_counts_are_not_reported():
    assert all(getattr(Tokens(), name) is None for name in Tokens.__struct_fields__)


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
    assert [*Operation] == [
        "generate_content", "interactions", "batch", "openai_chat", "openai_responses", "embed_content", "generate_images",
        "predict", "generate_videos", "decisions", "import_file", "batch_prediction", "cache_storage", "live",
    ]  # fmt: skip
    assert {*Meter} == {
        "input", "cached_input", "intermediate", "output", "thinking", "grounding", "maps", "images", "storage",
        "video_seconds", "video_seconds_1080p", "video_seconds_4k",
        "silent_video_seconds", "silent_video_seconds_1080p", "silent_video_seconds_4k",
    }  # fmt: skip
    assert {meter.unit for meter in Meter} == {"tokens", "searches", "lookups", "pictures", "seconds", "token-hours"}
    assert {*Flag} == {"incomplete", "long_context_policy", "tool_tokens_with_grounding", "results_as_output", "free_tier", "provisioned_throughput", "estimated", "thinking_inferred", "sent_twice"}  # fmt: skip
    assert {*Anomaly} - {anomaly_of(reason) for reason in UnreadReason} == {
        "total_mismatch", "usage_incomplete", "invalid_usage", "cached_exceeds_input", "details_mismatch", "intermediate_unexplained", "labels_cut", "model_cut", "recorder_stopped",
        "unmetered_surface", "image_tokens_unknown", "output_uncounted", "grounding_unknown", "request_unread",
    }  # fmt: skip


def anomaly_of(reason: UnreadReason) -> Anomaly:
    return Anomaly(f"answer_unread_{reason}")


@pytest.mark.parametrize("pair", ["team", "=x", ""])
def test_a_label_without_name_or_value_is_refused(pair: str) -> None:
    with pytest.raises(ConfigurationError, match="write it like team=search"):
        parse_labels((pair,), "--label")


def test_labels_that_contradict_each_other_are_refused() -> None:
    assert parse_labels(("a=1", "a=1", "b="), "--label") == {"a": "1", "b": ""}
    with pytest.raises(ConfigurationError, match="--label a is both '1' and '2'"):
        parse_labels(("a=1", "a=2"), "--label")


def test_values_of_one_label_are_chosen_together() -> None:
    assert chosen_labels(("a=1", "b=x=y", "a=2", "a=1"), "--label") == {"a": ("1", "2"), "b": ("x=y",)}
    with pytest.raises(ConfigurationError, match="--label is 'a'"):
        chosen_labels(("a",), "--label")

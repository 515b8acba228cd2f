"""Metering: the states of a record, the split, the disjoint readings, and what is odd."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.event import Ending, Event, Part, RequestFacts, ResponseFacts
from gembill.model import Anomaly, Api, ApiError, Meter, Modality, Operation, Outcome, Reading, Status, Tokens
from gembill.rules.identity import natural
from gembill.rules.metering import by_meter, meter

NOTHING = Tokens()


def usage(**counts: object) -> str:
    return msgspec.json.encode(counts).decode()


def event(
    said: str | None = None, *, ending: Ending = Ending.FINISHED, http: int | None = 200, **seen: object
) -> Event:
    return Event(
        id="0199a0b0-0000-7000-8000-000000000001",
        occurred_us=1_000_000,
        api=Api.GEMINI,
        operation=Operation.GENERATE_CONTENT,
        asked=RequestFacts(model="gemini-2.5-flash", declared=True),
        ending=ending,
        http_status=http,
        seen=ResponseFacts(usage=said, **seen),
    )


FULL = usage(promptTokenCount=46, candidatesTokenCount=235, thoughtsTokenCount=563, toolUsePromptTokenCount=1268, totalTokenCount=2112)  # fmt: skip


def test_the_split_is_prompt_tool_use_and_candidates_with_thoughts():
    record = meter(event(FULL), 7)
    assert record.status is Status.COMPLETE
    assert record.tokens == Tokens(input=46, intermediate=1268, output=235 + 563, total=2112, cached=0, thinking=563)
    assert record.anomalies == ()
    assert (record.source_id, record.model, record.declared) == (7, "gemini-2.5-flash", True)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"ending": Ending.CUT}, Status.PARTIAL),
        ({"unread": "too_large"}, Status.PARTIAL),
        ({"fault": ApiError(code=500)}, Status.PARTIAL),
        ({"http": 429}, Status.ERROR),
        ({"ending": Ending.UNSENT, "http": None}, Status.ERROR),
    ],
)
def test_usage_that_was_seen_counts_unless_the_api_refused(changes, status):
    record = meter(event(FULL, **changes), 1)
    assert record.status is status
    assert record.tokens.input == (46 if status is Status.PARTIAL else None)
    assert record.flags == (("incomplete",) if status is Status.PARTIAL else ())


def test_an_answer_with_too_many_parts_to_outline_is_complete_and_says_so():
    record = meter(event(FULL, unread="too_many_parts"), 1)
    assert (record.status, record.anomalies) == (Status.COMPLETE, ("answer_unread_too_many_parts",))


@pytest.mark.parametrize("ending", [Ending.FINISHED, Ending.CUT, Ending.UNANSWERED, Ending.LOST])
def test_a_call_whose_usage_was_never_learned_is_unknown(ending):
    record = meter(event(None, ending=ending, http=None if ending in (Ending.UNANSWERED, Ending.LOST) else 200), 1)
    assert record.status is Status.UNKNOWN
    assert record.tokens == NOTHING
    assert record.readings is None
    assert record.incomplete


def test_an_error_chunk_without_usage_is_an_error_that_costs_nothing():
    record = meter(event(None, fault=ApiError(code=503, status="UNAVAILABLE")), 1)
    assert (record.status, record.readings, record.incomplete) == (Status.ERROR, (), False)
    assert record.error == ApiError(code=503, status="UNAVAILABLE")


def test_a_refusal_without_a_readable_body_keeps_its_http_status():
    assert meter(event(None, http=502), 1).error == ApiError(code=502)


def test_usage_with_traffic_type_only_is_not_usage():
    record = meter(event(usage(trafficType="ON_DEMAND")), 1)
    assert (record.status, record.tokens, record.service_tier) == (Status.UNKNOWN, NOTHING, "standard")


def test_usage_without_a_prompt_count_is_partial_and_the_rest_stays_unknown():
    record = meter(event(usage(candidatesTokenCount=23, thoughtsTokenCount=67)), 1)
    assert record.status is Status.PARTIAL
    assert record.tokens == Tokens(output=90, thinking=67)
    assert record.anomalies == ("usage_incomplete",)
    assert record.readings is None


@pytest.mark.parametrize("bad", ["-1", "9007199254740993", "1.5", "NaN", "1e999", '"12"', "true", "[1]", "9" * 5000])
def test_a_count_that_is_not_an_integer_makes_the_usage_invalid(bad):
    record = meter(event('{"promptTokenCount": %s, "totalTokenCount": 5}' % bad), 1)
    assert (record.status, record.tokens, record.anomalies) == (Status.UNKNOWN, NOTHING, ("invalid_usage",))


def test_deeply_nested_usage_is_invalid_and_harms_nothing():
    assert meter(event('{"promptTokenCount": ' + "[" * 100_000), 1).anomalies == ("invalid_usage",)


def test_odd_values_in_unknown_fields_are_tolerated():
    assert meter(event('{"promptTokenCount": 5, "totalTokenCount": 5, "news": -1.5, "more": NaN}'), 1).anomalies == ()


def test_a_total_that_does_not_add_up_is_kept_and_named():
    record = meter(
        event(usage(promptTokenCount=18, candidatesTokenCount=1, thoughtsTokenCount=203, totalTokenCount=221)), 1
    )
    assert record.tokens.total == 221
    assert record.anomalies == ("total_mismatch",)
    assert meter(event(usage(promptTokenCount=18)), 1).anomalies == ("total_mismatch",)


def test_readings_are_split_by_cache_and_modality():
    said = usage(
        promptTokenCount=1133, cachedContentTokenCount=133, candidatesTokenCount=310, thoughtsTokenCount=542,
        toolUsePromptTokenCount=3500, totalTokenCount=1133 + 310 + 542 + 3500,
        promptTokensDetails=[{"modality": "TEXT", "tokenCount": 133}, {"modality": "AUDIO", "tokenCount": 1000}],
        cacheTokensDetails=[{"modality": "TEXT", "tokenCount": 100}, {"modality": "AUDIO", "tokenCount": 33}],
        toolUsePromptTokensDetails=[{"modality": "IMAGE", "tokenCount": 2300}, {"modality": "TEXT", "tokenCount": 1200}],
    )  # fmt: skip
    assert set(meter(event(said), 1).readings or ()) == {
        Reading(Meter.INPUT, Modality.TEXT, 33),
        Reading(Meter.INPUT, Modality.AUDIO, 967),
        Reading(Meter.CACHED_INPUT, Modality.TEXT, 100),
        Reading(Meter.CACHED_INPUT, Modality.AUDIO, 33),
        Reading(Meter.INTERMEDIATE, Modality.TEXT, 1200),
        Reading(Meter.INTERMEDIATE, Modality.IMAGE, 2300),
        Reading(Meter.OUTPUT, Modality.TEXT, 310),
        Reading(Meter.THINKING, Modality.TEXT, 542),
    }


def test_modalities_may_be_integers():
    said = usage(
        promptTokenCount=9, totalTokenCount=9, promptTokensDetails=[{"modality": 4, "tokenCount": 9}], trafficType=2
    )
    record = meter(event(said), 1)
    assert record.readings == (Reading(Meter.INPUT, Modality.AUDIO, 9),)
    assert record.service_tier == "provisioned"


_n = st.none() | st.integers(0, 2**53)
_detail = st.lists(
    st.fixed_dictionaries(
        {"modality": st.sampled_from(["TEXT", "AUDIO", "IMAGE", "NEW"]), "tokenCount": st.integers(0, 10**6)}
    ),
    max_size=4,
)


@given(st.fixed_dictionaries({
    "promptTokenCount": st.integers(0, 10**7), "cachedContentTokenCount": _n, "candidatesTokenCount": _n, "thoughtsTokenCount": _n,
    "toolUsePromptTokenCount": _n, "totalTokenCount": _n, "promptTokensDetails": _detail, "cacheTokensDetails": _detail,
    "candidatesTokensDetails": _detail, "toolUsePromptTokensDetails": _detail,
}))  # fmt: skip
def test_readings_always_add_up_to_the_split(counts):
    record = meter(event(usage(**{k: v for k, v in counts.items() if v is not None})), 1)
    readings, tokens = record.readings, record.tokens
    assert readings is not None
    assert all(reading.quantity > 0 for reading in readings)
    assert len({(r.meter, r.modality) for r in readings}) == len(readings)

    def total(*meters: Meter) -> int:
        return sum(r.quantity for r in readings if r.meter in meters)

    assert total(Meter.INPUT, Meter.CACHED_INPUT) == tokens.input
    assert total(Meter.CACHED_INPUT) == min(tokens.cached or 0, tokens.input or 0)
    assert total(Meter.INTERMEDIATE) == tokens.intermediate
    assert total(Meter.OUTPUT, Meter.THINKING) == tokens.output
    adds_up = (tokens.input or 0) + (tokens.intermediate or 0) + (tokens.output or 0) == tokens.total
    assert adds_up == ("total_mismatch" not in record.anomalies)


def test_the_served_model_and_tier_decide_and_the_requested_ones_stay():
    asked = RequestFacts(model="models/gemini-flash-latest", service_tier="SERVICE_TIER_PRIORITY")
    base = event(
        usage(promptTokenCount=1, totalTokenCount=1, serviceTier="flex"), model_version="models/gemini-3.8-flash"
    )
    record = meter(msgspec.structs.replace(base, asked=asked), 1)
    assert (record.model, record.requested_model, record.service_tier) == (
        "gemini-3.8-flash",
        "gemini-flash-latest",
        "flex",
    )
    by_header = msgspec.structs.replace(
        base, asked=asked, seen=msgspec.structs.replace(base.seen, service_tier="standard")
    )
    assert meter(by_header, 1).service_tier == "standard"
    unsaid = msgspec.structs.replace(base, asked=asked, seen=ResponseFacts())
    assert (meter(unsaid, 1).model, meter(unsaid, 1).service_tier) == ("gemini-flash-latest", "priority")


@pytest.mark.parametrize(
    ("asked", "served", "traffic", "tier"),
    [
        ("auto", None, None, "standard"),
        ("auto", "default", None, "standard"),
        ("flex", "auto", None, "flex"),
        ("flex", "Default", None, "standard"),
        (None, None, "flex", "flex"),
        ("auto", None, "priority", "priority"),
    ],
)
def test_a_tier_that_asks_for_nothing_is_none(asked, served, traffic, tier):
    base = event(usage(promptTokenCount=1, totalTokenCount=1), service_tier=served, usage_tier=traffic)
    assert meter(msgspec.structs.replace(base, asked=RequestFacts(service_tier=asked)), 1).service_tier == tier


@pytest.mark.parametrize(
    ("total", "status", "flags"),
    [(180, Status.PARTIAL, ("incomplete", "thinking_inferred")), (150, Status.COMPLETE, ())],
)
def test_thinking_that_only_the_total_shows_makes_a_call_incomplete(total, status, flags):
    said = usage(prompt_tokens=100, completion_tokens=50, total_tokens=total)
    record = meter(msgspec.structs.replace(event(said), operation=Operation.OPENAI_CHAT), 1)
    assert (record.status, record.flags, record.anomalies) == (status, flags, ())
    assert (record.tokens.output, record.tokens.thinking) == (total - 100, total - 150)


@pytest.mark.parametrize(("http", "flags"), [(200, ("sent_twice",)), (503, ())])
def test_a_call_that_was_sent_twice_says_so_if_it_may_cost_anything(http, flags):
    assert meter(msgspec.structs.replace(event(FULL, http=http), retried=1), 1).flags == flags


def test_executions_and_failures_are_counted():
    outline = (
        Part(kind="code", language="PYTHON", chars=10), Part(kind="result", outcome="OUTCOME_FAILED"),
        Part(kind="code", chars=12), Part(kind="result", outcome="OUTCOME_DEADLINE_EXCEEDED"),
        Part(kind="code", chars=14), Part(kind="result", outcome="OUTCOME_OK"),
        Part(kind="code", chars=5),
    )  # fmt: skip
    record = meter(event(FULL, outline=outline), 1)
    assert [e.outcome for e in record.executions] == [
        Outcome.FAILED,
        Outcome.DEADLINE_EXCEEDED,
        Outcome.OK,
        Outcome.UNKNOWN,
    ]
    assert record.failed == 2


POSED = (Part(kind="code", chars=10), Part(kind="result", outcome="OUTCOME_OK", chars=5))
PICTURE = (Part(kind="text", chars=3), Part(kind="blob", mime="image/png", chars=900))


@pytest.mark.parametrize(("declared", "runs"), [(True, 1), (None, 1), (False, 0)])
def test_code_is_an_execution_unless_the_request_did_not_allow_any(declared, runs):
    asked = RequestFacts(declared=declared)
    record = meter(msgspec.structs.replace(event(FULL, outline=POSED), asked=asked), 1)
    assert len(record.executions) == runs
    assert ("intermediate_unexplained" in record.anomalies) <= bool(runs)


@pytest.mark.parametrize(
    ("outline", "image_tokens", "status", "anomalies"),
    [
        (PICTURE, 0, Status.PARTIAL, ("image_tokens_unknown",)),
        (PICTURE, 1290, Status.COMPLETE, ()),
        ((*POSED, *PICTURE), 0, Status.COMPLETE, ("image_tokens_unknown",)),
        ((Part(kind="blob", mime="audio/wav"), Part(kind="file")), 0, Status.COMPLETE, ()),
        ((Part(kind="blob", mime="image/png", thought=True),), 0, Status.COMPLETE, ()),
        ((Part(kind="file", mime="image/png"),), 0, Status.PARTIAL, ("image_tokens_unknown",)),
    ],
)
def test_a_picture_without_picture_tokens_is_not_priced_as_text_in_silence(outline, image_tokens, status, anomalies):
    details = [{"modality": "IMAGE", "tokenCount": image_tokens}] if image_tokens else []
    said = usage(promptTokenCount=10, candidatesTokenCount=1300, totalTokenCount=1310, candidatesTokensDetails=details)
    record = meter(event(said, outline=outline), 1)
    assert (record.status, record.anomalies) == (status, anomalies)
    assert record.tokens.output == 1300


@pytest.mark.parametrize(
    ("model", "searches", "grounded", "quantity"),
    [
        ("gemini-3-flash-preview", 2, True, 2),
        ("gemini-2.5-flash", 3, True, 1),
        ("gemini-2.5-flash", 0, False, 0),
        ("gemini-4-argon", 0, True, 0),
    ],
)
def test_groundings_are_counted_by_query_from_gemini_3_on_and_by_prompt_before(model, searches, grounded, quantity):
    record = meter(event(FULL, model_version=model, searches=searches, grounded=grounded), 1)
    quantities = [r.quantity for r in record.readings or () if r.meter is Meter.GROUNDING]
    assert quantities == ([quantity] if quantity else [])
    assert ("grounding_unknown" in record.anomalies) is (grounded and not quantity)


SAID = Part(kind="text", chars=3)
CALLED = Part(kind="function_call")


@pytest.mark.parametrize(
    ("parts", "candidates", "changes", "odd"),
    [
        ((SAID,), 0, {}, True),
        ((CALLED,), None, {}, True),
        ((SAID,), 2, {}, False),
        ((Part(kind="text", chars=3, thought=True), Part(kind="text")), None, {}, False),
        ((SAID,), None, {"ending": Ending.CUT}, False),
        ((SAID,), None, {"fault": ApiError(code=500)}, False),
    ],
)
def test_a_whole_answer_that_has_no_tokens_by_its_usage_says_so(parts, candidates, changes, odd):
    said = usage(promptTokenCount=10, candidatesTokenCount=candidates, totalTokenCount=10 + (candidates or 0))
    record = meter(event(said, outline=parts, **changes), 1)
    assert ("output_uncounted" in record.anomalies) is odd


@pytest.mark.parametrize(("model", "quantity"), [("gemini-3-flash-preview", 2), ("gemini-2.5-flash", 1)])
def test_uses_of_maps_are_a_meter_of_their_own(model, quantity):
    record = meter(event(FULL, model_version=model, maps_searches=2, searches=1, grounded=True), 1)
    counts = {r.meter: r.quantity for r in record.readings or ()}
    assert (counts[Meter.MAPS], counts[Meter.GROUNDING]) == (quantity, 1)


def test_a_lost_call_says_that_the_recorder_stopped():
    assert meter(event(None, ending=Ending.LOST, http=None), 1).anomalies == ("recorder_stopped",)


def interaction(**seen: object) -> Event:
    return Event(
        id="0199a0b0-0000-7000-8000-000000000002", occurred_us=1, api=Api.GEMINI, operation=Operation.INTERACTIONS,
        asked=RequestFacts(model="gemini-3-flash-preview", turns=1), ending=Ending.FINISHED, http_status=200, natural=("interaction", "gemini", "i1"),
        seen=ResponseFacts(**{"usage": usage(total_input_tokens=5, total_tokens=5), "response_id": "i1", "finish_reason": "completed", **seen}),
    )  # fmt: skip


def test_a_natural_key_gives_the_record_the_same_identity_under_every_spool():
    one, two = meter(interaction(), 1), meter(interaction(), 2)
    assert (one.source_id, one.id) == (two.source_id, two.id) == natural("interaction", "gemini", "i1")
    assert one.conversation == "i1"


@pytest.mark.parametrize(
    ("state", "status"),
    [("completed", Status.COMPLETE), ("requires_action", Status.COMPLETE), ("incomplete", Status.COMPLETE), ("cancelled", Status.COMPLETE),
     ("in_progress", Status.PARTIAL), ("queued", Status.PARTIAL), (None, Status.COMPLETE)],
)  # fmt: skip
def test_the_usage_of_a_running_interaction_is_not_its_last(state, status):
    assert meter(interaction(finish_reason=state), 1).status is status


@pytest.mark.parametrize(("model", "count"), [("gemini-2.5-flash", 1), ("gemini-3-flash-preview", 14)])
def test_searches_counted_by_the_usage_are_taken_from_it(model, count):
    said = usage(total_input_tokens=5, total_tokens=5, grounding_tool_count=[{"type": "google_search", "count": 14}])
    record = meter(interaction(usage=said, model_version=model, searches=3, grounded=True), 1)
    assert [r.quantity for r in record.readings or () if r.meter is Meter.GROUNDING] == [count]


def test_the_split_is_cut_into_meters_that_add_up_to_it():
    split = Tokens(input=100, cached=30, intermediate=40, output=60, thinking=25)
    assert by_meter(split) == {
        Meter.INPUT: 70,
        Meter.CACHED_INPUT: 30,
        Meter.INTERMEDIATE: 40,
        Meter.OUTPUT: 35,
        Meter.THINKING: 25,
    }


def test_meters_without_tokens_are_left_out_and_no_more_is_cached_than_was_sent():
    assert by_meter(Tokens()) == {}
    assert by_meter(Tokens(input=10, cached=12, output=5, thinking=5)) == {Meter.CACHED_INPUT: 10, Meter.THINKING: 5}


@pytest.mark.parametrize(
    ("operation", "status", "anomalies"),
    [
        ("raw_predict", 200, (Anomaly.UNMETERED_SURFACE,)),
        (Operation.GENERATE_VIDEOS, 200, (Anomaly.UNMETERED_SURFACE,)), (Operation.GENERATE_CONTENT, 200, ()),
        ("raw_predict", 404, ()), ("raw_predict", None, ()),
    ],
)  # fmt: skip
def test_a_paid_call_that_no_dialect_reads_is_unmetered_and_says_so(operation, status, anomalies):
    record = meter(msgspec.structs.replace(event(http=status), operation=operation), 1)
    assert record.anomalies == anomalies
    assert record.status is (Status.ERROR if status == 404 else Status.UNKNOWN)


def test_a_model_has_its_name_without_the_place_in_front():
    for named in ("m", "models/m", "publishers/google/models/m", "projects/p/locations/l/publishers/google/models/m"):
        assert meter(event(FULL, model_version=named), 7).model == "m"

"""The dialect of interactions: both schemas, whole and streamed, told apart by the body."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.event import RequestFacts, ResponseFacts
from gembill.model import Outcome
from gembill.wire import interactions
from gembill.wire.observation import Observation
from gembill.wire.token_counts import InvalidUsage

USAGE = {"total_input_tokens": 33, "total_output_tokens": 310, "total_thought_tokens": 542, "total_tool_use_tokens": 1200, "total_tokens": 2085}  # fmt: skip
CALL = {"type": "code_execution_call", "id": "c1", "arguments": {"code": "print(12)", "language": "python"}}
RESULT = {"type": "code_execution_result", "call_id": "c1", "result": "12\n", "is_error": False}
STEPS = [
    {"type": "thought", "signature": "s", "summary": [{"type": "text", "text": "hmm"}]},
    CALL,
    RESULT,
    {
        "type": "model_output",
        "content": [{"type": "text", "text": "twelve"}, {"type": "image", "mime_type": "image/png", "data": "QUJD"}],
    },
]
RESOURCE = {
    "id": "i1",
    "object": "interaction",
    "status": "completed",
    "model": "gemini-3-flash-preview",
    "service_tier": "flex",
    "usage": USAGE,
}


def facts_of(*documents: object) -> ResponseFacts:
    observation = Observation()
    for document in documents:
        interactions.observe(json.dumps(document).encode(), observation)
    return observation.response_facts()


def outline(facts: ResponseFacts) -> list[tuple]:
    return [(part.kind, part.id, part.chars, part.thought) for part in facts.outline]


def events(
    steps: list[dict], names: tuple[str, str, str, str] = ("step.start", "step.delta", "step.stop", "step")
) -> list[dict]:
    start, delta, stop, field = names
    stream: list[dict] = []
    for index, step in enumerate(steps):
        begun = {name: step[name] for name in ("type", "id", "call_id") if name in step}
        stream.append({"event_type": start, "index": index, field: begun})
        pieces = [{k: v for k, v in step.items() if k not in ("id", "call_id")}]
        if step["type"] == "model_output":
            pieces = step["content"]
        elif step["type"] == "thought":
            pieces = [{"type": "thought_summary", "content": one} for one in step["summary"]] + [
                {"type": "thought_signature", "signature": "s"}
            ]
        stream += [{"event_type": delta, "index": index, "delta": piece} for piece in pieces]
        stream.append({"event_type": stop, "index": index})
    return stream


SHOWN = [
    ("text", None, 3, True),
    ("code", "c1", 9, False),
    ("result", "c1", 3, False),
    ("text", None, 6, False),
    ("blob", None, 3, False),
]
NEW = [{"event_type": "interaction.created", "interaction": {"id": "i1", "status": "in_progress"}}, *events(STEPS), {"event_type": "interaction.completed", "interaction": RESOURCE}]  # fmt: skip
OLD = [
    {"event_type": "interaction.start", "interaction": {"id": "i1", "status": "in_progress"}},
    *events([STEPS[0], CALL, RESULT, {"type": "text", "text": "twelve"}, {"type": "image", "data": "QUJD"}], ("content.start", "content.delta", "content.stop", "content")),
    {"event_type": "interaction.complete", "interaction": RESOURCE},
]  # fmt: skip


@pytest.mark.parametrize(
    "documents",
    [
        [{**RESOURCE, "steps": STEPS}],
        NEW,
        [*NEW[:-1], {"event_type": "interaction.completed", "interaction": {**RESOURCE, "steps": STEPS}}],
    ],
    ids=["whole", "streamed", "streamed and repeated"],
)
def test_the_new_schema_shows_the_same_whole_and_streamed(documents):
    facts = facts_of(*documents)
    assert outline(facts) == SHOWN
    assert (facts.response_id, facts.finish_reason, facts.model_version, facts.service_tier) == (
        "i1",
        "completed",
        "gemini-3-flash-preview",
        "flex",
    )
    assert json.loads(facts.usage or "") == USAGE
    (run,) = interactions.executions(facts.outline)
    assert (run.outcome, run.part_id, run.language, run.code_chars, run.result_chars, run.result_digits) == (
        Outcome.OK,
        "c1",
        "python",
        9,
        3,
        2,
    )


def test_the_old_schema_is_recognised_by_its_body():
    outputs = [STEPS[0], CALL, RESULT, {"type": "text", "text": "twelve"}, {"type": "image", "data": "QUJD"}]
    assert outline(facts_of({**RESOURCE, "role": "model", "outputs": outputs})) == SHOWN
    streamed = facts_of(*OLD)
    assert [kind for kind, *_ in outline(streamed) if kind in ("code", "result")] == ["code", "result"]
    assert [run.outcome for run in interactions.executions(streamed.outline)] == [Outcome.OK]
    assert (streamed.finish_reason, json.loads(streamed.usage or "")) == ("completed", USAGE)


def test_code_that_comes_in_pieces_is_one_run_and_what_never_ended_is_unknown():
    pieces = [
        {"event_type": "step.start", "index": 0, "step": {"type": "code_execution_call", "id": "c1", "arguments": {}}},
        {"event_type": "step.delta", "index": 0, "delta": {"type": "arguments_delta", "arguments": '{"code": "1'}},
        {"event_type": "step.delta", "index": 0, "delta": {"type": "arguments_delta", "arguments": '/0"}'}},
        {
            "event_type": "step.start",
            "index": 1,
            "step": {"type": "code_execution_result", "call_id": "c1", "result": ""},
        },
        {
            "event_type": "step.delta",
            "index": 1,
            "delta": {"type": "code_execution_result", "result": "Zero", "is_error": True},
        },
        {"event_type": "step.start", "index": 2, "step": CALL | {"id": "c2"}},
    ]
    facts = facts_of(*pieces)
    assert [(run.part_id, run.outcome) for run in interactions.executions(facts.outline)] == [
        ("c1", Outcome.FAILED),
        ("c2", Outcome.UNKNOWN),
    ]
    assert [part.chars for part in facts.outline] == [15, 4, 9]


def test_the_last_usage_replaces_a_running_one_which_is_kept_where_the_stream_breaks_off():
    running = [
        {
            "event_type": "interaction.created",
            "interaction": {"id": "i1"},
            "metadata": {"usage": {"total_input_tokens": 1}},
        },
        {
            "event_type": "step.delta",
            "index": 0,
            "delta": {"type": "text", "text": "x"},
            "metadata": {"total_usage": {"total_input_tokens": 2}},
        },
        {
            "event_type": "interaction.status_update",
            "interaction_id": "i1",
            "status": "in_progress",
            "usage": {"total_input_tokens": 3},
        },
    ]
    assert [json.loads(facts_of(*running[:n]).usage or "")["total_input_tokens"] for n in (1, 2, 3)] == [1, 2, 3]
    assert json.loads(facts_of(*running, NEW[-1]).usage or "") == USAGE


def test_searches_and_their_count():
    steps = [
        {"type": "google_search_call", "id": "s", "arguments": {"queries": ["a", "b", "a"]}},
        {"type": "google_search_result", "call_id": "s"},
    ]
    facts = facts_of({**RESOURCE, "steps": steps})
    assert (facts.searches, facts.grounded, outline(facts)) == (
        2,
        True,
        [("tool", "s", 0, False), ("tool", "s", 0, False)],
    )
    counted = {
        "grounding_tool_count": [
            {"type": "google_search", "count": 14},
            {"type": "google_maps", "count": 2},
            {"type": "retrieval", "count": 9},
        ]
    }
    reported = interactions.usage(json.dumps(USAGE | counted))
    assert (reported.groundings, reported.maps) == (14, 2)
    assert interactions.usage(json.dumps(USAGE)).groundings is None


def test_steps_of_maps_and_of_tools_without_a_fee_are_not_searches():
    kinds = ("google_maps_call", "file_search_call", "url_context_call", "retrieval_call")
    facts = facts_of({**RESOURCE, "steps": [{"type": kind, "arguments": {"queries": ["a", "b"]}} for kind in kinds]})
    assert (facts.searches, facts.grounded, facts.maps_searches) == (0, False, 2)


def test_a_failed_interaction_shows_its_error():
    facts = facts_of({"id": "i1", "status": "failed", "errors": [{"code": "internal", "message": "x"}]})
    assert facts.fault is not None
    assert (facts.fault.code, facts.fault.kind) == ("internal", None)
    assert facts_of({"id": "i1", "status": "completed", "errors": [{"code": "odd"}]}).fault is None


@pytest.mark.parametrize(
    ("request_", "asked"),
    [
        ({"model": "models/m", "input": "x", "tools": [{"type": "code_execution"}]}, RequestFacts(model="models/m", declared=True, turns=1)),
        ({"model": "m", "tools": [{"type": "google_search"}], "stream": True}, RequestFacts(model="m", declared=False, stream=True, turns=1)),
        ({"model": "m", "cached_content": "cachedContents/c"}, RequestFacts(model="m", cached_content="cachedContents/c", turns=1)),
        ({"agent": "a", "agent_config": {"model": "m"}, "service_tier": "flex"}, RequestFacts(model="m", agent="a", service_tier="flex", turns=1)),
        ({"agent": "a", "tools": [{"type": "code_execution"}]}, RequestFacts(agent="a", declared=True, turns=1)),
        ({"model": "m", "continuation_token": "t", "previous_interaction_id": "p"}, RequestFacts(model="m", previous_interaction_id="p", turns=1)),
        ({"model": "m", "tools": None, "input": [CALL, RESULT]}, RequestFacts(model="m", declared=False, turns=1)),
    ],
)  # fmt: skip
def test_what_a_creation_asks(request_, asked):
    assert interactions.request_facts(json.dumps(request_).encode(), None) == (asked, None)


@pytest.mark.parametrize("body", [None, b"", b"[1]", b"{"])
def test_a_request_that_cannot_be_read_asks_nothing_that_is_known(body):
    assert interactions.request_facts(body, "m") == (RequestFacts(model="m", unread=body is not None), None)


def test_the_counts_keep_their_names_and_the_old_name_of_thoughts():
    text = json.dumps(
        {
            "total_input_tokens": 5,
            "total_reasoning_tokens": 7,
            "input_tokens_by_modality": [{"modality": "image", "tokens": 5}],
            "raw_prompt_token": 99,
        }
    )
    counts = interactions.usage(text)
    assert (counts.prompt, counts.thoughts, dict(counts.prompt_details)) == (5, 7, {"image": 5})


@pytest.mark.parametrize(
    ("entries", "web", "maps", "unclear"),
    [
        ([], 0, 0, 0),
        (None, None, None, 0),
        ([{"type": "google_search", "count": 2}, {"type": "google_maps", "count": 0}], 2, 0, 0),
        ([{"type": "google_search"}, {"type": "google_maps", "count": 1}], None, 1, 1),
        ([{"type": "google_search", "count": 1, "search_query_count": 3}], 1, 0, 1),
        ([{"type": "google_search", "count": 3, "search_query_count": 3}], 3, 0, 0),
        ([{"type": "google_search", "count": 0, "search_query_count": 2}], 0, 0, 1),
        ([{"type": "google_shopping", "count": 2}, {"type": "google_flights", "count": 0}], 0, 0, 1),
        ([{"type": "retrieval", "count": 5}, {"type": "url_context"}, "x"], 0, 0, 0),
    ],
)
def test_uses_of_tools_are_counted_and_what_is_not_clear_is_too(entries, web, maps, unclear):
    counts = interactions.usage(json.dumps({"total_input_tokens": 1, "grounding_tool_count": entries}))
    assert (counts.groundings, counts.maps, counts.unclear_uses) == (web, maps, unclear)


@pytest.mark.parametrize("wrong", [{"total_input_tokens": -1}, {"total_tokens": 2**63}, {"total_output_tokens": "5"}, {"grounding_tool_count": [{"type": "google_search", "count": -1}]}])  # fmt: skip
def test_a_count_that_is_not_a_number_makes_the_usage_invalid(wrong):
    with pytest.raises(InvalidUsage):
        interactions.usage(json.dumps(USAGE | wrong))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "steps", "step", "delta", "index", "content", "interaction", "usage", "status", "errors", "id", "arguments", "result", "metadata"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(JSON, max_size=4))
@settings(max_examples=150, deadline=None)
def test_no_document_raises(documents):
    facts = facts_of(*documents)
    assert len(interactions.executions(facts.outline)) <= len(facts.outline)


@given(st.lists(st.sampled_from(["a_new_field", "zz", "Usage", "step_s"]), unique=True), st.integers(0, 5), JSON)
@settings(max_examples=60, deadline=None)
def test_unknown_fields_steps_and_events_change_nothing(names, place, junk):
    odd = dict.fromkeys(names, junk)
    extra = [*NEW[:place], {"event_type": "a.new.event", **odd}, *NEW[place:]]
    facts, plain = facts_of(*({**odd, **one} for one in extra)), facts_of(*NEW)
    assert (facts.usage, outline(facts), facts.finish_reason) == (plain.usage, outline(plain), plain.finish_reason)

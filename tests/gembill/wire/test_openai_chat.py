"""The dialect of chat completions: whole and streamed, reasoning inside the completion or beside it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.event import RequestFacts, ResponseFacts
from gembill.wire import openai_chat
from gembill.wire.observation import Observation
from gembill.wire.token_counts import InvalidUsage
from gembill.wire.turns import Turns

COUNT = st.integers(0, 10**6)


def facts_of(*documents: object) -> ResponseFacts:
    observation = Observation()
    for document in documents:
        openai_chat.observe(json.dumps(document).encode(), observation)
    return observation.response_facts()


def usage(prompt: object, completion: object, total: object, reasoning: object = None, cached: object = None) -> str:
    details = {
        "completion_tokens_details": {"reasoning_tokens": reasoning},
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return json.dumps({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total, **details})


@given(COUNT, COUNT, st.none() | COUNT)
@settings(max_examples=60, deadline=None)
def test_the_parts_of_a_completion_add_up_to_it(prompt, completion, reasoning):
    inside = openai_chat.usage(usage(prompt, completion, prompt + completion, reasoning))
    assert (inside.candidates or 0) + (inside.thoughts or 0) == completion
    apart = openai_chat.usage(usage(prompt, completion, prompt + completion + (reasoning or 0), reasoning))
    assert (apart.candidates or 0) + (apart.thoughts or 0) == completion + (reasoning or 0)


def test_cached_tokens_are_part_of_the_prompt():
    counts = openai_chat.usage(usage(100, 5, 105, cached=40))
    assert (counts.prompt, counts.cached, counts.candidates, counts.thoughts, counts.total) == (100, 40, 5, None, 105)


@pytest.mark.parametrize(
    ("prompt", "completion", "total", "reasoning", "output", "thoughts", "hidden"),
    [
        (100, 50, 150, None, 50, None, 0),
        (100, 50, 150, 30, 20, 30, 0),
        (100, 50, 180, 30, 50, 30, 0),
        (21, 0, 81, 60, 0, 60, 0),
        (100, 50, 180, None, 50, 30, 30),
        (100, 50, 180, 0, 50, 30, 30),
        (100, 50, 180, 20, 50, 30, 30),
        (100, 50, 180, 40, 40, 40, 30),
        (100, None, 180, None, None, 80, 80),
        (100, 50, 120, None, 50, None, 0),
        (None, 50, 120, None, 50, None, 0),
    ],
)
def test_what_only_the_total_shows_is_thinking_and_is_said(
    prompt, completion, total, reasoning, output, thoughts, hidden
):
    counts = openai_chat.usage(usage(prompt, completion, total, reasoning))
    assert (counts.candidates, counts.thoughts, counts.hidden) == (output, thoughts, hidden)


@pytest.mark.parametrize(
    ("details", "prompt", "answer"),
    [
        ({"audio_tokens": 80}, {"audio": 80, "text": 20}, {"audio": 80, "text": 0}),
        ({"audio_tokens": 30, "image_tokens": 9}, {"audio": 30, "image": 9, "text": 61}, {"audio": 30, "image": 9, "text": 11}),
        ({"audio_tokens": 0, "cached_tokens": 5}, {}, {}),
        ({"audio_tokens": None}, {}, {}),
    ],
)  # fmt: skip
def test_tokens_of_sound_and_pictures_are_told_from_those_of_text(details, prompt, answer):
    counts = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    said = openai_chat.usage(
        json.dumps(counts | {"prompt_tokens_details": details, "completion_tokens_details": details})
    )
    assert (said.prompt_details, said.candidates_details) == (prompt, answer)


@pytest.mark.parametrize("name", ["traffic_type", "trafficType"])
def test_vertex_reports_the_tier_as_traffic_in_any_usage_object(name):
    def chunk(**usage: object) -> dict[str, object]:
        return {"choices": [], "usage": usage}

    traffic = {"extra_properties": {"google": {name: "ON_DEMAND_FLEX"}}}
    counts = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    assert openai_chat.usage(json.dumps(counts | traffic)).service_tier == "flex"
    for documents in ((chunk(**counts), chunk(**traffic)), (chunk(**traffic), chunk(**counts))):
        facts = facts_of(*documents, {"choices": [], "usage": None})
        assert facts.usage_tier == "flex"
        assert openai_chat.usage(facts.usage or "").prompt == 100


@pytest.mark.parametrize(
    "wrong",
    [
        usage(-1, 1, 0),
        usage(1, "2", 3),
        usage(1, 2, 3, 1.5),
        usage(1, 2, 2**60),
        '{"prompt_tokens": 3, "prompt_tokens_details": {"audio_tokens": "3"}}',
    ],
)
def test_a_count_that_is_not_a_number_makes_the_usage_invalid(wrong):
    with pytest.raises(InvalidUsage):
        openai_chat.usage(wrong)


def test_a_stream_shows_its_last_usage_and_the_text_of_every_choice():
    chunk = {
        "id": "x",
        "model": "google/gemini-2.5-flash",
        "choices": [
            {"index": 0, "delta": {"content": "ab"}},
            {"index": 1, "delta": {"content": "c", "tool_calls": [{}]}},
        ],
    }
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 2}}
    facts = facts_of({**chunk, "usage": {"prompt_tokens": 1}}, {**chunk, "usage": None}, last)
    assert (facts.model_version, facts.response_id, facts.finish_reason) == ("gemini-2.5-flash", "x", "stop")
    assert [(part.kind, part.candidate, part.chars) for part in facts.outline] == [
        ("text", 0, 4), ("text", 1, 1), ("function_call", 1, 0), ("text", 1, 1), ("function_call", 1, 0)]  # fmt: skip
    assert json.loads(facts.usage or "") == {"prompt_tokens": 2}
    assert openai_chat.executions(facts.outline) == ()


@pytest.mark.parametrize(
    ("request_", "asked"),
    [
        ({"model": "m", "messages": [{}, {}], "stream": True}, RequestFacts(model="m", declared=False, turns=2, stream=True)),
        ({"model": "google/m", "tools": [{"type": "function"}]}, RequestFacts(model="m", declared=False, turns=0)),
        ({"model": "m", "extra_body": {"google": {"tools": [{"codeExecution": {}}]}}}, RequestFacts(model="m", declared=True, turns=0)),
        ({"model": "m", "tools": [{"type": "code_execution"}], "service_tier": "flex"}, RequestFacts(model="m", declared=True, turns=0, service_tier="flex")),
    ],
)  # fmt: skip
def test_what_a_completion_asks(request_, asked):
    assert openai_chat.request_facts(json.dumps(request_).encode(), None)[0] == asked
    assert openai_chat.request_facts(None, "m") == (RequestFacts(model="m"), None)


def test_a_completion_goes_on_from_the_messages_and_the_answer_that_it_repeats():
    def of(*messages: tuple[str, str]) -> Turns | None:
        body = {"messages": [{"role": role, "content": text} for role, text in messages]}
        return openai_chat.request_facts(json.dumps(body).encode(), None)[1]

    observation = Observation()
    for text in ("a", "b"):
        chunk = {"choices": [{"index": 0, "delta": {"content": text}}, {"index": 1, "delta": {"content": "x"}}]}
        openai_chat.observe(json.dumps(chunk).encode(), observation)
    opening = (("system", "s"), ("user", "one"))
    first, later = of(*opening), of(*opening, ("assistant", "ab"), ("user", "two"))
    assert later.before == observation.said.turn(first.prompt) is not None
    assert of(*opening, ("assistant", "ba"), ("user", "two")).before != later.before
    assert of(("user", "one"), ("assistant", "ab"), ("user", "two")).before != later.before
    assert (first.before, of()) == (None, None)

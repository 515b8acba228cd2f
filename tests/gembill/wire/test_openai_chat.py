"""The dialect of chat completions: whole and streamed, reasoning inside the completion or beside it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.event import RequestFacts, ResponseFacts
from gembill.wire import openai_chat
from gembill.wire.observation import Observation
from gembill.wire.token_counts import InvalidUsage

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


@pytest.mark.parametrize("wrong", [usage(-1, 1, 0), usage(1, "2", 3), usage(1, 2, 3, 1.5), usage(1, 2, 2**60)])
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


def test_a_chat_is_named_by_its_messages_up_to_the_first_of_the_user():
    def basis(*messages: tuple[str, str]) -> bytes | None:
        body = {"messages": [{"role": role, "content": text} for role, text in messages]}
        return openai_chat.request_facts(json.dumps(body).encode(), None)[1]

    first = basis(("system", "s"), ("user", "one"))
    assert first == basis(("system", "s"), ("user", "one"), ("assistant", "a"), ("user", "two"))
    assert len({first, basis(("system", "t"), ("user", "one")), basis(("user", "one")), basis()}) == 4

"""Reading requests for interactions: four forms of input, tools, agents."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import Refusal
from gembill_simulator.fields import decode
from gembill_simulator.interactions.request import count_steps, question, read
from gembill_simulator.tokens import TokenTally, count

_NAMES = st.sampled_from(["input", "model", "agent", "tools", "type", "content", "role", "text", "generation_config"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["text", "user_input"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
TEXT = {"type": "text", "text": "one two"}


def say(given: Any, **more: Any) -> dict[str, Any]:
    return {"model": "gemini-2.5-flash", "input": given, **more}


@pytest.mark.parametrize(
    "given",
    ["one two", TEXT, [TEXT], [{"type": "user_input", "content": [TEXT]}], [{"role": "user", "content": "one two"}]],
)
def test_all_forms_of_input_say_the_same(given: Any) -> None:
    order = read(say(given))
    assert order.inputs == ({"type": "user_input", "content": [TEXT]},)
    assert (order.parsed.prompt, order.parsed.question) == (TokenTally(text=count("one two")), "one two")


def test_images_are_counted_as_images_and_history_as_text() -> None:
    image = {"type": "image", "data": "AA==", "mime_type": "image/png"}
    assert read(say([TEXT, image])).parsed.prompt == TokenTally(text=2, image=258)
    steps = (
        {"type": "model_output", "content": [TEXT]},
        {"type": "code_execution_call", "id": "1", "arguments": {"code": "print(7)"}},
        {"type": "code_execution_result", "call_id": "1", "result": "7"},
        {"type": "thought", "signature": "abc"},
    )
    assert count_steps(steps).text > count("one two") + count("print(7)")


def test_tools_agents_and_flags_are_read() -> None:
    tools = [
        {"type": "code_execution"},
        {"type": "google_search"},
        {"type": "function", "name": "get_weather", "parameters": {}},
    ]
    config = {"max_output_tokens": 9, "thinking_summaries": "auto", "tool_choice": "any"}
    order = read(say("x", tools=tools, generation_config=config, stream=True, store=False, service_tier="deferred"))
    assert (order.parsed.code_allowed, order.parsed.search_allowed, order.parsed.forced) == (True, True, True)
    assert order.parsed.functions[0].name == "get_weather"
    assert (order.parsed.most_tokens, order.parsed.shows_thoughts) == (9, True)
    assert (order.streams, order.stored, order.tier) == (True, False, "deferred")
    agent = read({"agent": "antigravity-preview-09-2026", "input": "x", "background": True})
    assert (agent.agent, agent.background, agent.parsed.code_allowed) == ("antigravity-preview-09-2026", True, True)
    assert not agent.researches
    assert read({"agent": "deep-research-preview-04-2026", "input": "x"}).researches


def test_models_come_with_and_without_their_prefix() -> None:
    assert read(say("x") | {"model": "models/gemini-3.8-flash"}).model.name == "gemini-3.8-flash"


def test_the_question_is_the_last_text_of_a_user() -> None:
    steps = ({"type": "user_input", "content": [TEXT]}, {"type": "function_result", "call_id": "1", "result": "r"})
    assert question(steps) == "one two"
    assert question(()) == ""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "gemini-2.5-flash"}, 400),
        ({"input": "x"}, 400),
        ({"model": "gemini-2.5-flash", "agent": "a", "input": "x"}, 400),
        ({"model": "gemini-99", "input": "x"}, 404),
        (say("x", background=True, store=False), 400),
        (say(["x"]), 400),
        (say("x", continuation_token="bad"), 400),
    ],
)
def test_what_cannot_be_done_is_refused(body: dict[str, Any], status: int) -> None:
    with pytest.raises(Refusal) as caught:
        read(body)
    assert caught.value.status == status


@given(st.dictionaries(_NAMES, _JSON, max_size=6))
def test_any_object_is_read_or_refused(document: dict[str, Any]) -> None:
    with contextlib.suppress(Refusal):
        read(decode(msgspec.json.encode({"model": "gemini-2.5-flash"} | document)))

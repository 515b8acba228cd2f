"""The OpenAI-compatible endpoint."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import Refusal
from gembill_simulator.completions import reply
from gembill_simulator.models import MODELS
from tests.gembill_simulator.contexts import ContextFactory, document

PATH = "/v1beta/openai/chat/completions"
HELLO: dict[str, Any] = {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "Hello!"}]}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"properties": {"city": {"type": "string"}}}},
}


def chunks(body: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    *frames, last = reply(ContextFactory()("POST", PATH, body | {"stream": True}, **more)).frames
    assert last == b"data: [DONE]\n\n"
    return [json.loads(frame.removeprefix(b"data: ")) for frame in frames]


@given(st.sampled_from(sorted(MODELS)), st.text(max_size=40))
def test_the_usage_adds_up_and_a_stream_ends_with_that_of_the_unary_answer(model: str, question: str) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    whole = document(reply(ContextFactory()("POST", PATH, body)))
    usage = whole["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    *firsts, last = chunks(body)
    assert all("usage" not in chunk for chunk in firsts)
    assert last["usage"]["total_tokens"] == sum(last["usage"][name] for name in ("prompt_tokens", "completion_tokens"))
    assert last["choices"][0]["finish_reason"] == "stop"


def test_the_deltas_are_the_text() -> None:
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks(HELLO))
    assert said == document(reply(ContextFactory()("POST", PATH, HELLO)))["choices"][0]["message"]["content"]
    assert said.startswith("Hello!")


def test_a_function_is_called_and_its_result_is_answered() -> None:
    asked = {"role": "user", "content": [{"type": "text", "text": "What is the weather in Boston?"}]}
    body = {"model": "models/gemini-3.8-flash", "messages": [asked], "tools": [TOOL]}
    choice = document(reply(ContextFactory()("POST", PATH, body)))["choices"][0]
    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert json.loads(call["function"]["arguments"]) == {"city": "Boston"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
    second = document(reply(ContextFactory()("POST", PATH, body | {"messages": [asked, choice["message"], result]})))
    assert second["choices"][0]["finish_reason"] == "stop"
    assert chunks(body)[-1]["choices"][0]["delta"]["tool_calls"] == [call]


def test_an_image_and_a_limit_are_read() -> None:
    content = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    body = {"model": "gemini-2.5-flash", "max_tokens": 1, "messages": [{"role": "user", "content": content}]}
    completion = document(reply(ContextFactory()("POST", PATH, body)))
    assert completion["usage"]["prompt_tokens"] == 258
    assert completion["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("body", "status"), [({"model": "gpt-none", "messages": []}, 404), (HELLO | {"messages": []}, 400)]
)
def test_what_cannot_be_answered_is_refused(body: dict[str, Any], status: int) -> None:
    with pytest.raises(Refusal) as caught:
        reply(ContextFactory()("POST", PATH, body))
    assert caught.value.status == status


def test_a_cut_stream_carries_no_usage() -> None:
    made = reply(ContextFactory()("POST", PATH, HELLO | {"stream": True}, fault="cut"))
    assert made.breaks
    assert made.usage is None

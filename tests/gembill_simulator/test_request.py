"""Reading requests: both spellings, every shape, continuation tokens, and a clear 400 for the rest."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import Refusal
from gembill_simulator.fields import decode
from gembill_simulator.request import Continuation, count_content, count_prompt, read
from gembill_simulator.tokens import TokenTally, count

_NAMES = st.sampled_from(
    ["contents", "parts", "text", "tools", "generationConfig", "codeExecution", "role", "inlineData"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


def say(text: str, **more: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


@pytest.mark.parametrize(
    "tool", [{"codeExecution": {}}, {"code_execution": {}}, {"codeExecution": {}, "googleSearch": {}}]
)
def test_code_execution_is_declared_in_either_spelling(tool: dict[str, Any]) -> None:
    assert read(say("x", tools=[tool])).code_allowed


@pytest.mark.parametrize(
    "tools", [None, [], [{"googleSearch": {}}], [{"codeExecution": None, "functionDeclarations": []}]]
)
def test_without_the_tool_or_with_null_it_is_not(tools: Any) -> None:
    assert not read(say("x", tools=tools)).code_allowed


def test_a_cache_may_hold_the_tool() -> None:
    assert read(say("x", cached_content="cachedContents/1")).code_allowed


def test_history_system_instruction_and_old_runs_are_counted() -> None:
    history = [
        {"role": "user", "parts": [{"text": "one two"}]},
        {
            "role": "model",
            "parts": [{"executableCode": {"code": "print(7)"}}, {"codeExecutionResult": {"output": "7"}}],
        },
        {"role": "user", "parts": [{"text": "three"}]},
    ]
    ask = read({"contents": history, "systemInstruction": {"parts": {"text": "be kind"}}})
    assert ask.prompt == TokenTally(
        text=count("one two") + count("print(7)") + count("7") + count("three") + count("be kind")
    )
    assert ask.question == "three"


@pytest.mark.parametrize(
    "part", [{"inlineData": {"mimeType": "image/png", "data": ""}}, {"file_data": {"mime_type": "image/jpeg"}}]
)
def test_images_count_as_images(part: dict[str, Any]) -> None:
    assert read({"contents": {"parts": [part, {"text": "what"}]}}).prompt == TokenTally(text=1, image=258)


@pytest.mark.parametrize(
    ("asked", "tier"), [("flex", "flex"), ("SERVICE_TIER_PRIORITY", "priority"), ("odd", "standard")]
)
def test_the_tier_is_read_in_old_and_new_names(asked: str, tier: str) -> None:
    assert read(say("x", serviceTier=asked)).tier == read(say("x", service_tier=asked)).tier == tier


def test_thinking_and_limits_are_read() -> None:
    config = {"thinkingConfig": {"thinkingBudget": 0, "includeThoughts": True}, "maxOutputTokens": 7}
    ask = read(say("x", generationConfig=config))
    assert (ask.thinks, ask.shows_thoughts, ask.most_tokens) == (False, True, 7)
    assert read(say("x")).thinks is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff{}"])
def test_a_body_that_is_not_an_object_is_a_400(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        decode(body)
    assert (caught.value.status, caught.value.reason) == (400, "INVALID_ARGUMENT")


@given(st.dictionaries(_NAMES, _JSON, max_size=5))
def test_any_object_is_read_or_refused(document: dict[str, Any]) -> None:
    for reader in (read, count_prompt):
        with contextlib.suppress(Refusal):
            reader(decode(msgspec.json.encode(document)))


@pytest.mark.parametrize("wrong", [{"contents": 1}, {"contents": ["x"]}, say("x", tools="x"), {}])
def test_a_field_of_the_wrong_shape_is_a_400(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        read(wrong)
    assert caught.value.status == 400


def test_count_tokens_takes_contents_or_a_whole_request() -> None:
    bare, wrapped = say("one two three"), {"generateContentRequest": say("one two three")}
    assert count_prompt(bare) == count_prompt(wrapped) == TokenTally(text=3)


def test_search_and_functions_are_declared_and_a_call_may_be_forced() -> None:
    declared = [{"name": "get_weather", "parameters": {"type": "OBJECT"}}, {"name": "f"}]
    tools = [{"google_search": {}}, {"functionDeclarations": declared}]
    ask = read(say("x", tools=tools, toolConfig={"functionCallingConfig": {"mode": "ANY"}}))
    assert (ask.search_allowed, ask.code_allowed, ask.forced) == (True, False, True)
    assert [function.name for function in ask.functions] == ["get_weather", "f"]
    assert not read(say("x")).forced


def test_the_result_of_a_function_is_noticed() -> None:
    result = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"n": 1}}}]}
    assert read({"contents": [result]}).answered
    assert not read(say("x")).answered


def test_a_known_cache_brings_its_tokens_and_its_tools() -> None:
    cache = say("one two three", tools=[{"googleSearch": {}}])
    ask = read(say("x", cachedContent="projects/p/locations/l/cachedContents/c"), {"c": cache})
    assert (ask.search_allowed, ask.code_allowed) == (True, False)
    assert ask.held == count_content(cache)
    assert ask.held.text > 3
    assert ask.prompt == TokenTally(text=1)


def test_a_continuation_token_is_read() -> None:
    token = Continuation(2, 50).token()
    assert read(say("x", continuationToken=token)).continues == Continuation(2, 50)


def test_the_number_of_candidates_is_read_and_bounded() -> None:
    assert read(say("x", generationConfig={"candidateCount": 3})).candidates == 3
    assert read(say("x")).candidates == 1
    with pytest.raises(Refusal, match="candidateCount"):
        read(say("x", generationConfig={"candidate_count": 9}))


@given(st.integers(0, 100), st.integers(0, 10**9))
def test_a_token_is_read_back(left: int, spent: int) -> None:
    assert Continuation.read(Continuation(left, spent).token()) == Continuation(left, spent)


def test_a_token_may_come_back_in_the_alphabet_of_urls() -> None:
    token = Continuation(3, 77).token()
    assert Continuation.read(token.replace("+", "-").replace("/", "_")) == Continuation(3, 77)


@pytest.mark.parametrize("token", ["x", "aG9wOjE=", "aG9wOi0xOjI=", "é", "aG9wOjE6Mg"])
def test_a_token_that_was_never_given_out_is_a_400(token: str) -> None:
    with pytest.raises(Refusal) as caught:
        Continuation.read(token)
    assert caught.value.status == 400


@given(st.text(max_size=30))
def test_any_token_is_read_or_refused(token: str) -> None:
    with contextlib.suppress(Refusal):
        assert Continuation.read(token).left >= 0

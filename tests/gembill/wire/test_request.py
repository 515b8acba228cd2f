"""What a request asks for: tools, tier, cached content, and which requests are one conversation."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.event import RequestFacts
from gembill.wire.request import declares_code_execution, request_facts
from gembill.wire.turns import Turns

HELLO = {"role": "user", "parts": [{"text": "hello"}]}
REPLY = {"role": "model", "parts": [{"text": "hi"}]}


def ask(**body: object) -> RequestFacts:
    return request_facts(json.dumps(body).encode(), "gemini-2.5-flash")[0]


def turns(body: object, **style: object) -> Turns | None:
    return request_facts(json.dumps(body, **style).encode(), "m")[1]


@pytest.mark.parametrize(
    ("tools", "declared"),
    [
        ([{"codeExecution": {}}], True), ([{"code_execution": {}}], True), ([{"codeExecution": {"x": 1}}], True),
        ([{"googleSearch": {}}, {"codeExecution": {}}], True), ([{"codeExecution": None, "code_execution": {}}], True),
        ([{"codeExecution": None}], False), ([{"code_execution": None, "functionDeclarations": []}], False), ([], False),
        (None, False), ([{"googleSearch": {}}], False), ({"codeExecution": {}}, True), ({"codeExecution": None}, False), (["codeExecution"], False), ("codeExecution", False),
    ],
)  # fmt: skip
def test_code_execution_is_declared_by_a_tool_that_is_not_null(tools, declared):
    assert declares_code_execution(tools) is declared
    assert ask(tools=tools).declared is declared


def test_what_a_cache_declares_is_not_known():
    for name in ("cachedContent", "cached_content"):
        facts = ask(**{name: "cachedContents/c1"})
        assert (facts.declared, facts.cached_content) == (None, "cachedContents/c1")
    assert ask(cachedContent="cachedContents/c1", tools=[{"codeExecution": {}}]).declared is True
    assert ask(cachedContent="").declared is False


@pytest.mark.parametrize("name", ["serviceTier", "service_tier"])
def test_the_tier_is_read_in_either_spelling(name):
    assert ask(**{name: "SERVICE_TIER_FLEX"}).service_tier == "SERVICE_TIER_FLEX"
    assert ask(**{name: None}).service_tier is None
    assert ask(**{name: {"a": 1}}).service_tier is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"not json",
        b"[]",
        b'"x"',
        b'{"contents": [',
        b"[" * 100_000,
        b'{"contents":' + b"[" * 100_000,
        b"\xff",
    ],
)
def test_of_a_body_that_cannot_be_read_nothing_is_claimed(body):
    nothing = RequestFacts(model="gemini-2.5-flash", unread=body is not None)
    assert request_facts(body, "gemini-2.5-flash") == (nothing, None)


def test_the_model_is_that_of_the_path():
    assert ask(model="models/other").model == "gemini-2.5-flash"


@pytest.mark.parametrize(
    ("contents", "count"),
    [([HELLO], 1), ([HELLO, REPLY, HELLO], 3), ([], 0), (HELLO, 1), (None, 0), ("hello", 0), (5, 0)],
)
def test_turns_are_the_contents_sent(contents, count):
    body = {"contents": contents}
    assert ask(**body).turns == count
    assert (turns(body) is not None) == (count > 0)


def test_one_object_stands_for_a_list_of_tools():
    assert ask(contents=[HELLO], tools={"code_execution": {}}).declared


def test_a_member_that_is_not_what_it_should_be_hides_no_other():
    facts = ask(contents=[HELLO, 5], tools=5, cachedContent="cachedContents/c", serviceTier=[])
    assert facts == RequestFacts(model="gemini-2.5-flash", cached_content="cachedContents/c", turns=2)
    assert ask(contents=7, tools=[5, {"codeExecution": {}}], service_tier="flex").service_tier == "flex"
    assert ask(contents=7, tools=[5, {"codeExecution": {}}]).declared is True


def test_null_in_one_spelling_leaves_the_word_to_the_other():
    assert ask(cachedContent=None, cached_content="c", serviceTier=None, service_tier="flex") == RequestFacts(
        model="gemini-2.5-flash", cached_content="c", service_tier="flex", turns=0
    )


def test_a_request_with_single_quotes_and_bare_names_is_read():
    assert request_facts(b"{contents: [{'parts': [],}], tools: [{codeExecution: {}}]}", "m")[0] == RequestFacts(
        model="m", declared=True, turns=1
    )


def test_lone_surrogates_cost_nothing():
    """JavaScript clients send them where a text was cut inside an emoji."""
    broken = {"role": "user", "parts": [{"text": "half of \ud83d"}]}
    first = {"contents": [broken], "tools": [{"codeExecution": {}}]}
    assert (ask(**first).declared, ask(**first).turns) == (True, 1)
    later = {"tools": [], "contents": [dict(reversed(broken.items())), REPLY, HELLO]}
    assert turns(later, indent=2).before.prompt == turns(first).prompt


_text = st.text(max_size=12)
_content = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "model"]), "parts": st.lists(st.fixed_dictionaries({"text": _text}), max_size=2)}
)
_system = st.none() | st.fixed_dictionaries({"parts": st.lists(st.fixed_dictionaries({"text": _text}), max_size=2)})


def shuffled(value: object) -> object:
    if isinstance(value, dict):
        return {name: shuffled(inner) for name, inner in reversed(value.items())}
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


@given(
    st.lists(_content, min_size=1, max_size=3),
    _system,
    st.sampled_from(["systemInstruction", "system_instruction"]),
    st.sampled_from([None, 1]),
)
def test_a_later_turn_repeats_the_prompt_however_it_is_written_and_whatever_the_instruction(
    opening, system, name, indent
):
    opening = [*opening, HELLO]
    first = {"contents": opening}
    later = {**({name: system} if system is not None else {}), "tools": [], "contents": [*opening, REPLY, HELLO]}
    shown = turns(shuffled(later), indent=indent, ensure_ascii=False)
    assert shown == turns(later)
    assert shown.before.prompt == turns(first).prompt
    other = request_facts(json.dumps(first).encode(), "other")[1]
    assert other == turns(first), "the model may change within a chat"

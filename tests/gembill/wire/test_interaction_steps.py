"""Steps of an interaction as parts: sizes and outcomes, never text."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.event import Part
from gembill.wire.interaction_steps import ERROR, OK, completed, delta, parts

MARK = "a-word-of-the-user"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"type": "user_input", "content": [{"type": "text", "text": "hi"}]}, []),
        ({"type": "model_output", "content": [{"type": "text", "text": "four"}]}, [Part(kind="text", chars=4)]),
        ({"type": "thought", "summary": [{"text": "hmm"}, {"text": "ok"}]}, [Part(kind="text", thought=True, chars=5)]),
        ({"type": "thought", "signature": "abc"}, []),
        ({"type": "function_call", "name": "f"}, [Part(kind="function_call")]),
    ],
)
def test_a_step_becomes_the_parts_it_shows(step, expected):
    assert list(parts(step)) == expected


def test_code_keeps_its_id_language_size_and_digest():
    (part,) = parts(
        {"type": "code_execution_call", "id": "c1", "arguments": {"code": "print(1)", "language": "python"}}
    )
    assert (part.kind, part.id, part.language, part.chars) == ("code", "c1", "python", 8)
    assert part.digest


@pytest.mark.parametrize(("is_error", "outcome"), [(True, ERROR), (False, OK), (None, OK)])
def test_a_result_fails_where_it_says_so(is_error, outcome):
    (part,) = parts({"type": "code_execution_result", "call_id": "c1", "result": "42\n", "is_error": is_error})
    assert (part.kind, part.id, part.outcome, part.chars, part.digits) == ("result", "c1", outcome, 3, 2)


def test_code_that_comes_in_pieces_is_the_code_in_one():
    whole = next(parts({"type": "code_execution_call", "id": "c1", "arguments": {"code": "x = 1"}}))
    begun = next(parts({"type": "code_execution_call", "id": "c1"}))
    assert completed(begun, {"arguments": {"code": "x = 1"}}).chars == whole.chars
    assert completed(completed(begun, {"arguments": "x = "}), {"arguments": "1"}).chars == whole.chars


def test_a_delta_of_text_adds_its_characters():
    assert list(delta({"type": "text", "text": "abc"})) == [Part(kind="text", chars=3)]
    assert list(delta({"type": "thought_summary", "content": {"text": "ab"}})) == [
        Part(kind="text", thought=True, chars=2)
    ]
    assert list(delta({"type": "thought_signature", "signature": "x"})) == []


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(MARK),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["content", "text", "summary", "arguments", "code", "result", "data"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)
_types = st.sampled_from(
    [
        "user_input",
        "model_output",
        "thought",
        "code_execution_call",
        "code_execution_result",
        "text",
        "image",
        "function_call",
        "unheard_of",
    ]
)


@given(
    _types,
    st.dictionaries(
        st.sampled_from(["content", "text", "summary", "arguments", "result", "data", "is_error"]), _json, max_size=5
    ),
)
def test_no_text_leaves_and_nothing_odd_raises(kind, members):
    shown = [*parts({"type": kind, **members}), *delta({"type": kind, **members})]
    assert MARK.encode() not in msgspec.json.encode(shown)

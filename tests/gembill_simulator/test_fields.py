"""Typed access to decoded JSON."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import Refusal
from gembill_simulator.fields import decode, entries, entry, integer, text, value

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff{}", b"[" * 5000])
def test_a_body_that_is_not_an_object_is_a_400(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        decode(body)
    assert (caught.value.status, caught.value.reason) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("name", ["maxOutputTokens", "max_output_tokens"])
def test_both_spellings_are_read(name: str) -> None:
    assert value({name: 7}, "maxOutputTokens") == integer({name: 7}, "maxOutputTokens") == 7


@pytest.mark.parametrize(
    "body", [b'{"a": [1, {"b": 2,}, ],\n}', b'{"a": [1, {"b": 2}]}', b'{"a": [1, {"b": 2}\n,\n]\t,\t}']
)
def test_a_comma_may_follow_the_last_entry(body: bytes) -> None:
    assert decode(body) == {"a": [1, {"b": 2}]}


def test_commas_in_texts_stay() -> None:
    assert decode(rb'{"a": ",}", "b": "\",]", "c": "\\",}') == {"a": ",}", "b": '",]', "c": "\\"}


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        (b"{'a': 'b'}", {"a": "b"}),
        (rb"""{'a': 'it\'s "b"\n', }""", {"a": 'it\'s "b"\n'}),
        (b"{a: {b_c : [true, null, 1]}}", {"a": {"b_c": [True, None, 1]}}),
        (b"""{"it's": "{a: 'b'}",}""", {"it's": "{a: 'b'}"}),
    ],
)
def test_texts_may_have_single_quotes_and_names_none(body: bytes, meaning: dict[str, Any]) -> None:
    assert decode(body) == meaning


@pytest.mark.parametrize("body", [b"{,}", b'{"a": [,]}', b'{"a": [1,,]}', b'{"a": 1,', b'{"a": "x,}', b'{"a": "\\'])
def test_other_commas_are_a_400(body: bytes) -> None:
    with pytest.raises(Refusal):
        decode(body)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_a_400(body: bytes) -> None:
    with contextlib.suppress(Refusal):
        assert isinstance(decode(b'{"a": "' + body + b'",}'), dict)


@pytest.mark.parametrize("given_as", [7, "7", 7.0])
def test_a_number_may_come_as_a_string(given_as: object) -> None:
    assert integer({"n": given_as}, "n") == 7


@pytest.mark.parametrize("wrong", ["", "7.5", "seven", 7.5, "9" * 30, float("inf")])
def test_a_string_that_is_not_a_whole_number_is_a_400(wrong: object) -> None:
    with pytest.raises(Refusal):
        integer({"n": wrong}, "n")


def test_absent_fields_are_empty_and_an_integer_is_none() -> None:
    assert (entry({}, "a"), entries({}, "a"), text({}, "a"), integer({}, "a")) == ({}, [], "", None)


def test_one_object_stands_for_a_list_of_one_and_true_is_not_an_integer() -> None:
    assert entries({"parts": {"text": "x"}}, "parts") == [{"text": "x"}]
    with pytest.raises(Refusal):
        integer({"n": True}, "n")


@given(_JSON)
def test_every_value_is_of_the_type_asked_for_or_refused_by_name(field: Any) -> None:
    for reader, wanted in ((entry, dict), (entries, list), (text, str), (integer, int | None)):
        with contextlib.suppress(Refusal):
            assert isinstance(reader({"odd": field}, "odd"), wanted)  # type: ignore[operator]

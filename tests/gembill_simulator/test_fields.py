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
def test_a_body_that_is_no_object_is_a_400(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        decode(body)
    assert (caught.value.status, caught.value.reason) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("name", ["maxOutputTokens", "max_output_tokens"])
def test_both_spellings_are_read(name: str) -> None:
    assert value({name: 7}, "maxOutputTokens") == integer({name: 7}, "maxOutputTokens") == 7


def test_absent_fields_are_empty_and_an_integer_is_none() -> None:
    assert (entry({}, "a"), entries({}, "a"), text({}, "a"), integer({}, "a")) == ({}, [], "", None)


def test_one_object_stands_for_a_list_of_one_and_true_is_no_integer() -> None:
    assert entries({"parts": {"text": "x"}}, "parts") == [{"text": "x"}]
    with pytest.raises(Refusal):
        integer({"n": True}, "n")


@given(_JSON)
def test_every_value_is_of_the_type_asked_for_or_refused_by_name(field: Any) -> None:
    for reader, wanted in ((entry, dict), (entries, list), (text, str), (integer, int | None)):
        with contextlib.suppress(Refusal):
            assert isinstance(reader({"odd": field}, "odd"), wanted)  # type: ignore[operator]

"""Continuation tokens: read back as given, and nothing else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import Refusal
from gembill_simulator.continuation import Continuation, read


@given(st.integers(0, 100), st.integers(0, 10**9))
def test_a_token_is_read_back(left: int, spent: int) -> None:
    assert read(Continuation(left, spent).token()) == Continuation(left, spent)


def test_a_token_may_come_back_in_the_alphabet_of_urls() -> None:
    token = Continuation(3, 77).token()
    assert read(token.replace("+", "-").replace("/", "_")) == Continuation(3, 77)


@pytest.mark.parametrize("token", ["x", "aG9wOjE=", "aG9wOi0xOjI=", "é", "aG9wOjE6Mg"])
def test_another_text_is_a_400(token: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(token)
    assert caught.value.status == 400


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(token: str) -> None:
    with contextlib.suppress(Refusal):
        assert read(token).left >= 0

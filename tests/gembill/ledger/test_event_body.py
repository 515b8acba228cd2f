"""Bodies of events are kept small and come back byte for byte."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.ledger import event_body
from tests.gembill.calls import typical


@given(st.binary(max_size=3000))
def test_what_goes_in_comes_out(body: bytes) -> None:
    assert event_body.inflated(event_body.deflated(body)) == body


def test_a_typical_event_takes_a_quarter_of_its_room() -> None:
    bodies = [entry.body for entry in typical(50)]
    kept = [event_body.deflated(body) for body in bodies]
    assert [event_body.inflated(one) for one in kept] == bodies
    assert sum(map(len, kept)) < sum(map(len, bodies)) / 4


def test_what_an_earlier_version_kept_as_it_was_is_given_as_it_is() -> None:
    assert event_body.inflated(b'{"id":"x"}') == b'{"id":"x"}'


def test_what_is_kept_today_can_be_read_for_ever() -> None:
    kept = bytes.fromhex("0183663c448903cf6318491135a4636b6b01")
    assert event_body.inflated(kept) == b'{"id":"1","api":"gemini","seen":{"usage":"{}","outline":[]}}'


def test_damage_is_an_error_and_no_other_body() -> None:
    with pytest.raises(zlib.error):
        event_body.inflated(b"\x01\xff\xff\xff")

"""Bodies of events are kept small and come back byte for byte."""

import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.ledger import event_body
from tests.gembill.calls import typical

ODD = [b"", b"\0", b'{"id":"a"', b'{"id":"a",', b'{"id":"a",\0', b'{"id":"a","api":"gemini"}', b'{"id":"b",}']
PAIR = [b'{"id":"17","api":"gemini","seen":{"outline":[]}}', b"no JSON"]
KEPT = "9b7444153d73c1d2202254636b6b8f7030e4e52b7805fbfb0100"


@given(st.binary(max_size=3000))
def test_what_goes_in_comes_out(body: bytes) -> None:
    assert event_body.inflated(event_body.deflated(body)) == body


def given_back(events: list[tuple[str, bytes]]) -> list[bytes]:
    """The bodies that the forms and blocks of packed events hold."""
    forms, blocks = event_body.packed(events)
    opened = {digest: event_body.opened(block) for digest, block in blocks.items()}
    bodies = []
    for (event_id, _), form in zip(events, forms, strict=True):
        digest = event_body.block_of(form)
        alone = digest is None
        bodies.append(event_body.inflated(form) if alone else event_body.body_in(opened[digest], form, event_id))
    return bodies


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.binary(max_size=99) | st.sampled_from(ODD)), max_size=9))
def test_what_goes_into_a_block_comes_out(events: list[tuple[str, bytes]]) -> None:
    assert given_back(events) == [body for _, body in events]


def test_many_events_fill_several_blocks_and_a_large_one_stays_alone() -> None:
    large = ("x", Random(1).randbytes(99_000))
    events = [(entry.event_id, entry.body) for entry in typical(100)]
    events = [large, *events, large, ("y", b"{}")]
    assert given_back(events) == [body for _, body in events]
    forms, blocks = event_body.packed(events)
    assert event_body.block_of(forms[0]) is None
    assert 3 <= len(blocks) <= 6


def test_typical_events_together_take_a_seventh_of_their_room() -> None:
    events = [(entry.event_id, entry.body) for entry in typical(500)]
    forms, blocks = event_body.packed(events)
    assert sum(map(len, (*forms, *blocks.values()))) < sum(len(body) for _, body in events) / 6.5


def test_a_block_that_is_kept_today_can_be_read_for_ever() -> None:
    kept = bytes.fromhex(KEPT)
    block = event_body.opened(kept)
    assert [event_body.body_in(block, b"\x02........\x00" + bytes([place]), "17") for place in (0, 1)] == PAIR


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
    for read in (event_body.inflated, event_body.opened):
        with pytest.raises(zlib.error):
            read(b"\x01\xff\xff\xff")

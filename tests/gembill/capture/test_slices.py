"""Long work in short turns: all of it in order, and others have their turn in between."""

import asyncio

import pytest

from gembill.capture import slices
from gembill.capture.slices import in_slices
from tests.gembill.capture.other_turns import OtherTurns


def test_all_is_taken_in_order():
    taken: list[bytes] = []
    asyncio.run(in_slices(taken.append, b"abcdefgh", 3))
    assert taken == [b"abc", b"def", b"gh"]


@pytest.mark.parametrize(("patience", "turns"), [(0.0, 6), (3_600.0, 1)])
def test_others_have_their_turn_after_a_while(patience, turns, monkeypatch):
    monkeypatch.setattr(slices, "PATIENCE", patience)

    async def both() -> int:
        async with OtherTurns() as others:
            await in_slices(lambda _: None, bytes(5), 1)
        return others.count

    assert asyncio.run(both()) == turns


def test_what_is_to_be_done_behind_every_slice_is_awaited():
    taken: list[bytes] = []

    async def each() -> None:
        taken.append(b"|")

    asyncio.run(in_slices(taken.append, b"abcdefgh", 3, each))
    assert b"".join(taken) == b"abc|def|gh|"

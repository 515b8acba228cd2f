"""The plot is a valid PNG."""

import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator.picture import bar_chart
from tests.png import chunks


@given(st.lists(st.integers(-5, 10**30), max_size=100))
def test_any_values_give_a_whole_picture(values: list[int]) -> None:
    (_, header), (kind, data), end = chunks(bar_chart(values))
    width, height = struct.unpack(">II", header[:8])
    assert (kind, end) == (b"IDAT", (b"IEND", b""))
    assert len(zlib.decompress(data)) == height * (1 + width)


def test_a_higher_value_has_more_ink() -> None:
    ink = [zlib.decompress(chunks(bar_chart([value, 100]))[1][1]).count(b"\x40") for value in (10, 50, 100)]
    assert ink[0] < ink[1] < ink[2]


def test_a_filled_picture_is_larger_and_still_whole() -> None:
    filled = chunks(bar_chart([1, 2], filling=5000))
    assert [kind for kind, _ in filled] == [b"IHDR", b"IDAT", b"gbFl", b"IEND"]
    assert len(zlib.compress(filled[2][1])) > 4900

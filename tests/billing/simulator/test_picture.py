"""The plot is a valid PNG."""

import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from billing.simulator.picture import bar_chart


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, position = [], 8
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        kind, data = png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        (check,) = struct.unpack(">I", png[position + 8 + length : position + 12 + length])
        assert check == zlib.crc32(kind + data)
        found.append((kind, data))
        position += 12 + length
    return found


@given(st.lists(st.integers(-5, 10**30), max_size=100))
def test_any_values_give_a_whole_picture(values: list[int]) -> None:
    (_, header), (kind, data), end = chunks(bar_chart(values))
    width, height = struct.unpack(">II", header[:8])
    assert (kind, end) == (b"IDAT", (b"IEND", b""))
    assert len(zlib.decompress(data)) == height * (1 + width)


def test_a_higher_value_has_more_ink() -> None:
    ink = [zlib.decompress(chunks(bar_chart([value, 100]))[1][1]).count(b"\x40") for value in (10, 50, 100)]
    assert ink[0] < ink[1] < ink[2]

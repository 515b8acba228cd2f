"""A small bar chart as a PNG file.

Owns: the picture that a simulated plot returns. Owns no numbers of its own. Invariant: the bytes are a valid PNG
and depend on the values alone. Format: PNG, third edition (W3C), 8-bit greyscale, one IDAT.
"""

import struct
import zlib
from collections.abc import Sequence
from random import Random

_WIDTH, _HEIGHT = 160, 96
_PAPER, _INK = b"\xff", b"\x40"


def bar_chart(values: Sequence[float], filling: int = 0) -> bytes:
    """A PNG of 160 x 96 pixels with one bar per value, at most 80 of them; negative values draw as nothing.

    `filling` bytes that nothing can compress stand in a private chunk, for tests of large answers.
    """
    bars = [max(0.0, float(value)) for value in values[:80]] or [0.0]
    top = max(bars) or 1.0
    heights = [round(bar / top * _HEIGHT) for bar in bars]
    rows = b"".join(b"\0" + _row(heights, _HEIGHT - line) for line in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    filled = _chunk(b"gbFl", Random(filling).randbytes(filling)) if filling else b""
    image = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + image + filled + _chunk(b"IEND", b"")


def _row(heights: Sequence[int], level: int) -> bytes:
    slot = _WIDTH // len(heights)
    bars = b"".join(
        (_INK if height >= level else _PAPER) * max(1, slot - 1) + _PAPER * min(1, slot - 1) for height in heights
    )
    return bars.ljust(_WIDTH, _PAPER)[:_WIDTH]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

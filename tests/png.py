"""PNG files taken apart. Owns: their frame and its checks. Not here: pictures. Invariant: what `chunks` gives is sound."""

import struct
import zlib


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and data of each chunk; AssertionError where signature, lengths or check sums are wrong."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    pieces, position = [], 8
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        kind, data = png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        (check,) = struct.unpack(">I", png[position + 8 + length : position + 12 + length])
        assert check == zlib.crc32(kind + data)
        pieces.append((kind, data))
        position += 12 + length
    return pieces

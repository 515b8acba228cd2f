"""A SQLite write-ahead log seen from outside: how far it was written.

Owns: the count of frames that were committed to a -wal file, read from the frame headers. Not here: checksums, which
SQLite checks. Invariant: only reads. Where SQLite accepts fewer frames than were committed, one in between was damaged,
and every transaction behind it has vanished without a word (reliability.md R11).

Format: https://www.sqlite.org/fileformat2.html, section 4.1. The header's salts are repeated in each frame of the
present generation; a frame that ends a transaction has the database's size in pages, others 0.
"""

import struct
from pathlib import Path

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">4I")
_FRAME_BYTES = 24
_MAGICS = {0x377F0682: "<6I", 0x377F0683: ">6I"}  # and how the words of the checksum are read
_PAGE = 4096  # SQLite's default, where the header cannot be believed


def committed_frames(path: Path) -> int:
    """Frames up to the last commit of the present generation; 0 for a file that is missing or holds none."""
    try:
        log = path.open("rb")
    except FileNotFoundError:
        return 0
    with log:
        head = log.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return 0
        page, salts = _generation(head)
        committed = number = 0
        while len(frame := log.read(_FRAME_BYTES)) == _FRAME_BYTES and len(log.read(page)) == page:
            number += 1
            _, pages, *frame_salts = _FRAME.unpack(frame[: _FRAME.size])
            salts = salts or frame_salts
            if (
                pages and frame_salts == salts
            ):  # others are of an earlier generation, or damaged: those behind still count
                committed = number
        return committed


def _generation(head: bytes) -> tuple[int, list[int]]:
    """Page size and salts; without salts where the header is damaged, and then the first frame's are taken."""
    magic, _, page, _, *salts = _HEADER.unpack(head)[:6]
    if magic not in _MAGICS:
        return _PAGE, []
    first = second = 0
    words = struct.unpack(_MAGICS[magic], head[:24])
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return (page, salts) if (first, second) == _HEADER.unpack(head)[6:] else (_PAGE, [])

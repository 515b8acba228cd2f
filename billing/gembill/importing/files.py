"""Files of recorded exchanges, cut into what holds one exchange each.

Owns: telling the formats apart by content, and the bounds on memory. Not here: the meaning of an object. Invariant:
JSON Lines are never held whole, however long file or line; a line or file that cannot be read is an item that says why.

JSON Lines hold one exchange a line. A HAR file and a case of a corpus are one document, held whole.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from gembill.importing import har, line
from gembill.importing.exported import ExportedCall
from gembill.importing.member import RefusedLine, entries, inner, members_of
from gembill.importing.recorded import ImportDefaults, ImportedExchange
from gembill.wire.json_text import fields

LINE_LIMIT = 64 << 20
DOCUMENT_LIMIT = 256 << 20
_PIECE = 256 * 1024
_HAR = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')


@dataclass(frozen=True, slots=True)
class ImportItem:
    """What holds one exchange: its place in words, its JSON text, how it is read; or why it cannot be."""

    place: str
    text: bytes = b""
    reader: Callable[[bytes, ImportDefaults], ImportedExchange | ExportedCall | None] = line.read
    trouble: str | None = None

    def read(self, assumed: ImportDefaults) -> ImportedExchange | ExportedCall | None:
        """The exchange, or the call of an export; None where it is not a call. Refused where it cannot be used."""
        if self.trouble is not None:
            raise RefusedLine(self.trouble)
        return self.reader(self.text, assumed)


def items(name: str, file: BinaryIO, advance: Callable[[int], object]) -> Iterator[ImportItem]:
    """The items of a file; `advance` gets the number of bytes at each read. A file that breaks off gives an item."""
    try:
        yield from _by_format(name, _pieces(file, advance))
    except OSError as error:
        yield ImportItem(name, trouble=f"it cannot be read any further: {error.strerror}")


def _by_format(name: str, pieces: Iterator[bytes]) -> Iterator[ImportItem]:
    head = next(pieces, b"").removeprefix(b"\xef\xbb\xbf")
    whole_har = _HAR.match(head) is not None
    if not whole_har and not _spread(head):
        yield from _lines(name, chain((head,), pieces))
        return
    document = bytearray(head)
    for piece in pieces:
        document += piece
        if len(document) > DOCUMENT_LIMIT:
            break
    else:
        yield from _document(name, bytes(document), surely=whole_har)
        return
    if whole_har:
        yield ImportItem(name, trouble=f"it is a HAR file of more than {DOCUMENT_LIMIT >> 20} MiB; save it in parts")
    else:
        yield from _lines(name, chain((bytes(document),), pieces))


def _spread(head: bytes) -> bool:
    """Whether a JSON object seems to begin here that goes on behind its first line; a broken first line is not one."""
    first, second, *_ = *head.lstrip().split(b"\n", 2), b""
    return bool(second) and first.count(b"{") > first.count(b"}") and fields(first) is None and fields(second) is None


def _document(name: str, text: bytes, *, surely: bool) -> Iterator[ImportItem]:
    """The items of a text that may be one document; it is read line by line if it is not."""
    try:
        members = members_of(text)
        listed = entries(inner(members, "log"), "entries") if "log" in members else None
    except RefusedLine as refused:
        if surely:
            yield ImportItem(name, trouble=f"it begins like a HAR file, but {refused}")
        else:
            yield from _lines(name, (text,))
        return
    if listed is not None:
        for number, entry in enumerate(listed, 1):
            yield ImportItem(f"{name}, entry {number}", bytes(entry), har.read)
    elif surely:
        yield ImportItem(name, trouble="it begins like a HAR file, but its log has no entries")
    else:
        yield ImportItem(name, text)


def _pieces(file: BinaryIO, advance: Callable[[int], object]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        advance(len(piece))
        yield piece


def _lines(name: str, pieces: Iterable[bytes]) -> Iterator[ImportItem]:
    number, held, over = 1, bytearray(), False
    for piece in pieces:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            yield from _line(name, number, bytes(held + end), over=over)
            number, over = number + 1, False
            held.clear()
        held += rest
        if len(held) > LINE_LIMIT:
            held.clear()
            over = True
    yield from _line(name, number, bytes(held), over=over)


def _line(name: str, number: int, text: bytes, *, over: bool) -> Iterator[ImportItem]:
    place = f"{name}, line {number}"
    if over or len(text) > LINE_LIMIT:
        yield ImportItem(place, trouble=f"it has more than {LINE_LIMIT >> 20} MiB")
    elif text.strip():
        yield ImportItem(place, text)

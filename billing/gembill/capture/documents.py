"""Bytes of a body, in any cut, into the JSON documents they carry. Sans I/O.

Owns: content encodings (gzip, deflate) and framing (server-sent events, a streamed JSON array, one JSON text). Not
here: what of a document is kept (`eliding`), its meaning, and sockets. Invariant: the documents depend on the bytes
alone, never on how they were cut; memory is bounded, whatever the body is.

Lines of server-sent events end with CR, LF or CRLF only: U+2028 and friends inside a line are text (wire.md 5.2).
"""

import zlib
from collections.abc import Callable, Iterator

from gembill.capture.eliding import LONG, Bounds, Elider
from gembill.event import UnreadReason

INFLATED_LIMIT = 128 << 20
_BOM = b"\xef\xbb\xbf"
RESULTS_LIMIT = 8 << 30  # of results of a batch, whose file is at most 2 GB long: each is a call
_PER_LINE = 64  # bytes that a line of an event takes beside its text


class Documents:
    """Feed bytes, take documents. After `close`, `trouble` says why some could not be read, or is None.

    `shortened` says that of some documents only the beginning of a list was kept (TOO_MANY_PARTS), or nothing
    (TOO_LARGE). With `lines` every line is a document (JSON Lines); a body that does not begin with an object is
    `malformed` then. Without `bounds` documents may be of any length. A text that begins with an object is read by
    `framing`, if there is one, else it is one document. `most` bytes are inflated.
    """

    trouble: UnreadReason | None = None
    shortened: UnreadReason | None = None
    _framing: "Framing | None" = None
    _head = b""
    _only = b""  # the one piece so far of what begins with an object: most bodies are one

    def __init__(
        self,
        content_encoding: str = "",
        *,
        lines: bool = False,
        bounds: Bounds | None = Bounds(),  # noqa: B008 (frozen)
        framing: "FramingOf | None" = None,
        most: int = INFLATED_LIMIT,
    ) -> None:
        self._lines = lines
        self._bounds = bounds
        self._of_object = framing or OneText
        self._may_be_whole = not lines and framing is None
        self._inflate = _Inflate(content_encoding, most) if content_encoding not in ("", "identity") else None

    def feed(self, data: bytes) -> list[bytes]:
        """The documents that these bytes complete."""
        if self.trouble:
            return []
        if self._inflate is None:
            return self._frame(data)
        documents: list[bytes] = []
        try:
            for piece in self._inflate.feed(data):
                documents += self._frame(piece)
        except _Unreadable as unreadable:
            self.trouble = unreadable.reason
        return documents

    def passes_over(self, data: bytes) -> bool:
        """Whether this is the middle of a long string and nothing else: then it is taken, which is quick."""
        return self._inflate is None and self._framing is not None and self._framing.passes_over(data)

    def close(self) -> list[bytes]:
        """The documents that only the end of the body completes."""
        if self._only:
            return [self._only]
        return self._framing.close() if self._framing else []

    def _frame(self, data: bytes) -> list[bytes]:
        if self._framing is not None:
            return self._framing.feed(data)
        if self._only:
            data, self._only = self._only + data, b""
        elif data[:1] == b"{" and self._may_be_whole and not self._head and len(data) <= LONG:
            self._only = data
            return []
        data = (self._head + data).removeprefix(_BOM)
        start = data.lstrip()
        if not start or _BOM.startswith(start):
            self._head = start
            return []
        if self._lines and start[:1] != b"{":
            self.trouble = UnreadReason.MALFORMED
            return []
        kind = _Lines if self._lines else self._kind(start[:1])
        elements = kind is _Array
        self._framing = kind(lambda: Elider(self._bounds, self._shorten, elements=elements), self._shorten)
        return self._framing.feed(data)

    def _kind(self, first: bytes) -> "FramingOf":
        if first == b"{":
            return self._of_object
        return _Array if first == b"[" else _Events

    def _shorten(self, reason: UnreadReason) -> None:
        if self.shortened is not UnreadReason.TOO_LARGE:
            self.shortened = reason


class _Unreadable(Exception):
    """The body cannot be read any further."""

    def __init__(self, reason: UnreadReason) -> None:
        super().__init__(reason)
        self.reason = reason


class _Inflate:
    """gzip (any number of members) or deflate, in pieces of at most `LONG` bytes, bounded in all."""

    def __init__(self, encoding: str, most: int) -> None:
        self._most = most
        self._bits = {"gzip": 31, "x-gzip": 31, "deflate": 15}.get(encoding)
        self._member = zlib.decompressobj(self._bits) if self._bits else None
        self._total = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._member is None or self._bits is None:
            raise _Unreadable(UnreadReason.ENCODING)
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(self._bits)
            spare = self._member.copy()
            try:
                piece = self._member.decompress(data, LONG)
            except zlib.error:
                yield from _sound_part(spare, data)
                raise _Unreadable(UnreadReason.ENCODING) from None
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._total += len(piece)
            if self._total > self._most:
                raise _Unreadable(UnreadReason.TOO_LARGE)
            yield piece


def _sound_part(member: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """What comes before the damage, byte by byte, so that it does not depend on how the bytes were cut."""
    try:
        for byte in data:
            yield member.decompress(bytes((byte,)))
    except zlib.error:
        return


class Framing:
    """What all framings have. `elider` makes one for a document that is long; `note` hears what is left out."""

    def __init__(self, elider: Callable[[], Elider], note: Callable[[UnreadReason], None]) -> None:
        self._new_elider = elider
        self._note = note
        self._long: Elider | None = None
        self._short = bytearray()  # what came of a document or line, as long as that is not long

    def feed(self, data: bytes) -> list[bytes]:
        """The documents that these bytes complete."""
        raise NotImplementedError

    def passes_over(self, _: bytes) -> bool:
        """As `Documents.passes_over`; most framings have to look at every byte."""
        return False

    def close(self) -> list[bytes]:
        """Those that the end completes."""
        raise NotImplementedError


FramingOf = Callable[[Callable[[], Elider], Callable[[UnreadReason], None]], Framing]
"""What makes a framing, given what `Framing` is given."""


class OneText(Framing):
    """One JSON text. Scanned for long strings only once it has outgrown `LONG`: no string can be long before."""

    def feed(self, data: bytes) -> list[bytes]:
        """None: only its end completes it."""
        if self._long is not None:
            self._long.feed(data)
        elif len(self._short) + len(data) > LONG:
            self._long = self._new_elider()
            self._long.feed(bytes(self._short))
            self._long.feed(data)
            self._short.clear()
        else:
            self._short += data
        return []

    def passes_over(self, data: bytes) -> bool:
        """Whether the long string that is open does not end in these bytes."""
        return self._long is not None and self._long.passes_over(data)

    def close(self) -> list[bytes]:
        """The text, if there is any."""
        text = bytes(self._short) if self._long is None else self._long.take()
        return [text] if text and text.strip() else []


class _Array(Framing):
    """A JSON array streamed element by element: every object in it is a document."""

    def __init__(self, elider: Callable[[], Elider], note: Callable[[UnreadReason], None]) -> None:
        super().__init__(elider, note)
        self._elider = elider()

    def feed(self, data: bytes) -> list[bytes]:
        documents: list[bytes] = []
        position = 0
        while position < len(data):
            position = self._elider.feed(data, position, stop_at=1)
            if self._elider.depth == 1 and self._elider.out.endswith((b"}", b"]")):
                text = self._elider.take()
                documents += [] if text is None else [text.lstrip(b"[, \t\r\n")]
        return documents

    def close(self) -> list[bytes]:
        rest = (self._elider.take() or b"").strip(b"[], \t\r\n")
        return [rest] if rest else []


class _Events(Framing):
    """Server-sent events: the data of every event is a document."""

    def __init__(self, elider: Callable[[], Elider], note: Callable[[UnreadReason], None]) -> None:
        super().__init__(elider, note)
        self._data: list[bytes] = []
        self._more = 0  # bytes of the lines of an event behind its first
        self._after_cr = False

    def feed(self, data: bytes) -> list[bytes]:
        documents: list[bytes] = []
        lines, rest = self._lines(data)
        for line in lines:
            if self._short or self._long or len(line) > LONG:
                self._extend(line)
                self._end_line(documents)
            elif not line:
                self._end_event(documents)
            elif line.startswith(b"data:"):
                self._add(line[5:])
        if rest:
            self._extend(rest)
        return documents

    def close(self) -> list[bytes]:
        documents: list[bytes] = []
        self._end_line(documents)
        self._end_event(documents)
        return documents

    def _lines(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The lines that end here, without their ends, and what is there of the next. A last CR may be half a CRLF."""
        if self._after_cr and data.startswith(b"\n"):
            data, self._after_cr = data[1:], False
        lines = data.splitlines()
        if not data:
            return lines, data
        self._after_cr = data.endswith(b"\r")
        return (lines, b"") if data.endswith((b"\r", b"\n")) else (lines[:-1], lines[-1])

    def _extend(self, piece: bytes) -> None:
        if self._long is not None:
            self._long.feed(piece)
            return
        self._short += piece
        if len(self._short) <= LONG:
            return
        if self._short.startswith(b"data:"):
            self._long = self._new_elider()
            self._long.feed(bytes(self._short[5:]))
            self._short.clear()
        else:  # of another field, or of no stream of events
            del self._short[LONG:]

    def _end_line(self, documents: list[bytes]) -> None:
        if self._long is not None:
            text, self._long = self._long.take(), None
            if text is not None:
                self._add(text)
        elif not self._short:
            self._end_event(documents)
        elif self._short.startswith(b"data:"):
            self._add(bytes(self._short[5:]))
        self._short.clear()

    def _add(self, line: bytes) -> None:
        """A line of data; an event has one, and a few more may be."""
        if self._data:
            self._more += len(line) + _PER_LINE
            if self._more > LONG:
                return
        self._data.append(line)

    def _end_event(self, documents: list[bytes]) -> None:
        if self._more:
            if self._more > LONG:
                self._note(UnreadReason.TOO_LARGE)
                self._data.clear()
            self._more = 0
        text = b"\n".join(self._data).strip()
        self._data.clear()
        if text and text != b"[DONE]":
            documents.append(text)


class _Lines(Framing):
    """JSON Lines: every line that is not empty is a document. A string in JSON holds no line end.

    A line of which too much was left out is an empty document, so that it has its place.
    """

    def feed(self, data: bytes) -> list[bytes]:
        documents: list[bytes] = []
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._extend(piece)
            documents += self.close()
        self._extend(rest)
        return documents

    def close(self) -> list[bytes]:
        text = bytes(self._short) if self._long is None else self._long.take()
        self._short.clear()
        self._long = None
        if text is None:
            return [b""]
        text = text.strip()
        return [text] if text else []

    def _extend(self, piece: bytes) -> None:
        if self._long is not None:
            self._long.feed(piece)
            return
        self._short += piece
        if len(self._short) > LONG:
            self._long = self._new_elider()
            self._long.feed(bytes(self._short))
            self._short.clear()

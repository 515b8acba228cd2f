"""Bytes of a body, in any cut, into the JSON documents they carry. Sans I/O.

Owns: content encodings (gzip, deflate), framing (server-sent events, a streamed JSON array, one JSON text) and the
bound on memory: strings over `LONG` bytes are elided as they pass. Not here: the meaning of a document, and sockets.
Invariant: the documents depend on the bytes alone, never on how they were cut.

Of an elided string its size and a digest survive (`wire.json_text.elided`): of its beginning and of the CRC-32 of all,
because to hash all of it would cost more than to relay it. Lines of server-sent events end with CR, LF or CRLF only:
U+2028 and friends inside a line are text (wire.md 5.2).
"""

import re
import zlib
from collections.abc import Iterator
from hashlib import blake2b
from zlib import crc32

from gembill.event import UnreadReason
from gembill.wire.json_text import elided

LONG = 64 * 1024
INFLATED_LIMIT = 128 << 20

_STRUCTURE = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'["\\]')
_NEAR, _WINDOW = 1024, 16 * 1024
# Whole short strings without escapes, and all between them; some at a time, so that little is kept for backtracking. No
# possessive quantifiers, although nothing can match otherwise: before Python 3.11.5 they match wrongly (gh-106052).
_PLAIN = re.compile(rb'(?:[^"]*"[^"\\]{0,1024}"){0,256}')
_QUOTE, _BACKSLASH, _OPEN, _CLOSE = ord('"'), ord("\\"), b"{[", b"}]"


class Documents:
    """Feed bytes, take documents. After `close`, `trouble` says why some could not be read, or is None.

    With `lines` every line is a document (JSON Lines); a body that does not begin with an object is `malformed` then.
    """

    trouble: UnreadReason | None = None
    _framing: "_Events | _Array | _Text | _Lines | None" = None
    _head = b""

    def __init__(self, content_encoding: str = "", *, lines: bool = False) -> None:
        self._lines = lines
        self._inflate = _Inflate(content_encoding) if content_encoding not in ("", "identity") else None

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

    def close(self) -> list[bytes]:
        """The documents that only the end of the body completes."""
        return self._framing.close() if self._framing else []

    def _frame(self, data: bytes) -> list[bytes]:
        if self._framing is None:
            data = (self._head + data if self._head else data).removeprefix(b"\xef\xbb\xbf")
            start = data.lstrip()
            if not start or b"\xef\xbb\xbf".startswith(start):
                self._head = start
                return []
            if self._lines and start[:1] != b"{":
                self.trouble = UnreadReason.MALFORMED
                return []
            if self._lines:
                self._framing = _Lines()
            else:
                self._framing = _Text() if start[:1] == b"{" else _Array() if start[:1] == b"[" else _Events()
        return self._framing.feed(data)


class _Unreadable(Exception):
    """The body cannot be read any further."""

    def __init__(self, reason: UnreadReason) -> None:
        super().__init__(reason)
        self.reason = reason


class _Inflate:
    """gzip (any number of members) or deflate, in pieces of at most `LONG` bytes, bounded in all."""

    def __init__(self, encoding: str) -> None:
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
            if self._total > INFLATED_LIMIT:
                raise _Unreadable(UnreadReason.TOO_LARGE)
            yield piece


def _sound_part(member: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """What comes before the damage, byte by byte, so that it does not depend on how the bytes were cut."""
    try:
        for byte in data:
            yield member.decompress(bytes((byte,)))
    except zlib.error:
        return


class _Elider:
    """Copies JSON text and replaces the content of every string over `LONG` bytes; knows its depth."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.depth = 0
        self._string_start: int | None = None
        self._escaped = False
        self._digest: blake2b | None = None
        self._sum = 0
        self._length = 0

    def feed(self, data: bytes, position: int = 0, *, stop_at: int = -1) -> int:
        """Copy from `position`, at most to behind the bracket that brings the depth to `stop_at`; where it stopped."""
        while position < len(data):
            if self._string_start is not None:
                position = self._in_string(data, position)
                continue
            if stop_at < 0:
                position = self._copy_to_string(data, position)
                continue
            match = _STRUCTURE.search(data, position)
            end = match.end() if match else len(data)
            self.out += data[position:end]
            position = end
            if match and self._structure(data[end - 1]) and self.depth == stop_at:
                break
        return position

    def _copy_to_string(self, data: bytes, position: int) -> int:
        """Copy up to the next string that may be long or has escapes, without counting the depth."""
        plain = _PLAIN.match(data, position)
        begin = plain.end() if plain else position
        quote = data.find(b'"', begin)
        end = len(data) if quote < 0 else quote + 1
        self.out += data[position:end]
        if quote >= 0:
            self._string_start, self._length = len(self.out), 0
        return end

    def _structure(self, byte: int) -> bool:
        """Take one structural byte; True for a closing bracket."""
        if byte == _QUOTE:
            self._string_start, self._length = len(self.out), 0
        elif byte in _OPEN:
            self.depth += 1
        else:
            self.depth -= 1
            return True
        return False

    def _in_string(self, data: bytes, position: int) -> int:
        if self._escaped:
            self._escaped = False
            self._take(data[position : position + 1])
            return position + 1
        end = _string_end(data, position)
        self._take(data[position:end])
        if end == len(data):
            return end
        if data[end] == _BACKSLASH:
            self._take(b"\\")
            self._escaped = True
        else:
            self._end_string()
        return end + 1

    def _take(self, piece: bytes) -> None:
        """Keep a piece of the string we are in, or only sum it up once the string has grown long."""
        self._length += len(piece)
        if self._digest is not None:
            self._sum = crc32(piece, self._sum)
        elif self._length <= LONG:
            self.out += piece
        else:
            begun = bytes(self.out[self._string_start :])
            del self.out[self._string_start :]
            self._digest = blake2b((begun + piece[:LONG])[:LONG], digest_size=8)
            self._sum = crc32(piece, crc32(begun))

    def _end_string(self) -> None:
        if self._digest is not None:
            self._digest.update(self._sum.to_bytes(4))
            self.out += elided(self._length, self._digest.hexdigest())
            self._digest = None
        self.out += b'"'
        self._string_start = None


def _string_end(data: bytes, position: int) -> int:
    """Where the next quote or backslash is, or the end of the data.

    What is far is looked for by `find`, a hundred times as fast, and in windows, so that it never looks much farther.
    """
    match = _STRING_END.search(data, position, position + _NEAR)
    if match:
        return match.start()
    for start in range(position + _NEAR, len(data), _WINDOW):
        ends = [end for byte in (b'"', b"\\") if (end := data.find(byte, start, start + _WINDOW)) >= 0]
        if ends:
            return min(ends)
    return len(data)


class _Text:
    """One JSON text. Scanned for long strings only once it has outgrown `LONG`: no string can be long before."""

    def __init__(self) -> None:
        self._small = bytearray()
        self._elider: _Elider | None = None

    def feed(self, data: bytes) -> list[bytes]:
        if self._elider is not None:
            self._elider.feed(data)
            return []
        if len(self._small) + len(data) > LONG:
            self._elider = _Elider()
            self._elider.feed(bytes(self._small))
            self._elider.feed(data)
            self._small.clear()
        else:
            self._small += data
        return []

    def close(self) -> list[bytes]:
        text = bytes(self._small if self._elider is None else self._elider.out)
        return [text] if text.strip() else []


class _Array:
    """A JSON array streamed element by element: every object in it is a document."""

    def __init__(self) -> None:
        self._elider = _Elider()

    def feed(self, data: bytes) -> list[bytes]:
        documents: list[bytes] = []
        position = 0
        while position < len(data):
            position = self._elider.feed(data, position, stop_at=1)
            if self._elider.depth == 1 and self._elider.out.endswith((b"}", b"]")):
                documents.append(bytes(self._elider.out).lstrip(b"[, \t\r\n"))
                self._elider.out.clear()
        return documents

    def close(self) -> list[bytes]:
        rest = bytes(self._elider.out).strip(b"[], \t\r\n")
        return [rest] if rest else []


class _Events:
    """Server-sent events: the data of every event is a document."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._long: _Elider | None = None
        self._data: list[bytes] = []
        self._after_cr = False

    def feed(self, data: bytes) -> list[bytes]:
        documents: list[bytes] = []
        lines, rest = self._lines(data)
        for line in lines:
            if self._line or self._long or len(line) > LONG:
                self._extend(line)
                self._end_line(documents)
            elif line.startswith(b"data:"):  # this and the next as nearly always
                self._data.append(line[5:])
            elif not line:
                self._end_event(documents)
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
        self._line += piece
        if len(self._line) > LONG and self._line.startswith(b"data:"):
            self._long = _Elider()
            self._long.feed(bytes(self._line[5:]))
            self._line.clear()

    def _end_line(self, documents: list[bytes]) -> None:
        if self._long is not None:
            self._data.append(bytes(self._long.out))
            self._long = None
        elif not self._line:
            self._end_event(documents)
        elif self._line.startswith(b"data:"):
            self._data.append(bytes(self._line[5:]))
        self._line.clear()

    def _end_event(self, documents: list[bytes]) -> None:
        text = b"\n".join(self._data).strip()
        self._data.clear()
        if text and text != b"[DONE]":
            documents.append(text)


class _Lines:
    """JSON Lines: every line that is not empty is a document. A string in JSON holds no line end."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._long: _Elider | None = None

    def feed(self, data: bytes) -> list[bytes]:
        documents: list[bytes] = []
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._extend(piece)
            documents += self.close()
        self._extend(rest)
        return documents

    def close(self) -> list[bytes]:
        text = bytes(self._line if self._long is None else self._long.out).strip()
        self._line.clear()
        self._long = None
        return [text] if text else []

    def _extend(self, piece: bytes) -> None:
        if self._long is not None:
            self._long.feed(piece)
            return
        self._line += piece
        if len(self._line) > LONG:
            self._long = _Elider()
            self._long.feed(bytes(self._line))
            self._line.clear()

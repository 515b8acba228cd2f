"""JSON text as it is kept while a body passes: long strings by size and digest, long lists by their beginning.

Owns: what is left out of a document, so that what is kept of it, and the time to read that, are bounded. Not here:
where a document begins and ends (`documents`). Invariant: what is kept depends on the bytes alone, never on how they
were cut; it is JSON if the whole was.

Of an elided string its size and a digest survive (`wire.json_text.elided`): of its beginning and of the CRC-32 of all,
because to hash all of it would cost more than to relay it. A document with more than `Bounds` is left with the
beginning of its outermost open list, because the usage, by which it is paid, is beside that.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

from gembill.event import UnreadReason
from gembill.wire.json_text import elided

LONG = 64 * 1024
_STRUCTURE = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'["\\]')
_NEAR, _WINDOW = 256, 16 * 1024
# Whole short strings without escapes, and all between them; some at a time, so that little is kept for backtracking. No
# possessive quantifiers, although nothing can match otherwise: before Python 3.11.5 they match wrongly (gh-106052).
_PLAIN = re.compile(rb'(?:[^"]*"[^"\\]{0,1024}"){0,256}')
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)  # each byte is read once
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_QUOTE, _BACKSLASH, _LIST, _OPEN = ord('"'), ord("\\"), ord("["), b"{["
_NO_END = 1 << 62


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is kept of one document: bytes, and as many objects, lists and strings as are read in a few hundredths of a
    second. After a list was cut, `more` bytes in all, for what comes behind it."""

    size: int = 4 << 20
    containers: int = 30_000
    quotes: int = 150_000
    more: int = 64 * 1024
    at_once: int = 256 * 1024  # bytes that are measured at once

    @property
    def certainly_less(self) -> int:
        """A document of so many bytes is within the bounds, whatever it holds."""
        return min(self.size, self.containers, self.quotes)


_BOUNDLESS = Bounds(_NO_END, _NO_END, _NO_END)


class Elider:
    """Copies JSON text into `out` and replaces the content of every string over `LONG` bytes; knows its depth.

    Without `bounds` nothing else is left out; with them `note` hears what was. With `elements` the documents are those
    of a list, whose bracket comes first.
    """

    def __init__(self, bounds: Bounds | None, note: Callable[[UnreadReason], None], *, elements: bool = False) -> None:
        self.out = bytearray()
        self.depth = 0
        self._bounds = bounds
        self._note = note
        self._string_start: int | None = None
        self._escaped = False
        self._digest: blake2b | None = None
        self._sum = 0
        self._length = 0
        self._begin(int(elements))

    def _begin(self, skipped: int) -> None:
        """A document begins, behind so many brackets that are not its own."""
        self._skimmer: _Skimmer | None = None
        self._lost = self._cut = False
        self._counted = 0  # bytes of what is kept whose brackets and quotes were counted
        self._unmeasured = 0  # brackets and quotes of what is kept, also those within strings
        self._measure = _Measure(self._bounds or _BOUNDLESS, skipped)

    def take(self) -> bytes | None:
        """The document so far, None if too much of it was left out; the next one begins."""
        if self._bounds is not None and self._digest is None and len(self.out) > self._bounds.certainly_less:
            depth = self.depth
            self._shorten(self._bounds, -1)
            self.depth = depth
        text = None if self._lost else bytes(self.out)
        self.out.clear()
        self._begin(0)
        return text

    def feed(self, data: bytes, position: int = 0, *, stop_at: int = -1) -> int:
        """Copy from `position`, at most to behind the bracket that brings the depth to `stop_at`; where it stopped."""
        if self._skimmer is not None:
            position = self._skimmer.feed(data, position)
            if position == len(data):
                return position
            self._skimmer = None
        position = self._copy(data, position, stop_at)
        if self._bounds is not None:
            self._count()
            if self._is_long_unmeasured(self._bounds) and self._digest is None:  # else nothing is added
                self._unmeasured = 0
                self._shorten(self._bounds, stop_at)
        return position

    def passes_over(self, data: bytes) -> bool:
        """Whether this is the middle of a string that has grown long: then it is summed up here, as `feed` would."""
        if self._digest is None or self._escaped or b'"' in data or b"\\" in data:
            return False
        self._take(data)
        return True

    def _count(self) -> None:
        """Count what was kept since the last time, and nothing of a string that may still grow long: that is most of a
        long body, and counting is slow."""
        out, begin = self.out, self._counted
        end = len(out) if self._string_start is None else self._string_start
        if end > begin:
            self._unmeasured += sum([out.count(byte, begin, end) for byte in (b"{", b"[", b'"')])
            self._counted = end

    def _is_long_unmeasured(self, bounds: Bounds) -> bool:
        length = len(self.out)
        grown = length - self._measure.position
        return length > self._measure.size or grown > bounds.at_once or self._unmeasured > bounds.containers // 4

    def _shorten(self, bounds: Bounds, stop_at: int) -> None:
        """Where there is too much, leave out the rest of the outermost list, or else of the document."""
        measure = self._measure
        outside = len(self.out) if self._string_start is None else self._string_start - 1
        if self._lost or measure.is_within(self.out, outside):
            return
        text = bytes(self.out)
        self._string_start, self._escaped = None, False  # what is there of a string is fed again
        self._lost = self._cut or not measure.list_depth
        self._note(UnreadReason.TOO_LARGE if self._lost else UnreadReason.TOO_MANY_PARTS)
        self._cut = True
        to_close = measure.depth - measure.list_depth + 1 if not self._lost else measure.depth if stop_at >= 0 else 0
        self._skimmer = _Skimmer(to_close)
        self.depth = stop_at + (1 if self._lost else measure.list_depth)
        del self.out[0 if self._lost else measure.after :]
        self._counted = len(self.out)
        measure.only_more(len(self.out), bounds)
        self.feed(text, measure.end, stop_at=stop_at)

    def _copy(self, data: bytes, position: int, stop_at: int) -> int:
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
        end = string_end(data, position)
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


class _Measure:
    """Measures a document while it grows, as far as it is within the bounds: that is to `end`.

    There `depth` containers are open. `list_depth` is the depth in the outermost open list, 0 without one, and `after`
    is behind the last object or list in that which is whole.
    """

    def __init__(self, bounds: Bounds, skipped: int) -> None:
        self.position = self.end = self.list_depth = self.after = 0
        self.depth = -skipped
        self.size = bounds.size
        self._containers, self._quotes = bounds.containers + skipped, bounds.quotes  # that are left

    def only_more(self, length: int, bounds: Bounds) -> None:
        """After a cut: what is behind it, in the list that was cut, is bounded by its length alone."""
        self.position, self.size = length, length + bounds.more
        self.depth = self.list_depth
        self._containers = self._quotes = _NO_END

    def is_within(self, text: bytearray, upto: int) -> bool:
        """Whether all of it is that is before `upto`, which is outside of a string."""
        containers, quotes, size = self._containers, self._quotes, self.size
        depth, list_depth, after = self.depth, self.list_depth, self.after
        end = min(upto, size)
        for match in _TOKENS.finditer(text, self.position, upto):  # in one loop: this holds up other calls
            at = match.start()
            byte = text[at]
            if byte == _QUOTE:
                quotes -= 2
            elif byte in _OPEN:
                containers -= 1
            if quotes < 0 or containers < 0 or match.end() > size:
                end = min(at, size)  # never within a string
                break
            if byte == _QUOTE:
                continue
            if byte in _OPEN:
                depth += 1
                if byte == _LIST and not list_depth:
                    list_depth, after = depth, at + 1
                continue
            depth -= 1
            if depth == list_depth:
                after = at + 1
            elif depth < list_depth:
                list_depth = 0
        self._containers, self._quotes = containers, quotes
        self.depth, self.list_depth, self.after = depth, list_depth, after
        self.position = self.end = end
        return end == upto


class _Skimmer:
    """Passes over JSON text, to the bracket that closes as many containers as are `open`; if that is 0, over all."""

    def __init__(self, to_close: int) -> None:
        self._to_close = to_close
        self._in_string = self._escaped = False

    def feed(self, data: bytes, position: int) -> int:
        """Where that bracket is in the data from `position` on; the end of the data if it is not there."""
        if not self._to_close:
            return len(data)
        if self._in_string:
            position = self._end_string(data, position)
            if self._in_string:
                return position
        rest = data[position:]
        odd = (len(rest) - len(rest.rstrip(b"\\"))) % 2 == 1
        pieces = rest[: len(rest) - odd].replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        brackets = b"".join(pieces[::2]).translate(None, _NO_BRACKETS)  # those outside of strings
        if not self._closes_in(brackets):
            self._in_string, self._escaped = len(pieces) % 2 == 0, odd
            return len(data)
        for match in _TOKENS.finditer(rest):
            if match[0] in (b"{", b"["):
                self._to_close += 1
            elif match[0] in (b"}", b"]"):
                self._to_close -= 1
                if not self._to_close:
                    return position + match.start()
        raise AssertionError("the brackets were counted")

    def _closes_in(self, brackets: bytes) -> bool:
        """Whether the last container closes among these; else they are counted."""
        closing = brackets.count(b"}") + brackets.count(b"]")
        if closing >= self._to_close:
            left = self._to_close
            for byte in brackets:
                left += 1 if byte in _OPEN else -1
                if not left:
                    return True
        self._to_close += len(brackets) - 2 * closing
        return False

    def _end_string(self, data: bytes, position: int) -> int:
        """Where the string that is open ends, if it does."""
        while position < len(data):
            if self._escaped:
                self._escaped = False
                position += 1
                continue
            end = string_end(data, position)
            if end == len(data):
                return end
            position = end + 1
            self._escaped = data[end] == _BACKSLASH
            if not self._escaped:
                self._in_string = False
                break
        return position


def string_end(data: bytes, position: int) -> int:
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

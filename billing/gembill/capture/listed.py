"""Items of a list deep in one JSON text, each as soon as it is whole. Sans I/O.

Owns: finding such a list by the names that lead to it, and where an item begins and ends. Not here: what an item means.
Invariant: each item is given once with its place, and nothing of it is kept; of the text beside the lists as much as of
any document. Both depend on the bytes alone, never on how they were cut.
"""

import re
from collections.abc import Callable, Collection

from gembill.capture.documents import Framing
from gembill.capture.eliding import Bounds, Elider, string_end
from gembill.event import UnreadReason

Path = tuple[bytes, ...]
Taken = Callable[[Path, int, bytes | None, UnreadReason | None], object]
"""Hears of an item: the path of its list, its place from 0, its text, and what of it was not kept. Without text it was
too large."""

_MARK = re.compile(rb'["{}\[\],:]')
_BETWEEN = re.compile(rb"[\s,]*")
_END_OF_SCALAR = re.compile(rb'["\],]')
_DEEPEST = 8  # names are known to this depth; no list that is looked for is deeper
_LONGEST = 300  # bytes of a name, or of a text that is looked for
_BACKSLASH = ord("\\")


class ListItems(Framing):
    """`taken` hears of the items of the lists at `paths`; `close` gives the text with these lists empty.

    `texts` has the strings at `wanted` that have been passed, as they are between their quotes.
    """

    def __init__(
        self,
        elider: Callable[[], Elider],
        note: Callable[[UnreadReason], None],
        *,
        paths: Collection[Path],
        wanted: Collection[Path] = (),
        taken: Taken,
    ) -> None:
        super().__init__(elider, note)
        self.texts: dict[Path, bytes] = {}
        self._paths, self._wanted, self._taken = frozenset(paths), frozenset(wanted), taken
        self._rest = elider()
        self._names: list[bytes] = []  # of the member under way in each open container
        self._depth = 0
        self._text: bytearray | None = None  # of the string we are in
        self._last = b""  # the string before this place
        self._escaped = False
        self._list: Path | None = None  # of the list we are in
        self._place = 0
        self._item = Elider(Bounds(), self._note_item)
        self._scalar = self._within = False  # whether an item is under way, of which kind
        self._unread: UnreadReason | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """No documents: items go to `taken`."""
        position = 0
        while position < len(data):
            position = self._walk(data, position) if self._list is None else self._pass(data, position)
        return []

    def close(self) -> list[bytes]:
        """The rest of the text."""
        text = self._rest.take()
        return [text] if text and text.strip() else []

    # Beside the lists

    def _walk(self, data: bytes, start: int) -> int:
        """Up to behind the bracket that opens a list that is looked for, or to the end of the data."""
        position = start
        while position < len(data) and self._list is None:
            if self._text is not None:
                position = self._in_string(data, position)
                continue
            match = _MARK.search(data, position)
            position = match.end() if match else len(data)
            if match:
                self._mark(match[0])
        self._rest.feed(data[start:position])
        return position

    def _mark(self, mark: bytes) -> None:
        if mark == b'"':
            self._text = bytearray()
        elif mark == b":":
            self._name(self._last)
        elif mark == b",":
            self._name(b"")
        elif mark in b"]}":
            self._depth -= 1
            del self._names[max(0, self._depth) :]
        elif mark == b"[" and self._path in self._paths:
            self._list, self._place = self._path, 0
        else:
            self._depth += 1
            if self._depth <= _DEEPEST:
                self._names.append(b"")

    @property
    def _path(self) -> Path:
        return tuple(self._names) if self._depth == len(self._names) else ()

    def _name(self, name: bytes) -> None:
        if 0 < self._depth == len(self._names):
            self._names[-1] = name

    def _in_string(self, data: bytes, position: int) -> int:
        """To behind the quote that ends the string, or its next backslash, or the end of the data."""
        assert self._text is not None
        if self._escaped:
            self._escaped = False
            end, ends = position + 1, False
        else:
            end = string_end(data, position)
            self._escaped = end < len(data) and data[end] == _BACKSLASH
            ends = end < len(data) and not self._escaped
            end += self._escaped
        if len(self._text) < _LONGEST:
            self._text += data[position : min(end, position + _LONGEST)]
        if ends:
            self._last, self._text = bytes(self._text), None
            if not self._scalar and (path := self._path) in self._wanted:
                self.texts[path] = self._last
        return end + ends

    # In a list

    def _pass(self, data: bytes, position: int) -> int:
        """To behind an item or the end of the data; at the bracket that closes the list, out of it."""
        if self._scalar:
            return self._pass_scalar(data, position)
        if not self._within:
            match = _BETWEEN.match(data, position)
            position = match.end() if match else position
            if position == len(data):
                return position
            if data[position] in b"]}":
                return self._leave(position)
            self._scalar = data[position] not in b"{["
            self._within = not self._scalar
            return position
        position = self._item.feed(data, position, stop_at=0)
        if self._item.depth == 0 and self._item.out.endswith((b"}", b"]")):
            self._within = False
            self._give(self._item.take())
        return position

    def _leave(self, position: int) -> int:
        """The bracket itself is beside the list again."""
        self._list = None
        self._depth += 1  # the list, which that bracket closes
        if self._depth <= _DEEPEST:
            self._names.append(b"")
        return position

    def _pass_scalar(self, data: bytes, position: int) -> int:
        """An item that is neither object nor list has a place, and nothing to read."""
        if self._text is not None:
            return self._in_string(data, position)
        match = _END_OF_SCALAR.search(data, position)
        if match is None:
            return len(data)
        if match[0] == b'"':
            self._text = bytearray()
            return match.end()
        self._scalar = False
        self._give(b"null")
        return match.start()

    def _give(self, text: bytes | None) -> None:
        assert self._list is not None
        unread, self._unread = self._unread, None
        self._taken(self._list, self._place, text, unread)
        self._place += 1

    def _note_item(self, reason: UnreadReason) -> None:
        if self._unread is not UnreadReason.TOO_LARGE:
            self._unread = reason

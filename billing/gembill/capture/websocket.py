"""Bytes of one direction of a WebSocket, in any cut, into its messages. Sans I/O.

Owns: frames and their masks (RFC 6455), and compression of messages (RFC 7692). Not here: what a message says, and
answering frames of control, which the two ends do. Invariant: what is read depends on the bytes alone, never on how
they were cut; of a message as much is kept as of any document (`eliding`), and reading a slice of bytes takes a time
that grows with the slice alone.
"""

import logging
import zlib
from collections.abc import Callable

from gembill.capture.eliding import LONG, Bounds, Elider
from gembill.event import UnreadReason

MAX_MESSAGE = 32 << 20  # bytes of one message, inflated; a longer one ends the reading

_log = logging.getLogger("gembill.live")
_CONTINUED, _TEXT, _BINARY = 0, 1, 2
_CONTROL = (8, 9, 10)  # close, ping, pong
_FINAL, _PACKED, _RESERVED, _OPCODE = 0x80, 0x40, 0x30, 0x0F
_MASKED, _LENGTH = 0x80, 0x7F
_SYNC = b"\x00\x00\xff\xff"  # what a sender leaves out at the end of a compressed message


class _Unreadable(Exception):
    """The bytes cannot be read any further."""

    def __init__(self, reason: UnreadReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Messages:
    """Feed the bytes of one direction, take its messages; after `trouble` no more are read.

    `shortened` says what was left out of a message that was completed since it was last None.
    """

    trouble: UnreadReason | None = None
    shortened: UnreadReason | None = None

    def __init__(self, *, masked: bool, deflated: bool) -> None:
        self.deflated = deflated
        self._masked = masked
        self._head = bytearray()  # of a frame, until it is whole
        self._frame: _Frame | None = None
        self._packed: bool | None = None  # whether the message under way is compressed; None without one
        self._inflate = zlib.decompressobj(-15)
        self._text = _Text(self._shorten)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete, text and binary alike: the API sends JSON as either."""
        messages: list[bytes] = []
        try:
            while data and self.trouble is None:
                data = self._begin(data) if self._frame is None else self._go_on(self._frame, data)
                if self._frame is not None and not self._frame.left:
                    messages += self._end(self._frame)
                    self._frame = None
        except _Unreadable as error:
            _log.warning("a session is read no further: %s", error.reason)
            self.trouble = error.reason
            self._text.clear()
        return messages

    def _begin(self, data: bytes) -> bytes:
        """Read the head of a frame; the bytes behind it."""
        known = len(self._head)
        missing = _head_length(self._head + data[:2]) - known
        self._head += data[:missing]
        if known < 2 <= len(self._head):
            self._check(self._head[0], self._head[1])
        if len(self._head) == _head_length(self._head):
            self._frame = _Frame(bytes(self._head))
            self._head.clear()
            if not self._frame.control and self._text.length + self._frame.left > MAX_MESSAGE:
                raise _Unreadable(UnreadReason.TOO_LARGE)
        return data[missing:]

    def _check(self, bits: int, second: int) -> None:
        """_Unreadable unless a frame may begin so here."""
        opcode, packed = bits & _OPCODE, bool(bits & _PACKED)
        well = bool(second & _MASKED) == self._masked and not bits & _RESERVED
        if opcode in _CONTROL:
            well &= second & _LENGTH < 126 and bool(bits & _FINAL) and not packed
        elif opcode == _CONTINUED:
            well &= self._packed is not None and not packed
        else:
            well &= opcode in (_TEXT, _BINARY) and self._packed is None and (self.deflated or not packed)
            self._packed = packed
        if not well:
            raise _Unreadable(UnreadReason.MALFORMED)

    def _go_on(self, frame: "_Frame", data: bytes) -> bytes:
        """Read bytes of a frame; those behind it."""
        piece = frame.take(data[: frame.left])
        if not frame.control:
            self._keep(piece)
        return data[len(piece) :]

    def _end(self, frame: "_Frame") -> list[bytes]:
        """The message, if this was its last frame."""
        if frame.control or not frame.final:
            return []
        if self._packed:
            self._keep(_SYNC)
        self._packed = None
        return [self._text.take()]

    def _keep(self, piece: bytes) -> None:
        if not self._packed:
            self._text.feed(piece)
            return
        while piece:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(-15)
            try:
                self._text.feed(self._inflate.decompress(piece, LONG))
            except zlib.error:
                raise _Unreadable(UnreadReason.MALFORMED) from None
            piece = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail

    def _shorten(self, reason: UnreadReason) -> None:
        if self.shortened is not UnreadReason.TOO_LARGE:
            self.shortened = reason


def _head_length(begun: bytes | bytearray) -> int:
    """How long the head of a frame is that begins so; 2 while that is not known."""
    if len(begun) < 2:
        return 2
    return 2 + {126: 2, 127: 8}.get(begun[1] & _LENGTH, 0) + (4 if begun[1] & _MASKED else 0)


class _Frame:
    """A frame under way: `left` bytes of it are still to come."""

    def __init__(self, head: bytes) -> None:
        self.final, self.control = bool(head[0] & _FINAL), head[0] & _OPCODE in _CONTROL
        self._mask = head[-4:] if head[1] & _MASKED else b""
        length = head[2 : len(head) - len(self._mask)]
        self.left = int.from_bytes(length) if length else head[1] & _LENGTH

    def take(self, piece: bytes) -> bytes:
        """The next bytes without their mask."""
        self.left -= len(piece)
        if not self._mask:
            return piece
        key = (self._mask * (len(piece) // 4 + 1))[: len(piece)]
        turn = len(piece) % 4
        self._mask = self._mask[turn:] + self._mask[:turn]  # as the next piece needs it
        return (int.from_bytes(piece) ^ int.from_bytes(key)).to_bytes(len(piece))


class _Text:
    """The text of a message, as it is kept of documents. Where too much of it was left out its beginning stays."""

    def __init__(self, note: Callable[[UnreadReason], None]) -> None:
        self.length = 0
        self._note = note
        self._begun = bytearray()
        self._long: Elider | None = None

    def feed(self, piece: bytes) -> None:
        """The next bytes. _Unreadable where there are too many."""
        self.length += len(piece)
        if self.length > MAX_MESSAGE:
            raise _Unreadable(UnreadReason.TOO_LARGE)
        if self._long is None and self.length > LONG:
            self._long = Elider(Bounds(), self._note)
            self._long.feed(bytes(self._begun))
        if self._long is not None:
            self._long.feed(piece)
        self._begun += piece[: LONG - len(self._begun)]

    def take(self) -> bytes:
        """The text; the next one begins."""
        text = None if self._long is None else self._long.take()
        text = bytes(self._begun) if text is None else text
        self.clear()
        return text

    def clear(self) -> None:
        """Forget what there is."""
        self.length, self._long = 0, None
        self._begun.clear()

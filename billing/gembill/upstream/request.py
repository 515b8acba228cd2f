"""A request on its way to the upstream: its bytes, their framing, and sending them.

Owns: the head's text, the framing of the body (its stated length, or chunked), what must be kept to send it again.
Not here: connections and the pool. Invariant: a head that a server could read as two requests, and a body that is
longer or shorter than its head says, are refused and never sent to the end.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from math import inf

from gembill.upstream.connection import UpstreamConnection
from gembill.upstream.response import Response

Fields = Sequence[tuple[bytes, bytes]]

SLICE = 64 * 1024  # largest single write; smaller ones travel together with the head
_FRAMING = {b"host", b"content-length", b"transfer-encoding"}
_SIZES = {len(name) for name in _FRAMING}


class HeadFields:
    """Header fields of many requests, checked once: all of them in their order, but for the value of Content-Length.

    What that has here, zeros, goes in front of each length. Names that frame a request must be lower case. Raises
    ValueError as `request_head` does.
    """

    __slots__ = ("_after", "_before", "_sized")

    def __init__(self, fields: Fields) -> None:
        sized = [at for at, (name, _) in enumerate(fields) if name == b"content-length"]
        if len(sized) > 1 or any(name in {b"host", b"transfer-encoding"} for name, _ in fields):
            raise ValueError("The fields of a request state its framing themselves.")
        at = sized[0] if sized else len(fields)
        self._sized = bool(sized)
        self._before = _lines(fields[:at]) + (b"content-length: " + _zeros(fields[at][1]) if sized else b"")
        self._after = b"\r\n" + _lines(fields[at + 1 :])

    def lines(self, length: int | None) -> bytes:
        """The lines of a request whose body has this length: 0 for none, None where it is chunked."""
        if self._sized and length is not None:
            return b"%b%d%b" % (self._before, length, self._after)
        if self._sized or length:
            raise ValueError(f"The fields of the request contradict its length, {length}.")
        return self._before


def _zeros(value: bytes) -> bytes:
    if value.strip(b"0"):
        raise ValueError(
            "The length in the fields of many requests is not zeros: it is that of one, and frames no other."
        )
    return value


def request_head(start: bytes, fields: "Fields | HeadFields", length: int | None, *, chunked: bool) -> bytes:
    """Build the head from its first two lines and the fields, in their order.

    The last gate against a request that a server could read as two: raises ValueError, without quoting anything, for
    line breaks, spaces in the target, and a framing that the fields state otherwise than we do.
    """
    if start.count(b"\n") != 2 or start.count(b"\r") != 2 or b"\0" in start or start.count(b" ") != 3:
        raise ValueError("The request's method or target hold a line break, a space or a NUL.")
    if isinstance(fields, HeadFields):
        lines = fields.lines(length)
    else:
        framing = [(name.lower(), value) for name, value in fields if len(name) in _SIZES and name.lower() in _FRAMING]
        if not (_states(framing, length) if framing else not length):
            raise ValueError(
                f"Host, Content-Length or Transfer-Encoding of the request contradict its length, {length}."
            )
        lines = _lines(fields)
    return b"".join((start, lines, b"transfer-encoding: chunked\r\n\r\n" if chunked else b"\r\n"))


def _lines(fields: Fields) -> bytes:
    lines = b"".join([b"%b: %b\r\n" % field for field in fields])
    if lines.count(b"\n") != len(fields) or lines.count(b"\r") != len(fields) or b"\0" in lines:
        raise ValueError("A header field of the request holds a line break or a NUL.")
    return lines


def _states(framing: Fields, length: int | None) -> bool:
    (name, value), more = framing[0], framing[1:]
    return not more and name == b"content-length" and value.isdigit() and int(value) == length


class UpstreamRequest:
    """One request on its way: its head, its body, and as much of that as it takes to begin again.

    `replayable` until more than `replay_bytes` went out of a body that comes in pieces; `bytes` are kept anyway.
    Pieces are pulled from the source by one task, in order, each once, and to its end unless the answer comes first.
    """

    __slots__ = ("_chunked", "_head", "_kept", "_length", "_room", "_source", "_taken", "replayable")

    def __init__(
        self, head: bytes, body: AsyncIterator[bytes] | bytes | None, *, length: int | None, replay_bytes: int
    ) -> None:
        self._head = head
        self._length = length
        self._chunked = body is not None and length is None
        self._source: AsyncIterator[bytes] | None = None
        self._kept: list[bytes] = []
        self._taken = 0
        self._room: float = inf
        self.replayable = True
        if isinstance(body, bytes):
            self._taken = len(body)
            self._kept += [body] if body else ()
        elif body is not None:
            self._source, self._room = body, replay_bytes
        self._check_length(ended=self._source is None)

    def send_at_once(self, connection: UpstreamConnection) -> bool:
        """Send all in one write, if it is small and there; whether that was done."""
        if self._source is not None or self._chunked or self._taken > SLICE:
            return False
        connection.write(b"".join((self._head, *self._kept)))
        connection.sent()
        return True

    @property
    def waits(self) -> bool:
        """Whether a first piece has to be waited for."""
        return self._source is not None and self._length != 0

    async def prepare(self) -> None:
        """Wait for the first piece, so that a slow caller holds no connection and small requests are one write."""
        if self.waits and (piece := await self._pull()):
            self._kept.append(piece)

    async def send(self, connection: UpstreamConnection, answer: Response) -> None:
        """Send all, or stop where the answer begins or fails. Raises ValueError for a body not of its stated length."""
        lead = self._head
        for piece in tuple(self._kept):
            await self._put(connection, answer, lead, piece)
            lead = b""
        self._trim(connection)
        while not self._whole and not answer.outcome_known:
            if piece := await self._next(answer):
                self._kept.append(piece)
                await self._put(connection, answer, b"", piece)
                self._trim(connection)
        if answer.outcome_known:
            return
        if end := lead + (b"0\r\n\r\n" if self._chunked else b""):
            connection.write(end)
        connection.sent()
        if self._source is not None:  # past a sized body's last byte: its source may have work left, or bytes too many
            await self._next(answer)

    @property
    def _whole(self) -> bool:
        return self._source is None if self._length is None else self._taken == self._length

    async def _put(self, connection: UpstreamConnection, answer: Response, lead: bytes, piece: bytes) -> None:
        for part in _slices(piece):
            if answer.outcome_known:
                return
            if self._chunked:
                connection.write(b"".join((lead, b"%x\r\n" % len(part), part, b"\r\n")))
            else:
                connection.write(b"".join((lead, part)) if lead else part)
            lead = b""
            if connection.paused:
                await connection.drain()

    async def _next(self, answer: Response) -> bytes:
        """Pull a piece, unless the answer begins or fails first: then the pull is cancelled as `asyncio.timeout` does.

        That costs no task per request, and an early refusal need not wait for a caller who is slow to send more.
        """
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        answer.interrupt = task.cancel
        try:
            return await self._pull()
        except asyncio.CancelledError:
            if not answer.interrupted or task.cancelling() > before + 1:
                raise
            return b""
        finally:
            answer.interrupt = None
            if answer.interrupted:
                task.uncancel()

    async def _pull(self) -> bytes:
        """Take the next piece that is not empty (an empty chunk would end the body); b"" at the source's end."""
        assert self._source is not None
        async for piece in self._source:
            if piece:
                self._taken += len(piece)
                self._check_length(ended=False)
                return piece
        self._source = None
        self._check_length(ended=True)
        return b""

    def _check_length(self, *, ended: bool) -> None:
        length, taken = self._length, self._taken
        if length is None:
            return
        if taken > length or (ended and taken < length):
            raise ValueError(f"The request's body ended at or went past byte {taken}; its stated length is {length}.")

    def _trim(self, connection: UpstreamConnection) -> None:
        """Forget what need not be sent again: on a fresh connection nothing is, on a used one not too much is kept."""
        if not connection.reused or self._taken > self._room:
            self.replayable = False
            self._kept.clear()


def _slices(piece: bytes) -> Sequence[bytes | memoryview]:
    if len(piece) <= SLICE:
        return (piece,)
    view = memoryview(piece)
    return [view[start : start + SLICE] for start in range(0, len(piece), SLICE)]

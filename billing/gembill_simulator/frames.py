"""Answers as the pieces of a body.

Owns: the three forms of a body (one JSON text, server-sent events, a streamed JSON array: wire.md 5.2), the
making of a whole reply from a request, and gzip. Not here: sockets and clocks. Invariant: `reply` is pure; `usage`
of a reply is what a client that reads all its frames learns, or None.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from gembill_simulator import faults, wire
from gembill_simulator.answer import Overrides, compose
from gembill_simulator.request import ParsedRequest
from gembill_simulator.routes import SimulatorRoute
from gembill_simulator.wire import Document, Stamp

_SLICE = 16 * 1024  # a long JSON text leaves in several chunks, as it does from Google


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and the final usage in it; `breaks` ends the connection after the last frame.

    `streams` says that the frames may be sent one by one, `events` that they are server-sent events. `name` is what
    the answer calls itself where it is not the stamp's response id.
    """

    status: int
    frames: tuple[bytes, ...]
    usage: Document | None = None
    tier: str | None = None
    events: bool = False
    breaks: bool = False
    streams: bool = False
    name: str = ""
    kind: str = "application/json; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()


def reply(
    route: SimulatorRoute,
    request: ParsedRequest,
    stamp: Stamp,
    *,
    seed: bytes,
    overrides: Overrides,
    fault: str,
) -> Reply:
    """The reply to a generateContent request. The stamp's tier is the one to serve, or empty for the one asked for."""
    assert route.model is not None
    if fault == "error_chunk" and not route.streams:
        return error(route, 500, wire.error(500, "INTERNAL", "The model broke off in the middle of its answer."))
    script = compose(request, route.model, seed=seed, overrides=overrides)
    stamp = replace(stamp, tier=stamp.tier or request.tier)
    documents = wire.chunks(script, stamp) if route.streams else [wire.answer(script, stamp)]
    made = Reply(
        200,
        tuple(_framed(route, documents)),
        documents[-1]["usageMetadata"],
        stamp.tier if stamp.traffic is None else None,
        route.events,
        streams=route.streams,
    )
    return spoilt(made, fault, _trouble(route))


def spoilt(made: Reply, fault: str, trouble: bytes) -> Reply:
    """What a fault leaves of a reply; `trouble` is a frame with an error object."""
    delivery = faults.spoil(fault, made.frames, trouble=trouble, streamed=made.streams)
    usage = made.usage if delivery.whole else None
    return replace(made, frames=delivery.frames, usage=usage, breaks=delivery.breaks)


def plain(status: int, document: Document, *, array: bool = False) -> Reply:
    """A reply of one JSON document; errors of a JSON array stream are an array of one."""
    return Reply(status, sliced([document] if array else document))


def error(route: SimulatorRoute, status: int, document: Document) -> Reply:
    """An error in place of an answer, in the shape of its surface."""
    if route.surface == "interactions":
        return plain(status, wire.interactions_error(document))
    return plain(status, document, array=(route.streams and not route.events) or route.surface == "completions")


def sliced(document: Document | list[Document]) -> tuple[bytes, ...]:
    """A JSON text as frames."""
    text = _pretty(document)
    return tuple(text[start : start + _SLICE] for start in range(0, len(text), _SLICE))


class Packer:
    """Frames as they travel: compressed so that each can be read when it arrives, or as they are."""

    def __init__(self, *, gzip: bool) -> None:
        self._compressor = zlib.compressobj(1, wbits=31) if gzip else None

    def pack(self, frame: bytes) -> bytes:
        """A frame that others follow."""
        if self._compressor is None:
            return frame
        return self._compressor.compress(frame) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def finish(self, frame: bytes) -> bytes:
        """The last frame."""
        if self._compressor is None:
            return frame
        return self._compressor.compress(frame) + self._compressor.flush()


def _framed(route: SimulatorRoute, documents: Sequence[Document]) -> list[bytes]:
    if route.events:
        return [_event(document) for document in documents]
    if not route.streams:
        return list(sliced(documents[0]))
    frames = [b"\r\n," + _pretty(document) for document in documents]
    frames[0] = b"[" + frames[0][3:]
    frames[-1] += b"\r\n]"
    return frames


def _event(document: Document) -> bytes:
    return b"data: " + msgspec.json.encode(document) + b"\r\n\r\n"


def _trouble(route: SimulatorRoute) -> bytes:
    document = wire.error(503, "UNAVAILABLE", "The model broke off in the middle of its answer.")
    return _event(document) if route.events else b"\r\n," + _pretty(document) + b"\r\n]"


def _pretty(document: Document | list[Document]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2)

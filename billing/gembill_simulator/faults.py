"""The ways in which the simulator misbehaves on request.

Owns: their names, their choice, and what they make of an answer's frames. Not here: sockets. Invariant: without an
option or a control header nothing misbehaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from gembill.errors import ConfigurationError
from gembill_simulator.wire import Document, error

STATUSES = {
    "400": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "401": (401, "UNAUTHENTICATED", "The request does not have valid authentication credentials."),
    "403": (403, "PERMISSION_DENIED", "The caller does not have permission."),
    "404": (404, "NOT_FOUND", "The requested entity was not found."),
    "429": (429, "RESOURCE_EXHAUSTED", "The quota of the simulator is exhausted. Please try again later."),
    "429_spend": (429, "RESOURCE_EXHAUSTED", "The project has exceeded its spend-based rate limit. Try again later."),
    "429_prepaid": (429, "RESOURCE_EXHAUSTED", "The prepayment credits of this account are depleted."),
    "429_cap": (429, "RESOURCE_EXHAUSTED", "The project has exceeded its monthly spending cap."),
    "500": (500, "INTERNAL", "An internal error has occurred."),
    "503": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "504": (504, "DEADLINE_EXCEEDED", "The deadline expired before the answer was ready."),
}
"""Faults that are an error answer: name -> HTTP status, Google's name for it, text.

A 429 has four meanings, which only its text tells apart (wire.md 5.4).
"""

OTHERS = {
    "ok": "no fault",
    "cut": "the connection ends in the middle of the answer",
    "reset": "the connection is reset before any answer",
    "hang": "no answer comes for ten minutes",
    "garbage": "an answer, or one chunk of it, is not JSON",
    "echo_key": "a 400 whose text repeats the API key that was presented",
    "error_chunk": "an error object comes in the middle of a stream (a unary answer is a 500)",
}
"""The other faults, with what they do."""

_BROKEN = b'{"candidates": [{"content": {"parts": [{"text": "'


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault and the share of the requests that get it, between 0 and 1."""

    name: str
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """The frames to send, whether the last one brings the answer's usage, and whether the connection then breaks."""

    frames: tuple[bytes, ...]
    whole: bool = True
    breaks: bool = False


def known(name: str) -> bool:
    """Whether there is a fault of this name."""
    return name in STATUSES or name in OTHERS


def parse(text: str) -> InjectedFault:
    """`NAME` or `NAME:RATE` (`503:0.1`); raises ConfigurationError for anything else."""
    name, colon, rate = text.partition(":")
    if not known(name):
        raise ConfigurationError(f"There is no fault {name!r}; choose one of {', '.join((*STATUSES, *OTHERS))}.")
    try:
        share = float(rate) if colon else 1.0
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ConfigurationError(f"The rate of fault {text!r} must be a number from 0 to 1.")
    return InjectedFault(name, share)


def pick(faults: Sequence[InjectedFault], lot: float) -> str:
    """The fault that a lot in [0, 1) falls on, or `ok`. The rates share the range out in their order."""
    for fault in faults:
        if lot < fault.rate:
            return fault.name
        lot -= fault.rate
    return "ok"


def refusal(name: str, key: str) -> tuple[int, Document] | None:
    """HTTP status and error document of a fault that is an error answer, else None; `key` is the one presented."""
    if name == "echo_key":
        return 400, error(400, "INVALID_ARGUMENT", f"API key not valid: {key}", [{"reason": "API_KEY_INVALID"}])
    if name not in STATUSES:
        return None
    status, word, text = STATUSES[name]
    retry = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}] if status == 429 else None
    return status, error(status, word, text, retry)


def spoil(name: str, frames: Sequence[bytes], *, trouble: bytes, streamed: bool) -> Delivery:
    """What a fault leaves of an answer. `trouble` is a frame with an error object."""
    half = ceil(len(frames) / 2)
    if name == "cut":
        kept = tuple(frames[:half]) if len(frames) > 1 else (frames[0][: len(frames[0]) // 2],)
        return Delivery(kept, whole=False, breaks=True)
    if name == "garbage":
        broken = frames[half - 1].partition(b"{")[0] + _BROKEN + (b"\r\n\r\n" if streamed else b"")
        return Delivery((*frames[: half - 1], broken, *frames[half:]), whole=streamed and len(frames) > 1)
    if name == "error_chunk":
        return Delivery((*frames[:half], trouble), whole=False)
    return Delivery(tuple(frames))

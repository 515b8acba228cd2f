"""The demo's made-up month: seeded calls at fixed times, recorded as real ones are.

Owns: how many calls of which kind the month has. Owns no answer (the simulator composes them) and no posting.
Invariant: the same seed gives the same tokens, executions and costs; every call goes through the same exchange, spool
and posting as recorded traffic.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from uuid_utils import uuid7

from billing.capture.caller import Caller
from billing.capture.exchange import Exchange
from billing.capture.fingerprint import Fingerprint
from billing.capture.spool import Spool
from billing.model import Api, Ending, Operation
from billing.simulator.answer import compose
from billing.simulator.models import MODELS
from billing.simulator.request import read
from billing.simulator.wire import Stamp, answer, chunks
from billing.wire.path import Route

MONTH = "2026-10"
CALLS = 1_500
_START = datetime(2026, 10, 1, tzinfo=ZoneInfo("America/Los_Angeles"))
_DAYS = 31
_TEAMS = ("search", "data-qa", "report-bot", "ci")
_WEIGHTS = {
    "gemini-3-flash-preview": 48,
    "gemini-3.1-flash-lite": 30,
    "gemini-3.1-pro-preview": 14,
    "gemini-2.5-flash": 8,
}
_TASKS = (
    "Compute the first {n} primes and their sum.",
    "Calculate the average of 1 to {n}.",
    "Plot the squares of 1 to {n}.",
    "Compute the digits of {n} and add them up.",
    "Summarise this note in {n} words, please.",
)
_NEW_MODEL = "gemini-5-preview"  # no price list knows it: reports have to say so


@dataclass(frozen=True, slots=True)
class _Made:
    """One made-up call."""

    at: datetime
    model: str
    team: str
    task: str
    streamed: bool
    fate: str  # ok, refused, cut, unpriced


def record_month(spool: Spool, fingerprint: Fingerprint, seed: int = 7, count: int = CALLS) -> None:
    """Append the month's events to a spool."""
    dice = Random(seed)  # noqa: S311 - made-up traffic, not a secret
    plan = sorted(_plan(dice, count), key=lambda made: made.at)
    asyncio.run(_append(spool, [_event(made, fingerprint, dice) for made in plan]))


async def _append(spool: Spool, events: list[tuple[str, bytes]]) -> None:
    await asyncio.gather(*(spool.append(event_id, body) for event_id, body in events))


def _event(made: _Made, fingerprint: Fingerprint, dice: Random) -> tuple[str, bytes]:
    exchange = _exchange(made, fingerprint)
    ended_us = _microseconds(made.at) + int(dice.uniform(0.8, 9.0) * 1e6)
    ending = _replay(exchange, made, dice)
    return exchange.event_id, exchange.finish(ending, ended_us)


def _plan(dice: Random, count: int) -> Iterator[_Made]:
    for _ in range(count):
        day = dice.randrange(_DAYS)
        weekend = (_START + timedelta(days=day)).weekday() >= 5
        if weekend and dice.random() < 0.6:
            day = max(0, day - 2)
        at = _START + timedelta(days=day, seconds=dice.gauss(14 * 3600, 3 * 3600) % 86_400)
        fate = dice.choices(("ok", "refused", "cut", "unpriced"), (975, 15, 6, 4))[0]
        yield _Made(
            at=at,
            model=dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0],
            team=dice.choices(_TEAMS, (40, 30, 20, 10))[0],
            task=dice.choices(_TASKS, (30, 25, 10, 20, 15))[0].format(n=dice.randrange(5, 400)),
            streamed=dice.random() < 0.4,
            fate=fate,
        )


def _exchange(made: _Made, fingerprint: Fingerprint) -> Exchange:
    caller = Caller(
        (b"made-up-key-of-" + made.team.encode(),), {"team": made.team, "source": "made-up"}, labels_cut=False
    )
    route = Route(Api.GEMINI, Operation.GENERATE_CONTENT, made.model, made.streamed)
    moment = _microseconds(made.at)
    event_id = str(uuid7(nanoseconds=moment * 1_000))
    return Exchange(event_id, moment, route=route, caller=caller, fingerprint=fingerprint)


def _replay(exchange: Exchange, made: _Made, dice: Random) -> Ending:
    """Let the exchange see the request and the answer."""
    context = "Use the table below. " + " ".join(f"row{n}" for n in range(dice.randrange(20, 900)))
    request = {
        "contents": [{"role": "user", "parts": [{"text": f"{context} {made.task}"}]}],
        "tools": [{"codeExecution": {}}],
    }
    exchange.sent(json.dumps(request).encode())
    if made.fate == "refused":
        error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded for requests per minute."}
        exchange.answered(429, [])
        exchange.received(json.dumps({"error": error}).encode())
        return Ending.FINISHED
    exchange.answered(200, [])
    for document in _documents(made, request, dice):
        exchange.received(b"data: " + json.dumps(document).encode() + b"\r\n\r\n")
    return Ending.CUT if made.fate == "cut" else Ending.FINISHED


def _documents(made: _Made, request: dict[str, object], dice: Random) -> list[dict[str, object]]:
    script = compose(read(request), MODELS[made.model], seed=dice.randbytes(16))
    stamp = Stamp(response_id=dice.randbytes(12).hex())
    documents = chunks(script, stamp) if made.streamed else [answer(script, stamp)]
    if made.fate == "unpriced":
        documents = [document | {"modelVersion": _NEW_MODEL} for document in documents]
    return documents[: max(1, len(documents) - 1)] if made.fate == "cut" else documents


def _microseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

"""The demo's made-up month: seeded calls at fixed times, recorded as real ones are.

Owns: how many calls of which kind the month has, and which of them go on from another as the turns of a chat do. Not
here: the answers (the simulator composes them) and rules of posting. Invariant: the same seed gives the same calls:
ids, tokens, executions and costs; every call goes through the same exchange, spool and posting as recorded traffic;
memory is bounded however many calls are asked for.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

from gembill.capture.attribution import Caller
from gembill.capture.context import ContextCache
from gembill.capture.exchange import Exchange
from gembill.capture.fingerprint import Fingerprint, load_secret
from gembill.config import Settings
from gembill.event import Ending
from gembill.ledger import DEMO_SOURCE, open_ledger
from gembill.model import Api, Operation
from gembill.period import zone
from gembill.posting import Poster
from gembill.price_catalog import PricesInForce
from gembill.spool import Spool
from gembill.wire.routes import Route
from gembill_simulator.answer import compose
from gembill_simulator.models import MODELS
from gembill_simulator.request import read
from gembill_simulator.wire import Stamp, answer, chunks

MONTH = "2026-10"
_SEED = 7
_AT_ONCE = 2_000
_START = datetime(2026, 10, 1, tzinfo=zone())
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
_CHATTING = ("data-qa", "report-bot")
_PAUSE = timedelta(minutes=45)  # after which a chat has ended
_TURNS = 8  # a chat has at most so many
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


@dataclass(frozen=True, slots=True)
class _Chat:
    """A chat as far as it has come: when it was answered last, all that was said, and in how many turns."""

    at: datetime
    contents: tuple[object, ...]
    turns: int


class _Chats:
    """The chats that go on, by team and model. No call is added for them and no number drawn: what a call uses is the
    same whether or not it is a turn of one."""

    def __init__(self) -> None:
        self.context = ContextCache()
        self._going: dict[tuple[str, str], _Chat] = {}

    def before(self, made: _Made) -> _Chat | None:
        """The chat that a call goes on from."""
        chat = self._going.get((made.team, made.model))
        if chat is None or chat.turns >= _TURNS or not made.at - _PAUSE <= chat.at <= made.at:
            return None
        return chat

    def answered(self, made: _Made, contents: Sequence[object], documents: Sequence[dict[str, Any]]) -> None:
        """Keep what was said, if the team chats and the answer came to its end."""
        if made.team not in _CHATTING or made.fate == "cut":
            return
        parts = [part for one in documents for part in one["candidates"][0].get("content", {}).get("parts", ())]
        before = self.before(made)
        said = (*contents, {"role": "model", "parts": parts})
        self._going[made.team, made.model] = _Chat(made.at, said, 1 if before is None else before.turns + 1)


def fill(settings: Settings, count: int) -> Iterator[int]:
    """Record the month and post it to the ledger of `settings`, some calls at a time; gives how many."""
    ledger = open_ledger(settings.ledger_url)
    spool = Spool.claim(settings.spool_dir)
    ledger.announce(spool.source_id, DEMO_SOURCE)
    poster = Poster(lambda: ledger, PricesInForce(settings))
    fingerprint = Fingerprint(load_secret(settings.fingerprint_secret, settings.data_folder))
    try:
        for some in record_month(spool, fingerprint, _SEED, count):
            poster.drain(spool)
            yield some
    finally:
        poster.close()
        ledger.close()
        spool.close(10.0)


def record_month(spool: Spool, fingerprint: Fingerprint, seed: int, count: int) -> Iterator[int]:
    """Append the month's events to a spool, some at a time, each time in the order of their moments; gives how many."""
    rng = Random(seed)  # noqa: S311 - made-up traffic, not a secret
    plan, chats = _plan(rng, count), _Chats()
    while some := sorted(islice(plan, _AT_ONCE), key=lambda made: made.at):
        asyncio.run(_append(spool, [_event(made, fingerprint, rng, chats) for made in some]))
        yield len(some)


async def _append(spool: Spool, events: list[tuple[str, bytes]]) -> None:
    await asyncio.gather(*(spool.append(event_id, body) for event_id, body in events))


def _event(made: _Made, fingerprint: Fingerprint, rng: Random, chats: _Chats) -> tuple[str, bytes]:
    exchange = _exchange(made, fingerprint, rng, chats.context)
    ended_us = _microseconds(made.at) + int(rng.uniform(0.8, 9.0) * 1e6)
    ending = _replay(exchange, made, rng, chats)
    return exchange.event_id, exchange.finish(ending, ended_us)


def _plan(rng: Random, count: int) -> Iterator[_Made]:
    for _ in range(count):
        day = rng.randrange(_DAYS)
        weekend = (_START + timedelta(days=day)).weekday() >= 5
        if weekend and rng.random() < 0.6:
            day = max(0, day - 2)
        at = _START + timedelta(days=day, seconds=rng.gauss(14 * 3600, 3 * 3600) % 86_400)
        fate = rng.choices(("ok", "refused", "cut", "unpriced"), (975, 15, 6, 4))[0]
        yield _Made(
            at=at,
            model=rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0],
            team=rng.choices(_TEAMS, (40, 30, 20, 10))[0],
            task=rng.choices(_TASKS, (30, 25, 10, 20, 15))[0].format(n=rng.randrange(5, 400)),
            streamed=rng.random() < 0.4,
            fate=fate,
        )


def _exchange(made: _Made, fingerprint: Fingerprint, rng: Random, context: ContextCache) -> Exchange:
    caller = Caller(
        (b"made-up-key-of-" + made.team.encode(),), {"team": made.team, "source": "made-up"}, labels_cut=False
    )
    route = Route(Api.GEMINI, Operation.GENERATE_CONTENT, made.model, made.streamed)
    moment = _microseconds(made.at)
    event_id = _event_id(moment, rng)
    return Exchange(event_id, moment, route=route, caller=caller, fingerprint=fingerprint, context=context)


def _event_id(moment_us: int, rng: Random) -> str:
    """A UUID of version 7, its random bits from `rng`, so that a made-up call keeps its id (RFC 9562, 5.7)."""
    stamp = moment_us // 1_000 << 80
    return str(UUID(int=stamp | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62)))


def _replay(exchange: Exchange, made: _Made, rng: Random, chats: _Chats) -> Ending:
    """Let the exchange see the request and the answer."""
    context = "Use the table below. " + " ".join(f"row{n}" for n in range(rng.randrange(20, 900)))
    asked = {"role": "user", "parts": [{"text": f"{context} {made.task}"}]}
    request = {"contents": [asked], "tools": [{"codeExecution": {}}]}
    before = chats.before(made)
    contents = [asked] if before is None else [*before.contents, {"role": "user", "parts": [{"text": made.task}]}]
    exchange.sent(json.dumps(request | {"contents": contents}).encode())
    if made.fate == "refused":
        error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded for requests per minute."}
        exchange.answered(429, [])
        exchange.received(json.dumps({"error": error}).encode())
        return Ending.FINISHED
    exchange.answered(200, [])
    documents = _documents(made, request, rng)
    for document in documents:
        exchange.received(b"data: " + json.dumps(document).encode() + b"\r\n\r\n")
    chats.answered(made, contents, documents)
    return Ending.CUT if made.fate == "cut" else Ending.FINISHED


def _documents(made: _Made, request: dict[str, object], rng: Random) -> list[dict[str, object]]:
    script = compose(read(request), MODELS[made.model], seed=rng.randbytes(16))
    stamp = Stamp(response_id=rng.randbytes(12).hex())
    documents = chunks(script, stamp) if made.streamed else [answer(script, stamp)]
    if made.fate == "unpriced":
        documents = [document | {"modelVersion": _NEW_MODEL} for document in documents]
    return documents[: max(1, len(documents) - 1)] if made.fate == "cut" else documents


def _microseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

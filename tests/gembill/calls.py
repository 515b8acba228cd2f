"""Events of calls whose cost can be worked out by hand, posted into a ledger as a spool's would be."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from string import ascii_letters, digits
from typing import Any
from uuid import UUID

import msgspec

from gembill.event import Ending, Event, Part, RequestFacts, ResponseFacts
from gembill.ledger import Ledger
from gembill.model import Api, Operation
from gembill.posting import append, posting
from gembill.price_catalog import PricingTerms
from gembill.spool import SegmentEntry

SPOOL = 77
FLASH = "gemini-3-flash-preview"


def us(text: str) -> int:
    """Microseconds of an instant with offset."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def id_at(text: str) -> str:
    """An id that a call has which was received at that instant (UUIDv7)."""
    return str(UUID(int=us(text) // 1000 << 80 | 7 << 76 | 2 << 62))


def event(number: int, at: str = "2026-11-05T12:00:00+00:00", model: str = FLASH, **more: Any) -> Event:
    """A call that used 1,000 input, 200 intermediate, 300 output and 50 thinking tokens, unless `usage` says otherwise."""
    usage: dict[str, Any] = {
        "promptTokenCount": 1000,
        "toolUsePromptTokenCount": 200,
        "candidatesTokenCount": 300,
        "thoughtsTokenCount": 50,
    } | more.pop("usage", {})
    usage["totalTokenCount"] = sum(
        usage.get(key, 0)
        for key in ("promptTokenCount", "toolUsePromptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    )
    seen = {"usage": json.dumps(usage), "model_version": model, "finish_reason": "STOP"} | more.pop("seen", {})
    return Event(
        id=f"0199a0b0-0000-7000-8000-{number:012x}",
        occurred_us=us(at),
        ended_us=us(at) + 1_000_000,
        api=Api.GEMINI,
        operation=Operation.GENERATE_CONTENT,
        asked=RequestFacts(model=model, service_tier=more.pop("tier", None)),
        ending=Ending.FINISHED,
        http_status=more.pop("http_status", 200),
        seen=ResponseFacts(**seen),
        **more,
    )


def answered(number: int) -> tuple[str, bytes]:
    """Id and stored form of a call's event, as a spool takes them."""
    one = event(number)
    return one.id, msgspec.json.encode(one)


def executed(chars: int, digits: int) -> tuple[Part, ...]:
    """The outline of one execution with a result of that many characters."""
    return (
        Part(kind="code", language="PYTHON", chars=20),
        Part(kind="result", outcome="OUTCOME_OK", chars=chars, digits=digits),
    )


def put(ledger: Ledger, terms: PricingTerms, *events: Event) -> None:
    """Post events as `Poster` does."""
    entries = [
        SegmentEntry(seq=int(one.id[-12:], 16), event_id=one.id, body=msgspec.json.encode(one)) for one in events
    ]
    append(ledger, SPOOL, [posting(entry, SPOOL, terms) for entry in entries], terms.rate)


_TYPICAL = (
    '{"promptTokenCount":%d,"candidatesTokenCount":%d,"totalTokenCount":%d,"promptTokensDetails":'
    '[{"modality":"TEXT","tokenCount":%d}],"toolUsePromptTokenCount":%d,"toolUsePromptTokensDetails":'
    '[{"modality":"TEXT","tokenCount":%d}],"thoughtsTokenCount":%d,"serviceTier":"standard"}'
)


def typical(calls: int) -> Iterator[SegmentEntry]:
    """Calls that ran code, as a proxy's spool keeps them, two hundred a second: all that differs in life differs."""
    random = Random(calls)
    for number in range(calls):
        at, model = 1_793_700_000_000_000 + number * 5_000, random.choice((FLASH, "gemini-2.5-flash"))
        prompt, output, tools, thoughts = (random.randrange(100, most) for most in (3_000, 800, 4_000, 2_000))
        counts = (prompt, output, prompt + output + tools + thoughts, prompt, tools, tools, thoughts)
        asked = RequestFacts(model=model, declared=True, turns=1, conversation=f"c_{random.getrandbits(80):020x}")
        event = Event(
            id=str(UUID(int=at // 1000 << 80 | 7 << 76 | 2 << 62 | random.getrandbits(62))), asked=asked,
            occurred_us=at, ended_us=at + random.randrange(10**6, 10**7), api=Api.GEMINI, http_status=200,
            operation=Operation.GENERATE_CONTENT, ending=Ending.FINISHED, key="k_7f3ac1d2",
            labels={"team": random.choice(("search", "billing", "maps", "support"))},
            seen=ResponseFacts(
                usage=_TYPICAL % counts, outline=_outline(random), documents=1, model_version=model,
                response_id=_word(random, 23), finish_reason="STOP", service_tier="standard", usage_tier="standard",
            ),
        )  # fmt: skip
        yield SegmentEntry(number + 1, event.id, msgspec.json.encode(event))


def _outline(random: Random) -> tuple[Part, ...]:
    """Runs of generated code, mostly one, and the text about them."""
    parts: list[Part] = []
    for _ in range(random.choice((1, 1, 1, 2))):
        name, digest = _word(random, 8), f"{random.getrandbits(64):016x}"
        size, chars = random.randrange(20, 900), random.randrange(2, 90)
        parts.append(Part(kind="code", id=name, language="PYTHON", chars=size, digest=digest))
        parts.append(Part(kind="result", id=name, outcome="OUTCOME_OK", chars=chars, digits=chars // 2))
    return (*parts, Part(kind="text", chars=random.randrange(20, 900)))


def _word(random: Random, length: int) -> str:
    return "".join(random.choices(ascii_letters + digits + "-_", k=length))


def calls_of(work: Callable[[], object]) -> int:
    """How many Python functions a piece of work calls."""
    count = 0

    def counted(_frame: object, kind: str, _arg: object) -> None:
        nonlocal count
        count += kind == "call"

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count

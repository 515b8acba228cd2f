"""Events of calls whose cost can be worked out by hand, posted into a ledger as a spool's would be."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

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

"""Made-up calls for the tests of reports: postings whose price can be worked out by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from uuid_utils import uuid7

from billing.ledger import Ledger, Posting
from billing.model import (
    Api,
    Charge,
    Execution,
    Meter,
    Modality,
    Operation,
    Outcome,
    Rating,
    Reading,
    Record,
    Status,
    Tokens,
)
from billing.money import unit_price

SOURCE = 7
FLASH = "gemini-3-flash-preview"
PRO = "gemini-3.1-pro-preview"
PRICES = {FLASH: ("0.50", "3.00"), PRO: ("2.00", "12.00")}  # dollars per million tokens: input, output
OK, FAILED, LATE = Outcome.OK, Outcome.FAILED, Outcome.DEADLINE_EXCEEDED


def us(text: str) -> int:
    """Microseconds of an instant with offset."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def call(at: str, split: tuple[int, int, int] | None = (0, 0, 0), model: str | None = FLASH, **more: Any) -> Posting:
    """A call at an instant that used (input, intermediate, output) tokens; None: what it used is not known.

    `outcomes` are those of its executions; a model without a price here leaves it unpriced.
    """
    outcomes = more.pop("outcomes", ())
    executions = more.pop("executions", tuple(Execution(outcome=outcome) for outcome in outcomes))
    tokens = Tokens() if split is None else _tokens(split)
    fields = {
        "source_id": SOURCE,
        "id": more.pop("id", None) or str(uuid7()),
        "occurred_us": us(at),
        "ended_us": us(at) + 1_000_000,
        "api": Api.GEMINI,
        "operation": Operation.GENERATE_CONTENT,
        "streamed": True,
        "model": model,
        "requested_model": model,
        "agent": None,
        "service_tier": "standard",
        "key": None,
        "status": Status.UNKNOWN if split is None else Status.COMPLETE,
        "http_status": 200,
        "error": None,
        "finish_reason": "STOP",
        "response_id": "r1",
        "conversation": None,
        "turns": 1,
        "tokens": tokens,
        "declared": True,
        "executions": executions,
        "readings": None if split is None else _readings(split),
        "labels": {},
    }
    record = Record(**{**fields, **more})
    return Posting(seq=None, event_id=record.id, body=b"{}", record=record, rating=_rating(record))


def put(ledger: Ledger, *postings: Posting) -> None:
    """Write calls into a ledger."""
    ledger.append(SOURCE, postings)


def _tokens(split: tuple[int, int, int]) -> Tokens:
    prompt, intermediate, output = split
    return Tokens(input=prompt, intermediate=intermediate, output=output, total=sum(split), cached=0, thinking=0)


def _readings(split: tuple[int, int, int]) -> tuple[Reading, ...]:
    meters = (Meter.INPUT, Meter.INTERMEDIATE, Meter.OUTPUT)
    return tuple(Reading(meter, Modality.TEXT, n) for meter, n in zip(meters, split, strict=True) if n)


def _rating(record: Record) -> Rating:
    if record.readings is None:
        return Rating(known=False) if record.status is not Status.ERROR else Rating()
    if record.model not in PRICES:
        return Rating(unpriced_reason=f"no price is known for the model '{record.model}'")
    into, out = map(unit_price, PRICES[record.model])
    return Rating(
        charges=tuple(
            Charge(
                meter=one.meter,
                modality=one.modality,
                quantity=one.quantity,
                unit_pico=out if one.meter is Meter.OUTPUT else into,
                price_id=f"{record.model}/{one.meter}",
            )
            for one in record.readings
        )
    )

"""Made-up calls for the tests of reports: postings whose price can be worked out by hand."""

from typing import Any

from uuid_utils import uuid7

from gembill.ledger import Ledger, RatedEvent
from gembill.model import Charge, Execution, Meter, Modality, Outcome, Rating, Reading, Record, Status, Tokens
from gembill.money import unit_price
from gembill.posting import append
from tests.gembill.calls import FLASH, us
from tests.gembill.ledger.making import record

__all__ = ["FAILED", "FLASH", "LATE", "OK", "PRICES", "PRO", "SOURCE", "call", "put", "us"]
SOURCE = 7
PRO = "gemini-3.1-pro-preview"
PRICES = {FLASH: ("0.50", "3.00"), PRO: ("2.00", "12.00")}  # dollars per million tokens: input, output
OK, FAILED, LATE = Outcome.OK, Outcome.FAILED, Outcome.DEADLINE_EXCEEDED


def call(at: str, split: tuple[int, int, int] | None = (0, 0, 0), model: str | None = FLASH, **more: Any) -> RatedEvent:
    """A call at an instant that used (input, intermediate, output) tokens; None: what it used is not known.

    `outcomes` are those of its executions; a model without a price here leaves it unpriced.
    """
    executions = tuple(Execution(outcome=outcome) for outcome in more.pop("outcomes", ()))
    fields = {
        "source_id": SOURCE,
        "id": more.pop("id", None) or str(uuid7()),
        "occurred_us": us(at),
        "ended_us": us(at) + 1_000_000,
        "streamed": True,
        "model": model,
        "requested_model": model,
        "key": None,
        "status": Status.UNKNOWN if split is None else Status.COMPLETE,
        "response_id": "r1",
        "conversation": None,
        "tokens": Tokens() if split is None else _tokens(split),
        "executions": executions,
        "readings": None if split is None else _readings(split),
        "labels": {},
    }
    made = record(**{**fields, **more})
    return RatedEvent(seq=None, event_id=made.id, body=b"{}", record=made, rating=_rating(made))


def put(ledger: Ledger, *postings: RatedEvent) -> None:
    """Write calls into a ledger."""
    append(ledger, SOURCE, postings, _rating)


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

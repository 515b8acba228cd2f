"""Postings for tests. Owns: plausible values and their exact prices. Invariant: charges cover the tokens they name."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from gembill import posting as entering
from gembill.ledger import Ledger, RatedEvent
from gembill.model import (
    Api,
    Charge,
    Execution,
    Meter,
    Modality,
    Operation,
    Outcome,
    Rating,
    Record,
    Status,
    Tokens,
)

SPOOL = 77
HOUR = 3_600_000_000
START = 490_000 * HOUR  # a whole hour in November 2025
UNIT = 500_000  # pico-dollars per token


def number(value: int) -> str:
    """An id that sorts like the number."""
    return str(UUID(int=value + (1 << 100)))


def tokens(input: int | None = 100, intermediate: int | None = 40, output: int | None = 60) -> Tokens:  # noqa: A002
    known = [count for count in (input, intermediate, output) if count is not None]
    total = sum(known) if known else None
    return Tokens(input=input, intermediate=intermediate, output=output, total=total, cached=0 if known else None)


def rated(counts: Tokens, unit: int = UNIT, price: str = "p1") -> Rating:
    """Each count at one price; unknown without a prompt count."""
    if counts.input is None:
        return Rating(known=False)
    meters = ((Meter.INPUT, counts.input), (Meter.INTERMEDIATE, counts.intermediate), (Meter.OUTPUT, counts.output))
    return Rating(
        charges=tuple(
            Charge(meter=meter, modality=Modality.TEXT, quantity=quantity, unit_pico=unit, price_id=price)
            for meter, quantity in meters
            if quantity
        )
    )


def runs(*outcomes: Outcome) -> tuple[Execution, ...]:
    return tuple(Execution(outcome=outcome, language="PYTHON", code_chars=12) for outcome in outcomes)


def record(seq: int = 1, **changes: object) -> Record:
    """A complete call; `changes` replace its fields."""
    plain = Record(
        source_id=SPOOL,
        id=number(seq),
        occurred_us=START + seq,
        ended_us=START + seq + 900,
        api=Api.GEMINI,
        operation=Operation.GENERATE_CONTENT,
        streamed=False,
        model="gemini-3-flash-preview",
        requested_model="gemini-3-flash-preview",
        agent=None,
        service_tier="standard",
        key="k_7f3a",
        status=Status.COMPLETE,
        http_status=200,
        error=None,
        finish_reason="STOP",
        response_id="r",
        conversation=f"c{seq}",
        turns=1,
        tokens=tokens(),
        declared=True,
        executions=runs(Outcome.OK),
        readings=None,
        labels={"team": "search"},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def posting(seq: int = 1, rating: Rating | None = None, **changes: object) -> RatedEvent:
    """The event `seq` of the spool and its record."""
    made = record(seq, **changes)
    rating = rated(made.tokens) if rating is None else rating
    return RatedEvent(seq=seq, event_id=number(seq), body=b'{"seq":%d}' % seq, record=made, rating=rating)


NATURAL = -7
LOST: dict[str, object] = {"tokens": Tokens(), "status": Status.UNKNOWN, "executions": ()}


def natural(seq: int, **changes: object) -> RatedEvent:
    """The event `seq` about one interaction that every proxy knows by the same id."""
    return posting(seq, **{"source_id": NATURAL, "id": number(9_000), **changes})


def append(ledger: Ledger, source_id: int, postings: Sequence[RatedEvent]) -> int:
    """Write events as posting does; a record that two answers make together is rated like any other here."""
    return entering.append(ledger, source_id, postings, lambda joined: rated(joined.tokens))

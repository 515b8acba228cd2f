"""What goes into the ledger and what comes out of it.

Owns: the values at its door. Owns no SQL. Invariant: all of them are frozen; cost and cost parts are null together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from gembill.ledger.schema import COST_PARTS
from gembill.model import Charge, Meter, Rating, Record

_PART_OF = {
    Meter.INPUT: "input",
    Meter.CACHED_INPUT: "input",
    Meter.INTERMEDIATE: "intermediate",
    Meter.OUTPUT: "output",
    Meter.THINKING: "output",
    Meter.GROUNDING: "grounding",
}
NATURAL_SOURCES = range(-64, 0)  # records with a natural key live under these (contract.md, Identity)


class Reason(StrEnum):
    """Why a revision of a record was written."""

    POSTED = "posted"
    FULLER_ANSWER = "fuller_answer"
    RERATE = "rerate"
    REPOST = "repost"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedEvent:
    """One event, read and rated. `record.source_id` differs from the spool's source under a natural key.

    `rate` rates the record again once it is joined with what the ledger knows of its call: the call's time decides the
    price, not the poll's. Without it `rating` stands.
    """

    seq: int | None  # place in its spool, from 1; None for imports
    event_id: str
    body: bytes  # the event as JSON, kept for `repost`
    record: Record
    rating: Rating
    rate: Callable[[Record], Rating] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRecord:
    """The current revision of a record as the ledger keeps it; `record.readings` is None, readings are not kept.

    `cost_parts`: input (with cached input), intermediate, output (with thinking), grounding; pico-dollars.
    `conversation_id` is what may be shown: null for a single turn seen once.
    """

    record: Record
    cost_pico: int | None
    cost_parts: dict[str, int | None]
    priced: bool
    unpriced_reason: str | None
    revision: int
    conversation_id: str | None = None

    @property
    def failed_execution_cost_pico(self) -> int | None:
        """The estimate of `contract.md`, Reports: intermediate cost x failed / executions, rounded down."""
        intermediate = self.cost_parts["intermediate"]
        if self.cost_pico is None or intermediate is None:
            return None
        return intermediate * self.record.failed // (len(self.record.executions) or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCharge:
    """A charge as it was written; a reversal has a negative quantity."""

    revision: int
    line: int
    charge: Charge


def part_of(meter: Meter) -> str:
    """The part of the cost a meter belongs to."""
    return _PART_OF[meter]


def meters_of(part: str) -> list[str]:
    """The meters that make up a part of the cost."""
    return [meter.value for meter, name in _PART_OF.items() if name == part]


def stored(record: Record, rating: Rating, revision: int) -> LedgerRecord:
    """A record with its cost, as one revision; flags of rating follow those of the record."""
    cost = rating.cost_pico
    parts: dict[str, int | None] = dict.fromkeys(COST_PARTS, None if cost is None else 0)
    for charge in billed(rating):
        part = part_of(charge.meter)
        parts[part] = (parts[part] or 0) + charge.cost_pico
    return LedgerRecord(
        record=_kept(record, rating),
        cost_pico=cost,
        cost_parts=parts,
        priced=rating.unpriced_reason is None,
        unpriced_reason=rating.unpriced_reason,
        revision=revision,
    )


def billed(rating: Rating) -> tuple[Charge, ...]:
    """The charges that count: none where the cost is unknown."""
    return () if rating.cost_pico is None else rating.charges


def _kept(record: Record, rating: Rating) -> Record:
    flags = tuple(dict.fromkeys((*record.flags, *rating.flags)))
    return replace(record, flags=flags, readings=None, model=record.model or None, key=record.key or None)

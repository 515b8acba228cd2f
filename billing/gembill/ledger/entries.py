"""What goes into the ledger and what comes out of it.

Owns: the values at its door, and the charges that turn what was charged into what should have been. Not here: SQL.
Invariant: values are frozen; cost and cost parts are null together; old charges plus their correction add up to the
new ones line by line, so that a price that no longer applies stays visible in its reversal.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from gembill.model import COST_PARTS, Charge, CostParts, Meter, Rating, Record

_PART_OF = {
    Meter.INPUT: "input",
    Meter.CACHED_INPUT: "input",
    Meter.INTERMEDIATE: "intermediate",
    Meter.OUTPUT: "output",
    Meter.THINKING: "output",
    Meter.GROUNDING: "grounding",
    Meter.MAPS: "grounding",
    Meter.IMAGES: "output",
    Meter.VIDEO_SECONDS: "output",
    Meter.VIDEO_SECONDS_1080P: "output",
    Meter.VIDEO_SECONDS_4K: "output",
    Meter.SILENT_VIDEO_SECONDS: "output",
    Meter.SILENT_VIDEO_SECONDS_1080P: "output",
    Meter.SILENT_VIDEO_SECONDS_4K: "output",
    Meter.STORAGE: "input",
}
_UNKNOWN, _NOTHING = CostParts(), dict.fromkeys(COST_PARTS, 0)
NATURAL_SOURCES = range(-64, 0)  # records with a natural key live under these (contract.md, Identity)
DEMO_SOURCE = "demo"
"""The kind of a source whose calls are made up."""
DEMO_IMPORT = -65
"""The source of no call, of the kind `DEMO_SOURCE`, that a ledger has where made-up calls were imported."""


class Reason(StrEnum):
    """Why a revision of a record was written."""

    POSTED = "posted"
    FULLER_ANSWER = "fuller_answer"
    RERATE = "rerate"
    REPOST = "repost"


class RatedEvent(Struct, frozen=True, kw_only=True, gc=False):
    """One event, read and rated by itself. `record.source_id` differs from the spool's source under a natural key."""

    seq: int | None  # place in its spool, from 1; None for imports
    event_id: str
    body: bytes  # the event as JSON, kept for `repost`
    record: Record
    rating: Rating


class LedgerRecord(Struct, frozen=True, kw_only=True, gc=False):
    """The current revision of a record as the ledger keeps it, without readings and `tier_reported`.

    `conversation_id` is what may be shown: null for a single turn seen once.
    """

    record: Record
    cost_pico: int | None
    cost_parts: CostParts
    priced: bool
    unpriced_reason: str | None
    revision: int
    conversation_id: str | None = None

    @property
    def failed_execution_cost_pico(self) -> int | None:
        """The estimate of `contract.md`, Reports: intermediate cost x failed / executions, rounded down."""
        intermediate = self.cost_parts.intermediate
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


def ledger_record(record: Record, rating: Rating, revision: int) -> LedgerRecord:
    """A record with its cost, as one revision; flags of rating follow those of the record."""
    is_costed = rating.is_costed
    parts = _parts(rating.charges) if is_costed else _UNKNOWN
    return LedgerRecord(
        record=_kept(record, rating),
        cost_pico=sum(parts.amounts) if is_costed else None,  # type: ignore[arg-type]
        cost_parts=parts,
        priced=rating.unpriced_reason is None,
        unpriced_reason=rating.unpriced_reason,
        revision=revision,
    )


def _parts(charges: Iterable[Charge]) -> CostParts:
    parts = _NOTHING.copy()
    for charge in charges:
        parts[_PART_OF[charge.meter]] += charge.quantity * charge.unit_pico
    return CostParts(**parts)


def billed_charges(rating: Rating) -> tuple[Charge, ...]:
    """The charges that count: none where the cost is unknown."""
    return rating.charges if rating.is_costed else ()


def _kept(record: Record, rating: Rating) -> Record:
    flags = tuple(dict.fromkeys((*record.flags, *rating.flags)))
    model, key = record.model or None, record.key or None
    return replace(record, flags=flags, readings=None, tier_reported=False, model=model, key=key)


Line = tuple[str, str, int, str]
"""Meter, modality, unit price, price id: what a quantity is charged under."""


line_of: Callable[[Charge], Line] = attrgetter("meter", "modality", "unit_pico", "price_id")
"""What a charge is charged under."""


def net_lines(charges: Iterable[tuple[Line, int]]) -> dict[Line, int]:
    """Quantity by line; lines that came to nothing are left out."""
    sums: dict[Line, int] = {}
    for line, quantity in charges:
        sums[line] = sums.get(line, 0) + quantity
    return {line: quantity for line, quantity in sums.items() if quantity}


def correction(old: Mapping[Line, int], new: Mapping[Line, int]) -> list[tuple[Line, int]]:
    """Reversals of every line that changed, then the new lines."""
    changed = [line for line in (*old, *(line for line in new if line not in old)) if old.get(line) != new.get(line)]
    reversals = [(line, -old[line]) for line in changed if line in old]
    return reversals + [(line, new[line]) for line in changed if line in new]

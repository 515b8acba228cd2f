"""What Vertex charges more for where a call ran in a region.

Owns: the uplift of a model over its global price, and the price row of a regional call. Not here: which call is
regional (`gembill.rules.rating`) and global prices. Invariant: the id of a regional row says by what it differs from
the global one and leads back to it, as in `gemini-4-argon/input/text/standard/0@2026-10-13/regional=x1.1`, so a ledger
keeps global rows only.

Uplift is on tokens. Fees for searches and Maps, pictures, seconds and storage are the same everywhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from gembill.model import Meter, Price

_UPLIFTED = frozenset((Meter.INPUT, Meter.CACHED_INPUT, Meter.INTERMEDIATE, Meter.OUTPUT, Meter.THINKING))
_SUFFIX = re.compile(r"(.+)/regional=x([0-9]+(?:\.[0-9]+)?)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplift:
    """By what a model's regional endpoints multiply its global price, from one instant (None: ever) to another."""

    model: str
    times: Decimal
    effective_from_us: int | None
    effective_to_us: int | None
    source: str
    checked_on: str

    def holds(self, at_us: int) -> bool:
        """Whether it is in force at an instant."""
        begun = self.effective_from_us is None or self.effective_from_us <= at_us
        return begun and (self.effective_to_us is None or at_us < self.effective_to_us)


def regional_row(row: Price, times: Decimal) -> Price:
    """The row of a regional call: the exact product, or the nearest pico-dollar of a price that has no exact one."""
    if row.meter not in _UPLIFTED:
        return row
    return replace(row, id=f"{row.id}/regional=x{times.normalize():f}", unit_pico=_product(row.unit_pico, times))


def global_id(price_id: str) -> str:
    """The id of the global row behind that of a regional one; any other id is its own."""
    match = _SUFFIX.fullmatch(price_id)
    return match[1] if match else price_id


def is_regional(price_id: str | None) -> bool:
    """Whether a charge was made at a regional price."""
    return price_id is not None and _SUFFIX.fullmatch(price_id) is not None


def row_named(price_id: str, rows: Mapping[str, Price]) -> Price | None:
    """The row an id names among global rows by their ids, itself regional where the id says so; None if not there."""
    row, match = rows.get(global_id(price_id)), _SUFFIX.fullmatch(price_id)
    return row if row is None or match is None else regional_row(row, Decimal(match[2]))


def _product(unit_pico: int, times: Decimal) -> int:
    return int((unit_pico * times).to_integral_value(ROUND_HALF_UP))

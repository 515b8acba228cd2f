"""Which charges of the ledger are on Google's bill exactly as they are here.

Owns: whether a charge is reconciled. Not here: the comparison and exports. Invariant: a charge is reconciled only if
tokens and price of its whole cell, those of its day, model, tier, meter, kind, band and place, are the bill's, to
rounding; what was not compared, because its day is open or no bill has it, is not.
"""

from dataclasses import dataclass

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, bill_days
from gembill.model import Flag, Meter, Modality, Record
from gembill.reconcile.cell import Cell
from gembill.reconcile.comparison import Comparison
from gembill.reconcile.sums import Usage
from gembill.rules.prices import PriceBook
from gembill_reports.analysis.reconciliation import BillScope, pacific_day, reconcile

_LONG = 200_000  # tokens of a prompt


@dataclass(frozen=True, slots=True)
class ReconciledCells:
    """The cells of a comparison that agree, and how a charge finds its own; without a comparison there are none."""

    comparison: Comparison | None
    cells: frozenset[Cell]
    span_of: dict[int, int]

    def holds(self, record: Record, meter: Meter, modality: Modality | None) -> bool:
        """Whether a charge of a call is on the bill as it is here."""
        if self.comparison is None:
            return False
        usage = _usage(record, meter, modality or Modality.TEXT)
        span = self.span_of.get(usage.day)
        return span is not None and self.comparison.naming.of_usage(usage, span) in self.cells


def reconciled_cells(
    ledger: Ledger, book: PriceBook, days: tuple[int | None, int | None], now_us: int
) -> ReconciledCells:
    """What agrees on these days of Google's calendar, both included; None is open."""
    nothing = ReconciledCells(None, frozenset(), {})
    if not bill_days(ledger):
        return nothing
    try:
        one = reconcile(ledger, book, BillScope(now_day=pacific_day(now_us), days=days))
    except ConfigurationError:  # several currencies: nobody chose one
        return nothing
    if one.rate is None:
        return nothing
    agreed = frozenset(cell.cell for cell in one.cells if cell.skus and not cell.names)
    span_of = {day: first for first, last in one.spans.items() for day in range(first, last + 1)}
    return ReconciledCells(one, agreed, span_of)


def _usage(record: Record, meter: Meter, modality: Modality) -> Usage:
    """The group of a charge, without its amount."""
    return Usage(
        day=pacific_day(record.occurred_us),
        model=record.model or "",
        service_tier=record.service_tier,
        project=record.project,
        location=record.location,
        meter=meter,
        modality=modality,
        long=(record.tokens.input or 0) > _LONG,
        lifted=False,
        grounded=Flag.TOOL_TOKENS_WITH_GROUNDING in record.flags,
        edge=0,
        quantity=0,
        cost_pico=0,
    )

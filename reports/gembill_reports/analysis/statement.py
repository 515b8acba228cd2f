"""A statement: what each team or customer used in a month, what it cost, and its part of what is nobody's.

Owns: how shared cost is spread, mark-up, and rounding. Not here: sums and closed months (their own modules), and words.
Invariant: the rows add up to the total to the pico-dollar, and the total is the month's cost, the adjustments made in
it, and the mark-up on both; nothing is lost or made by rounding.

A closed month is stated as it was when it was closed. What was posted later about a closed month is in the statement of
the month in which that happened, as an adjustment of whoever used it. Over all months the statements of closed months
so add up to the books.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from gembill.ledger import Closing, Ledger, Selection, Total, read_closings
from gembill.period import Period
from gembill_reports.analysis.closed_months import Adjustment, adjustments
from gembill_reports.analysis.report import Report, report


class SharedRule(StrEnum):
    """What becomes of the cost of calls that name nobody."""

    BY_COST = "by-cost"  # in proportion to what each of the others cost; evenly where that is nothing
    EVENLY = "evenly"
    APART = "apart"  # it stays a row of its own


@dataclass(frozen=True, slots=True)
class StatementTerms:
    """How a statement is made: the group, the rule for shared cost, and the mark-up as a share of the cost."""

    by: str
    shared: SharedRule = SharedRule.BY_COST
    markup: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """What one of them owes. `used` is None for one that used nothing in this month. Pico-dollars."""

    name: str | None
    used: Total | None
    cost_pico: int  # of its own calls, as far as that is known
    adjustment_pico: int  # to closed months before
    shared_pico: int
    markup_pico: int

    @property
    def total_pico(self) -> int:
        """All of it."""
        return self.cost_pico + self.adjustment_pico + self.shared_pico + self.markup_pico


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The rows, the most expensive first, the one of nobody last; and the closing if the month was closed."""

    report: Report
    terms: StatementTerms
    rows: tuple[StatementRow, ...]
    adjustments: tuple[Adjustment, ...]
    closing: Closing | None

    @property
    def total(self) -> StatementRow:
        """All rows together."""
        return StatementRow(
            name=None,
            used=self.report.total,
            cost_pico=sum(row.cost_pico for row in self.rows),
            adjustment_pico=sum(row.adjustment_pico for row in self.rows),
            shared_pico=sum(row.shared_pico for row in self.rows),
            markup_pico=sum(row.markup_pico for row in self.rows),
        )

    @property
    def spread_pico(self) -> int:
        """The cost that names nobody and was spread over the rows."""
        return self.total.shared_pico


def statement(ledger: Ledger, month: Period, selection: Selection, terms: StatementTerms) -> Statement:
    """The statement of a month."""
    closings = read_closings(ledger)
    closing = next((one for one in closings if one.period == month), None)
    seen_us = None if closing is None else closing.seen_us
    used = report(ledger, month, (terms.by,), selection=replace(selection, seen_us=seen_us))
    adjusted = adjustments(ledger, closings, month, selection, (terms.by,))
    return Statement(
        report=used,
        terms=terms,
        rows=tuple(_rows(used, adjusted, terms)),
        adjustments=tuple(adjusted),
        closing=closing,
    )


def _rows(used: Report, adjusted: Sequence[Adjustment], terms: StatementTerms) -> list[StatementRow]:
    totals = {_name(row.group, terms.by): row for row in used.rows}
    changes: dict[str | None, int] = {}
    for one in adjusted:
        name = _name(one.group, terms.by)
        changes[name] = changes.get(name, 0) + one.cost_pico
    named = [name for name in dict.fromkeys((*totals, *changes)) if name is not None]
    nobody = _cost(totals.get(None)) + changes.get(None, 0)
    spreads = bool(named) and terms.shared is not SharedRule.APART
    weights = [_cost(totals.get(name)) if terms.shared is SharedRule.BY_COST else 1 for name in named]
    parts = spread(nobody, weights) if spreads else [0] * len(named)
    rows = [
        _row(name, totals.get(name), changes.get(name, 0), part, terms) for name, part in zip(named, parts, strict=True)
    ]
    if not spreads and (None in totals or None in changes):
        rows.append(_row(None, totals.get(None), changes.get(None, 0), 0, terms))
    return sorted(rows, key=lambda row: (row.name is None, -row.total_pico, row.name or ""))


def _row(name: str | None, used: Total | None, adjustment: int, shared: int, terms: StatementTerms) -> StatementRow:
    cost = _cost(used)
    return StatementRow(
        name=name,
        used=used,
        cost_pico=cost,
        adjustment_pico=adjustment,
        shared_pico=shared,
        markup_pico=rounded(terms.markup * (cost + adjustment + shared)),
    )


def _name(group: Mapping[str, str | int | bool | None], by: str) -> str | None:
    value = group[by]
    return None if value is None else str(value)


def _cost(used: Total | None) -> int:
    return 0 if used is None else used.cost_pico or 0


def spread(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount in parts that add up to it, in proportion to the weights (none negative; all alike where all are 0).

    What rounding down leaves goes to the greatest remainders, the first of equal ones first.
    """
    if not weights:
        raise ValueError("there is nobody to spread it over")
    if not any(weights):
        weights = [1] * len(weights)
    whole, sign = sum(weights), -1 if amount < 0 else 1
    shares = [divmod(abs(amount) * weight, whole) for weight in weights]
    left = abs(amount) - sum(part for part, _ in shares)
    order = sorted(range(len(shares)), key=lambda place: -shares[place][1])
    more = set(order[:left])
    return [sign * (part + (place in more)) for place, (part, _) in enumerate(shares)]


def rounded(amount: Fraction) -> int:
    """To the nearest pico-dollar, halves away from zero."""
    sign = -1 if amount < 0 else 1
    return sign * int(abs(amount) + Fraction(1, 2))

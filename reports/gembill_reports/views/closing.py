"""Closed months as scripts and people read them: one that was just closed, all of them, and notes below a report.

Owns: their JSON, CSV and tables, and the sentences about corrections after a closing. Not here: any number. Invariant:
a frozen cost is never shown without its digest or the date of its closing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gembill.money import usd
from gembill.period import iso, local
from gembill_reports.layout.sheet import Sheet, count, exact, money
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views.period_texts import period_dict
from gembill_reports.views.view import Csv, View

if TYPE_CHECKING:  # a report of a ledger without closed months needs none of it
    from gembill.ledger import Closing
    from gembill_reports.analysis.closed_months import Adjustment, ClosedMonth, ClosedMonths, MonthAdjustment

SCHEMA_VERSION = 1
_HEADER = ("month", "timezone", "closed_at", "calls", "cost_usd", "unpriced_calls", "incomplete_calls", "digest")
_DIGEST = 16  # characters that a table shows of 64
_PARTS = 6  # of an adjustment that are named below a report
_COLUMNS = (
    Column("Month", text=True),
    Column("Calendar", 40, text=True),
    Column("Closed", 60, text=True),
    Column("Calls", 70),
    Column("Unpriced", 50),
    Column("Incomplete", 50),
    Column("Cost"),
    Column("Digest", 80, text=True, whole=True),
)


@dataclass(frozen=True, slots=True)
class ClosingsView(View):
    """Closed months, the oldest first."""

    closings: Sequence[Closing]

    def json(self) -> dict[str, Any]:
        """Each month with its period and digest."""
        return {
            "schema_version": SCHEMA_VERSION,
            "closed": [{**_row(one), "period": period_dict(one.period)} for one in self.closings],
        }

    def csv(self) -> Csv:
        """A row per month."""
        return Csv(_HEADER, map(_row, self.closings))

    def sheets(self) -> Sequence[Sheet]:
        """One table."""
        rows = tuple(map(_cells, self.closings))
        notes = ["The digest is the SHA-256 of what is kept of a month; `gembill audit` holds the books against it."]
        if not rows:
            notes = ["No month was closed yet: `gembill close 2026-10` closes one for good."]
        return [Sheet("Closed months · US dollars, estimate at list price", Table(_COLUMNS, rows), tuple(notes))]


def closed_dicts(closed: ClosedMonths) -> dict[str, Any]:
    """What JSON of a report says of closed months; nothing where there is nothing to say."""
    said: dict[str, Any] = {}
    if closed.months:
        said["closed_months"] = [
            {
                **{key: _row(one.closing)[key] for key in ("month", "timezone", "closed_at", "digest")},
                "calls": one.frozen.calls,
                "cost_usd": usd(one.frozen.cost_pico),
                "adjusted_calls": one.today.calls - one.frozen.calls,
                "adjusted_usd": usd((one.today.cost_pico or 0) - (one.frozen.cost_pico or 0)),
                "corrected": one.is_corrected,
            }
            for one in closed.months
        ]
    if closed.adjustments:
        said["adjustments"] = [
            adjustment_dict(one.total) | ({"rows": [_part_dict(row) for row in one.rows]} if one.rows else {})
            for one in closed.adjustments
        ]
    return said


def adjustment_dict(one: Adjustment) -> dict[str, Any]:
    """One adjustment, with the month it is of and its group."""
    return {"month": one.closing.month, **_part_dict(one)}


def _part_dict(one: Adjustment) -> dict[str, Any]:
    return {**one.group, "calls": one.calls, "cost_usd": usd(one.cost_pico)}


def notes(closed: ClosedMonths) -> list[str]:
    """The sentences below a report."""
    return [*map(_closed_note, closed.months), *map(adjustment_note, closed.adjustments)]


def adjustment_note(one: MonthAdjustment) -> str:
    """What was corrected in this period of a month that was closed."""
    text = (
        f"Adjustment of {one.total.closing.month}, made in this period and not in the sums above: {_change(one.total)}"
    )
    if not one.rows:
        return f"{text}."
    largest = sorted(one.rows, key=lambda row: -abs(row.cost_pico))
    parts = [f"{_named(row)} {_change(row)}" for row in largest[:_PARTS]]
    more = [f"{len(largest) - _PARTS:,} more"] if len(largest) > _PARTS else []
    return f"{text} ({'; '.join([*parts, *more])})."


def _change(one: Adjustment) -> str:
    calls = f", {one.calls:+,} {'call' if abs(one.calls) == 1 else 'calls'}" if one.calls else ""
    return f"{signed(one.cost_pico)}{calls}"


def _named(one: Adjustment) -> str:
    return " / ".join(MISSING if value is None else str(value) for value in one.group.values())


def _closed_note(one: ClosedMonth) -> str:
    closing = one.closing
    day = local(closing.closed_us, closing.period.zone).date()
    text = f"{closing.month} was closed on {day} with {money(one.frozen.cost_pico)} of {one.frozen.calls:,} calls"
    text += f" (digest {closing.digest[:_DIGEST]})"
    if not one.is_corrected:
        return f"{text}; nothing was corrected since."
    if not one.is_adjusted:
        return f"{text}; corrections since leave these sums as they were."
    difference = (one.today.cost_pico or 0) - (one.frozen.cost_pico or 0)
    return f"{text}; corrections since, {signed(difference)}, are adjustments of the months they were made in."


def signed(pico: int) -> str:
    """A difference with its sign and every digit."""
    return ("+" if pico > 0 else "") + exact(pico)


def _row(closing: Closing) -> dict[str, Any]:
    sums = closing.sums
    return {
        "month": closing.month,
        "timezone": closing.timezone,
        "closed_at": iso(closing.closed_us, closing.period.zone),
        "calls": sums["calls"],
        "cost_usd": usd(sums["cost_pico"] if sums["costed"] or not sums["calls"] else None),
        "unpriced_calls": sums["unpriced_calls"],
        "incomplete_calls": sums["incomplete_calls"],
        "digest": closing.digest,
    }


def _cells(closing: Closing) -> tuple[str, ...]:
    sums = closing.sums
    closed = local(closing.closed_us, closing.period.zone).strftime("%Y-%m-%d %H:%M")
    numbers = (count(sums[name]) for name in ("calls", "unpriced_calls", "incomplete_calls"))
    cost = sums["cost_pico"] if sums["costed"] or not sums["calls"] else None
    return (closing.month, closing.timezone, closed, *numbers, money(cost), closing.digest[:_DIGEST])

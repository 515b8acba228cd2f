"""The period before, beside a report: its cost and the change.

Owns: how a change is written, and the sentence, JSON and CSV columns of the period before. Not here: which period that
is (`gembill_reports.analysis.previous_period`). Invariant: a change that is not known is left out, never called 0%.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gembill.ledger import Total
from gembill.money import usd
from gembill_reports.layout.sheet import money

if TYPE_CHECKING:
    from gembill_reports.analysis.previous_period import PreviousPeriod


def change(now_pico: int | None, before_pico: int | None) -> str:
    """A change of cost in whole percent: `+12%`, `-3%`, `new` after no cost, empty where one is unknown.

    While something is left it is less than -100%.
    """
    if now_pico is None or before_pico is None:
        return ""
    if not before_pico:
        return "new" if now_pico else "0%"
    difference = abs(now_pico - before_pico)
    percent = (200 * difference + before_pico) // (2 * before_pico)
    if 0 < now_pico < before_pico:
        percent = min(percent, 99)
    return "0%" if not percent else f"{'+' if now_pico > before_pico else '-'}{percent:,}%"


def sentence(before: PreviousPeriod, total: Total) -> str:
    """What a report says below its table: the cost before, its period and the change."""
    period, cost = before.report.period, before.report.total.cost_pico
    changed = change(total.cost_pico, cost)
    cut = ", as far into it as this period is" if before.unfinished else ""
    since = f" ({changed} since)" if changed and cost else ""
    return f"The period before, {period.start} until {period.end} (not included){cut}: {money(cost)}{since}."


def csv_columns(before: PreviousPeriod, row: Total) -> Mapping[str, str | None]:
    """What a row of CSV gets: the cost of the same group before and the difference; nothing where rows have none."""
    if not before.by_row:
        return {}
    cost = before.cost_of(row)
    known = cost is not None and row.cost_pico is not None
    return {
        "previous_cost_usd": usd(cost),
        "change_usd": usd((row.cost_pico or 0) - (cost or 0)) if known else None,
    }

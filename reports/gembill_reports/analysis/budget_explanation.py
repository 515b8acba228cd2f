"""Which calls and which days a budget was spent on.

Owns: the rows of `gembill budget explain`. Owns no state of the budget. Invariant: the days add up to what was spent;
the calls shown are the dearest, and it is said how many there are in all.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gembill.budget_status import selection
from gembill.ledger import Ledger, LedgerRecord, Selection, Total
from gembill.ledger.records import records
from gembill.period import Period, local
from gembill.rules.budgets import BudgetStatus
from gembill.rules.budgets.text import as_dict, sentence
from gembill_reports.analysis.report import Report, report
from gembill_reports.layout.sheet import DEMO, UNKNOWN, Sheet, count, money, percent
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views.budgets import filters
from gembill_reports.views.records import record_dict
from gembill_reports.views.report import row_dict

SCHEMA_VERSION = 1
DEAREST = 10


@dataclass(frozen=True, slots=True)
class Explanation:
    """A standing, its days and models, and its dearest calls."""

    standing: BudgetStatus
    days: Report
    models: Report
    dearest: tuple[LedgerRecord, ...]


def explanation(ledger: Ledger, standing: BudgetStatus, *, past: bool = False) -> Explanation:
    """What stands behind a standing. The dearest calls are found by reading all of them."""
    budget = standing.budget
    until = standing.at_us if past else None
    chosen = selection(budget, standing.period, until_us=until, run=standing.run)
    period = Period(chosen.start_us, chosen.end_us, standing.period.zone)
    return Explanation(
        standing,
        report(ledger, period, ("day",), selection=chosen),
        report(ledger, period, ("model",), selection=chosen),
        tuple(_dearest(ledger, chosen, in_tokens=budget.in_tokens)),
    )


def as_json(found: Explanation) -> dict[str, Any]:
    """The explanation as JSON; rows as in reports, calls as in `gembill records`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "budget": as_dict(found.standing),
        "days": [row_dict(row) for row in found.days.rows],
        "models": [row_dict(row) for row in found.models.rows],
        "dearest_calls": [record_dict(one) for one in found.dearest],
    }


def sheets(found: Explanation) -> list[Sheet]:
    """Three tables: days, models, calls."""
    standing = found.standing
    mark = DEMO if found.days.demo else ""
    heading = f"{mark}{standing.state} · {standing.budget.name} · calls: {filters(standing.budget)}"
    shown = f"{len(found.dearest)} of {standing.calls:,} calls; `gembill receipt ID` explains one."
    notes = (sentence(standing), "~ estimate: the part of the cost of intermediate tokens that failed runs caused")
    return [
        Sheet(heading, _sums("Day", "day", found.days, standing), notes),
        Sheet("By model", _sums("Model", "model", found.models, standing), ()),
        Sheet("The dearest calls", _calls(found.dearest, standing), (shown if found.dearest else "None.",)),
    ]


def _dearest(ledger: Ledger, chosen: Selection, *, in_tokens: bool) -> list[LedgerRecord]:
    def weight(one: LedgerRecord) -> tuple[int, int]:
        tokens = one.record.tokens
        used = sum(part or 0 for part in (tokens.input, tokens.intermediate, tokens.output))
        return (used, 0) if in_tokens else (one.cost_pico or 0, used)

    return heapq.nlargest(DEAREST, records(ledger, chosen), key=weight)


def _sums(title: str, group: str, of: Report, standing: BudgetStatus) -> Table:
    columns = (
        Column(title, text=True),
        Column("Calls", 40),
        Column("Tokens", 50),
        Column("Failed runs~", 30),
        Column("Cost"),
        Column("Share", 60),
    )
    cells = [
        (
            MISSING if row.group.get(group) is None else str(row.group[group]),
            count(row.calls),
            count(row.tokens.total),
            money(row.failed_execution_cost_pico),
            money(row.cost_pico),
            _share(row, standing),
        )
        for row in (*of.rows, of.total)
    ]
    return Table(columns, tuple(cells[:-1]), ("Total", *cells[-1][1:]))


def _share(row: Total, standing: BudgetStatus) -> str:
    """The row's share of what was used; empty where nothing was."""
    if not standing.used:
        return ""
    if not standing.budget.in_tokens:
        return UNKNOWN if row.cost_pico is None else percent(row.cost_pico, standing.used)
    tokens = row.tokens
    known = [part for part in (tokens.input, tokens.intermediate, tokens.output) if part is not None]
    return percent(sum(known), standing.used) if known else UNKNOWN


def _calls(calls: Sequence[LedgerRecord], standing: BudgetStatus) -> Table:
    columns = (
        Column("ID", text=True, whole=True),
        Column("When", 40, text=True),
        Column("Model", 50, text=True),
        Column("Failed", 20),
        Column("Labels", 10, text=True),
        Column("Cost"),
    )
    rows = tuple(
        (
            one.record.id,
            local(one.record.occurred_us, standing.period.zone).strftime("%m-%d %H:%M"),
            one.record.model or MISSING,
            count(one.record.failed),
            " ".join(f"{name}={value}" for name, value in one.record.labels.items()),
            money(one.cost_pico),
        )
        for one in calls
    )
    return Table(columns, rows)

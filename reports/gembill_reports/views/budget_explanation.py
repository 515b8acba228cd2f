"""Which calls and which days a budget was spent on, as people and scripts read it.

Owns: its tables, JSON and CSV. Not here: sums (`gembill_reports.analysis.budget_explanation`). Invariant: it is said
how many calls there are in all, of which only some are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gembill.ledger import LedgerRecord, Total
from gembill.period import local
from gembill.rules.budgets import BudgetStatus
from gembill.rules.budgets.text import as_dict, sentence
from gembill_reports.analysis.budget_explanation import Explanation
from gembill_reports.analysis.report import Report
from gembill_reports.layout.sheet import DEMO, UNKNOWN, WASTE, Footnote, Sheet, count, money, percent
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views.budgets import filters
from gembill_reports.views.records import record_dict
from gembill_reports.views.report import csv_rows, row_dict
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class ExplanationView(View):
    """What a budget was spent on."""

    explanation: Explanation

    def json(self) -> dict[str, Any]:
        """The budget, its days, models and calls; rows as in reports, calls as in `gembill records`."""
        explanation = self.explanation
        return {
            "schema_version": SCHEMA_VERSION,
            "budget": as_dict(explanation.status),
            "days": [row_dict(row) for row in explanation.days.rows],
            "models": [row_dict(row) for row in explanation.models.rows],
            "dearest_calls": [record_dict(one) for one in explanation.most_expensive],
        }

    def csv(self) -> Csv:
        """A row per day, as in a report by day."""
        return csv_rows(self.explanation.days)

    def sheets(self) -> Sequence[Sheet]:
        """Three tables: days, models, calls."""
        explanation, status = self.explanation, self.explanation.status
        calls = explanation.most_expensive
        mark = DEMO if explanation.days.demo else ""
        heading = f"{mark}{status.state} · {status.budget.name} · calls: {filters(status.budget)}"
        shown = f"{len(calls)} of {status.calls:,} calls; `gembill receipt ID` explains one."
        feet = (Footnote("Failed runs~", WASTE),)
        return [
            Sheet(heading, _sums("Day", "day", explanation.days, status), (sentence(status),), feet),
            Sheet("By model", _sums("Model", "model", explanation.models, status), (), feet),
            Sheet("The most expensive calls", _calls(calls, status), (shown if calls else "None.",)),
        ]


def _sums(title: str, group: str, of: Report, status: BudgetStatus) -> Table:
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
            _share(row, status),
        )
        for row in (*of.rows, of.total)
    ]
    return Table(columns, tuple(cells[:-1]), ("Total", *cells[-1][1:]))


def _share(row: Total, status: BudgetStatus) -> str:
    """The row's share of what was used; empty where nothing was."""
    if not status.used:
        return ""
    if not status.budget.in_tokens:
        return UNKNOWN if row.cost_pico is None else percent(row.cost_pico, status.used)
    tokens = row.tokens
    known = [part for part in (tokens.input, tokens.intermediate, tokens.output) if part is not None]
    return percent(sum(known), status.used) if known else UNKNOWN


def _calls(calls: Sequence[LedgerRecord], status: BudgetStatus) -> Table:
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
            local(one.record.occurred_us, status.period.zone).strftime("%m-%d %H:%M"),
            one.record.model or MISSING,
            count(one.record.failed),
            " ".join(f"{name}={value}" for name, value in one.record.labels.items()),
            money(one.cost_pico),
        )
        for one in calls
    )
    return Table(columns, rows)

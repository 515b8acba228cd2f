"""Budgets as people and scripts read them: one row per budget.

Owns: a check in every format, the budgets of a file, and the table of what a run cost. Not here: evaluation, and the
words of a single budget (`gembill.rules.budgets.text`). Invariant: the most severe state comes first; a note below the
table says where calls without a price leave a cost unknown.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gembill.period import iso
from gembill.rules.budgets import Budget, BudgetPeriod, BudgetState, BudgetStatus, ordered, overall_state
from gembill.rules.budgets.text import (
    amount,
    as_dict,
    course,
    forecast_note,
    percent,
    ratio,
    rule_dict,
    sentence,
    spent,
    where,
)
from gembill_reports.layout import screen
from gembill_reports.layout.sheet import DEMO, OUTPUT, WASTE, Footnote, Sheet, count, money, rate
from gembill_reports.layout.tables import Column, Table, flat
from gembill_reports.views.view import Csv, Format, View, text

if TYPE_CHECKING:  # a check of budgets does not wait for reports
    from gembill_reports.analysis.report import Report

SCHEMA_VERSION = 1
_STYLES = {"PASS": "green", "WARN": "yellow", "UNKNOWN": "magenta", "BREACH": "bold red"}
_COLUMNS = (
    Column("State", text=True, styles=_STYLES),
    Column("Budget", text=True),
    Column("Spent", 90),
    Column("Limit", 80),
    Column("Used"),
    Column("Course", 70, text=True),
    Column("Failed runs~", 60),
    Column("Period", 50, text=True),
)
_RULE_COLUMNS = (
    Column("Budget", text=True),
    Column("Limit"),
    Column("Per", text=True),
    Column("Calls", 80, text=True),
    Column("Warns at", 60, text=True),
    Column("Zone", 50, text=True),
)
_COUNTED = {
    BudgetState.BREACH: "breached",
    BudgetState.UNKNOWN: "unknown",
    BudgetState.WARN: "warned",
    BudgetState.PASS: "passed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCheckView(View):
    """A check of budgets at an instant (microseconds), and the exit code that follows from it."""

    statuses: Sequence[BudgetStatus]
    at_us: int
    exit_code: int = 0
    demo: bool = False

    def json(self) -> dict[str, Any]:
        """Every budget, the most severe state first."""
        return {
            "schema_version": SCHEMA_VERSION,
            "at": iso(self.at_us, ZoneInfo("UTC")),
            "status": overall_state(self.statuses).value,
            "budgets": [as_dict(one) for one in ordered(self.statuses)],
        } | ({"demo_data": True} if self.demo else {})

    def csv(self) -> Csv:
        """A row per budget; lists are one text."""
        rows = [flat(_joined({"labels": {}, **as_dict(one)})) for one in ordered(self.statuses)]
        return Csv([key for key in rows[0] if key != "labels"], rows)

    def sheets(self) -> Sequence[Sheet]:
        """A row per budget, and below it a sentence for each that does not pass."""
        statuses = ordered(self.statuses)
        loud = (one for one in statuses if one.state is not BudgetState.PASS)
        notes = [f"{one.state}: {one.budget.name}: {sentence(one)}" for one in loud]
        notes += [*_doubts(statuses), f"{summed_up(statuses)}. {forecast_note()}"]
        notes.append("Cost is an estimate at list prices in US dollars, not Google's bill.")
        at = datetime.fromtimestamp(self.at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        table = Table(_COLUMNS, tuple(_cells(one) for one in statuses))
        return [
            Sheet(
                f"{DEMO if self.demo else ''}Gemini budgets · {at}",
                table,
                tuple(notes),
                (Footnote("Failed runs~", WASTE),),
            )
        ]

    def special(self) -> Mapping[Format, Callable[[], Iterable[str]]]:
        """JUnit, and the log of a GitHub job, which leaves its files for the runner too."""
        return {Format.JUNIT: self._junit, Format.GITHUB: self._github}

    def _junit(self) -> list[str]:
        from gembill_reports.views.junit import junit

        return [junit(ordered(self.statuses))]

    def _github(self) -> Iterator[str]:
        from gembill_reports.views import github

        yield from github.quoted("".join(text(self, Format.TABLE)))
        yield from github.annotations(self.statuses)
        if failures := github.leave(self.statuses, "".join(text(self, Format.MARKDOWN)), self.exit_code):
            kept = "gembill: the verdict counts, but this could not be written: "
            screen.write([kept, "; ".join(failures), "\n"], sys.stderr)


@dataclass(frozen=True, slots=True)
class BudgetListView(View):
    """The budgets of a file."""

    budgets: Sequence[Budget]
    file: str

    def json(self) -> dict[str, Any]:
        """Every budget, with the values it has where the file leaves them out."""
        return {"schema_version": SCHEMA_VERSION, "budgets": [rule_dict(one) for one in self.budgets]}

    def csv(self) -> Csv:
        """A row per budget; lists and labels are one text."""
        rows = [_joined(rule_dict(one)) for one in self.budgets]
        return Csv(list(rows[0]), rows)

    def sheets(self) -> Sequence[Sheet]:
        """A row per budget."""
        rows = tuple(
            (one.name, amount(one, one.limit), one.span.value, filters(one), _thresholds(one), one.zone.key)
            for one in self.budgets
        )
        return [Sheet(f"Budgets of {self.file}", Table(_RULE_COLUMNS, rows), ())]


def summed_up(statuses: Sequence[BudgetStatus]) -> str:
    """`1 breached, 2 passed`."""
    counted = Counter(one.state for one in statuses)
    return ", ".join(f"{counted[state]} {word}" for state, word in _COUNTED.items() if counted[state])


def filters(budget: Budget) -> str:
    """Which calls a budget is about: `models gemini-3*, team=search`."""
    said = [f"models {' or '.join(budget.models)}"] if budget.models else []
    said += [f"{name}={value}" for name, value in budget.labels.items()]
    said += [f"keys {' or '.join(budget.keys)}"] if budget.keys else []
    said += ["code execution only"] if budget.code_execution else []
    return ", ".join(said) or "all"


def run_sheet(report: Report, statuses: Sequence[BudgetStatus]) -> Sheet:
    """What one run cost by model, and the state of its budgets."""
    from gembill_reports.views.report import doubts

    columns = (
        Column("Model", text=True),
        Column("Calls"),
        Column("Input", 50),
        Column("Intermed.", 70),
        Column("Output*", 60),
        Column("Failed", 40),
        Column("Cost"),
    )
    lines = [(str(row.group["model"] or "(unknown)"), row) for row in report.rows]
    cells = [
        (
            title,
            count(row.calls),
            count(row.tokens.input),
            count(row.tokens.intermediate),
            count(row.tokens.output),
            rate(row.executions_failed, row.executions),
            money(row.cost_pico),
        )
        for title, row in [*lines, ("Total", report.total)]
    ]
    notes = [f"{one.state}: {one.budget.name}: {sentence(one)}" for one in ordered(statuses)]
    notes += [*_doubts(statuses), *([] if report.strictly_complete else doubts(report))]
    notes.append("Cost is an estimate at list prices in US dollars, not Google's bill.")
    return Sheet("Gemini calls of this run", Table(columns, tuple(cells[:-1]), cells[-1]), tuple(notes), (OUTPUT,))


def _cells(status: BudgetStatus) -> tuple[str, ...]:
    budget = status.budget
    return (
        status.state.value,
        budget.name,
        spent(status),
        amount(budget, budget.limit),
        percent(status),
        course(status),
        money(status.failed_pico) if status.failed_pico else "",
        where(status) if budget.span is BudgetPeriod.RUN else _period(status),
    )


def _period(status: BudgetStatus) -> str:
    start = status.period.start
    return "total" if start is None else f"{status.budget.span} of {start[:10]}"


def _joined(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its lists and labels as single texts."""
    pairs = {"labels": " ".join(f"{name}={value}" for name, value in row["labels"].items())}
    return {key: " ".join(value) if isinstance(value, list) else value for key, value in (row | pairs).items()}


def _doubts(statuses: Sequence[BudgetStatus]) -> list[str]:
    undetermined = [one for one in statuses if one.undetermined]
    if not undetermined:
        return []
    names = ", ".join(one.budget.name for one in undetermined)
    said = f"UNKNOWN COST: calls without a price may have spent more than is shown of {names}."
    return [f"{said} `gembill report monthly` names the models; --strict makes this exit 12."]


def _thresholds(budget: Budget) -> str:
    said = [str(ratio(at)).rstrip("0").rstrip(".") for at in budget.warn_at]
    if budget.forecast_at is not None:
        said.append(f"forecast {str(ratio(budget.forecast_at)).rstrip('0').rstrip('.')}")
    return ", ".join(said)

"""Budgets as people and scripts read them: one row a budget.

Owns: the table, the JSON and the CSV of statuses and of rules, and the table of what a run cost. Owns no evaluation
and no wording of a single budget (`gembill.rules.budgets.text`). Invariant: the gravest stands first; what is not
known, of calls without a price, stands beneath in so many words.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gembill.period import iso
from gembill.rules.budgets import Budget, BudgetPeriod, BudgetState, BudgetStatus
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
from gembill_reports.analysis.report import Report
from gembill_reports.layout.sheet import DEMO, Sheet, count, money, rate
from gembill_reports.layout.tables import Column, Table
from gembill_reports.views.report import doubts

SCHEMA_VERSION = 1
_COLUMNS = (
    Column("State", text=True),
    Column("Budget", text=True),
    Column("Spent", 90),
    Column("Limit", 80),
    Column("Used"),
    Column("Course", 70, text=True),
    Column("Failed runs~", 60),
    Column("Period", 50, text=True),
)
_COUNTED = {
    BudgetState.BREACH: "breached",
    BudgetState.UNKNOWN: "unknown",
    BudgetState.WARN: "warned",
    BudgetState.PASS: "passed",
}


def ordered(statuses: Iterable[BudgetStatus]) -> list[BudgetStatus]:
    """The gravest first, else as they stand in the file."""
    return sorted(statuses, key=lambda one: -one.state.severity)


def overall_state(statuses: Sequence[BudgetStatus]) -> BudgetState:
    """The gravest state of all."""
    return max((one.state for one in statuses), key=lambda state: state.severity, default=BudgetState.PASS)


def check_dict(statuses: Sequence[BudgetStatus], at_us: int, *, demo: bool = False) -> dict[str, Any]:
    """A check as JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "at": iso(at_us, ZoneInfo("UTC")),
        "status": overall_state(statuses).value,
        "budgets": [as_dict(one) for one in ordered(statuses)],
    } | ({"demo_data": True} if demo else {})


def check_sheet(statuses: Sequence[BudgetStatus], at_us: int, *, demo: bool = False) -> Sheet:
    """A check as a table with what has to be said beneath."""
    found = ordered(statuses)
    rows = tuple(_cells(one) for one in found)
    notes = [f"{one.state}: {one.budget.name}: {sentence(one)}" for one in found if one.state is not BudgetState.PASS]
    notes += [*_doubts(found), f"{summed_up(found)}. {forecast_note()}"]
    notes.append("~ estimate. Cost is an estimate at list prices in US dollars, not Google's bill.")
    at = datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Sheet(f"{DEMO if demo else ''}Gemini budgets · {at}", Table(_COLUMNS, rows), tuple(notes))


def summed_up(statuses: Sequence[BudgetStatus]) -> str:
    """`1 breached, 2 passed`."""
    counted = Counter(one.state for one in statuses)
    return ", ".join(f"{counted[state]} {word}" for state, word in _COUNTED.items() if counted[state])


def rules_dict(budgets: Sequence[Budget]) -> dict[str, Any]:
    """The budgets of a file as JSON."""
    return {"schema_version": SCHEMA_VERSION, "budgets": [rule_dict(one) for one in budgets]}


def rules_sheet(budgets: Sequence[Budget], file: str) -> Sheet:
    """The budgets of a file as a table."""
    columns = (
        Column("Budget", text=True),
        Column("Limit"),
        Column("Per", text=True),
        Column("Calls", 80, text=True),
        Column("Warns at", 60, text=True),
        Column("Zone", 50, text=True),
    )
    rows = tuple(
        (one.name, amount(one, one.limit), one.span.value, filters(one), _thresholds(one), one.zone.key)
        for one in budgets
    )
    return Sheet(f"Budgets of {file}", Table(columns, rows), ())


def filters(budget: Budget) -> str:
    """Which calls a budget is about: `models gemini-3*, team=search`."""
    said = [f"models {' or '.join(budget.models)}"] if budget.models else []
    said += [f"{name}={value}" for name, value in budget.labels.items()]
    said += [f"keys {' or '.join(budget.keys)}"] if budget.keys else []
    said += ["code execution only"] if budget.code_execution else []
    return ", ".join(said) or "all"


def run_sheet(report: Report, statuses: Sequence[BudgetStatus]) -> Sheet:
    """What one run cost by model, and how its budgets stand."""
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
    notes.append("* output with thinking. Cost is an estimate at list prices in US dollars, not Google's bill.")
    return Sheet("Gemini calls of this run", Table(columns, tuple(cells[:-1]), cells[-1]), tuple(notes))


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

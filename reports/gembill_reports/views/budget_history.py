"""Budgets and their earlier periods, as scripts read them.

Owns: their JSON and CSV. Not here: what is said of one budget (`gembill.rules.budgets.text`). Invariant: both hold
every period that is known, the present one first.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from gembill.period import iso
from gembill.rules.budgets import BudgetStatus
from gembill.rules.budgets.text import as_dict
from gembill_reports.analysis.budget_history import BudgetHistory
from gembill_reports.layout.tables import flat
from gembill_reports.views.view import Csv

SCHEMA_VERSION = 1
_HEADER = (
    *("name", "state", "present", "period_unit", "period_start", "period_end", "period_timezone", "run"),
    *("limit_usd", "limit_tokens", "spent_usd", "spent_tokens", "used_ratio", "forecast_usd", "forecast_tokens"),
    *("breached_at", "calls", "unpriced_calls", "incomplete_calls"),
)


def histories_dict(histories: Sequence[BudgetHistory], at: str) -> dict[str, Any]:
    """Each budget as a check has it, with the `turns` of its state and the earlier periods as `history`."""
    return {"schema_version": SCHEMA_VERSION, "at": at, "budgets": [_dict(one) for one in histories]}


def csv_rows(histories: Sequence[BudgetHistory]) -> Csv:
    """A row for each period of each budget."""
    return Csv(_HEADER, list(_rows(histories)))


def _dict(one: BudgetHistory) -> dict[str, Any]:
    zone = one.status.period.zone
    turns = [{"at": iso(turn.at_us, zone), "state": turn.state.value} for turn in one.turns]
    return as_dict(one.status) | {"turns": turns, "history": [as_dict(status) for status in one.past]}


def _rows(histories: Sequence[BudgetHistory]) -> Iterator[dict[str, Any]]:
    for one in histories:
        yield _row(one.status, present=True)
        yield from (_row(status, present=False) for status in one.past)


def _row(status: BudgetStatus, *, present: bool) -> dict[str, Any]:
    whole = flat(as_dict(status)) | {"present": present}
    return {key: whole[key] for key in _HEADER}

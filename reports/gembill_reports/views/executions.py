"""How executions went, as scripts read it.

Owns: its JSON and CSV. Not here: the sums (`gembill_reports.analysis.executions`). Invariant: both have the numbers of
reports by the same groups, and money with every digit.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from gembill.ledger import Total, WastefulConversation
from gembill.money import usd
from gembill_reports.analysis.executions import ExecutionReport
from gembill_reports.analysis.previous_period import PreviousPeriod
from gembill_reports.views.period_texts import period_dict
from gembill_reports.views.report import row_dict
from gembill_reports.views.view import Csv

SCHEMA_VERSION = 1
_HEADER = (
    *("by", "value", "calls", "calls_code_execution", "executions", "executions_failed"),
    *("failed_execution_cost_usd_estimate", "cost_usd"),
)
_BESIDE = ("previous_failed_execution_cost_usd_estimate", "previous_cost_usd")


def executions_dict(ran: ExecutionReport, before: Sequence[PreviousPeriod] = ()) -> dict[str, Any]:
    """The period as JSON carries it; under `previous` the same groups of the one before, null where there is none."""
    return {
        "schema_version": SCHEMA_VERSION,
        "period": period_dict(ran.times.period),
        "times": [row_dict(row) for row in ran.times.rows],
        "groups": [{"by": one.by[0], "rows": [row_dict(row) for row in one.rows]} for one in ran.groups],
        "conversations": [_conversation(one) for one in ran.conversations],
        "total": row_dict(ran.total),
        "previous": _previous(before) if before else None,
    }


def _previous(before: Sequence[PreviousPeriod]) -> dict[str, Any]:
    first, *_ = before
    return {
        "period": period_dict(first.report.period),
        "unfinished": first.unfinished,
        "groups": [{"by": one.report.by[0], "rows": [row_dict(row) for row in one.report.rows]} for one in before],
        "total": row_dict(first.report.total),
    }


def csv_rows(ran: ExecutionReport, before: Sequence[PreviousPeriod] = ()) -> Csv:
    """A row for each time, model, label value and conversation; models and values beside the period `before`."""
    beside = _BESIDE if before else ()
    return Csv((*_HEADER, *beside), [dict.fromkeys(beside) | row for row in _rows(ran, before)])


def _rows(ran: ExecutionReport, before: Sequence[PreviousPeriod]) -> Iterator[dict[str, Any]]:
    for row in ran.times.rows:
        yield _row(ran.times.by[0], row)
    for result, previous in zip_longest(ran.groups, before):
        for row in result.rows:
            yield _row(result.by[0], row) | ({} if previous is None else _beside(row, previous))
    for one in ran.conversations:
        yield {"by": "conversation", "value": one.conversation.id, "calls_code_execution": None, **_conversation(one)}


def _row(by: str, row: Total) -> dict[str, Any]:
    whole = row_dict(row)
    return {"by": by, "value": row.group[by]} | {key: whole[key] for key in _HEADER[2:]}


def _beside(row: Total, before: PreviousPeriod) -> dict[str, Any]:
    waste, cost = before.waste_of(row), before.cost_of(row)
    return dict(zip(_BESIDE, (usd(waste), usd(cost)), strict=True))


def _conversation(one: WastefulConversation) -> dict[str, Any]:
    return {
        "conversation_id": one.conversation.id,
        "model": one.conversation.model,
        "calls": one.conversation.calls,
        "executions": one.conversation.executions,
        "executions_failed": one.conversation.executions_failed,
        "failed_execution_cost_usd_estimate": usd(one.failed_execution_cost_pico),
        "cost_usd": usd(one.conversation.cost_pico),
    }

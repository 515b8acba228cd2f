"""How executions went, as scripts read it.

Owns: its JSON and CSV. Not here: the sums (`gembill_reports.analysis.executions`). Invariant: both have the numbers of
reports by the same groups, and money with every digit.
"""

from collections.abc import Iterator
from typing import Any

from gembill.ledger import Total, WastefulConversation
from gembill.money import usd
from gembill_reports.analysis.executions import ExecutionReport
from gembill_reports.views.period_texts import period_dict
from gembill_reports.views.report import row_dict
from gembill_reports.views.view import Csv

SCHEMA_VERSION = 1
_HEADER = (
    *("by", "value", "calls", "calls_code_execution", "executions", "executions_failed"),
    *("failed_execution_cost_usd_estimate", "cost_usd"),
)


def executions_dict(ran: ExecutionReport) -> dict[str, Any]:
    """The period as JSON carries it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "period": period_dict(ran.times.period),
        "times": [row_dict(row) for row in ran.times.rows],
        "groups": [{"by": one.by[0], "rows": [row_dict(row) for row in one.rows]} for one in ran.groups],
        "conversations": [_conversation(one) for one in ran.conversations],
        "total": row_dict(ran.total),
    }


def csv_rows(ran: ExecutionReport) -> Csv:
    """A row for each time, model, label value and conversation."""
    return Csv(_HEADER, list(_rows(ran)))


def _rows(ran: ExecutionReport) -> Iterator[dict[str, Any]]:
    for result in (ran.times, *ran.groups):
        for row in result.rows:
            yield _row(result.by[0], row)
    for one in ran.conversations:
        yield {"by": "conversation", "value": one.conversation.id, "calls_code_execution": None, **_conversation(one)}


def _row(by: str, row: Total) -> dict[str, Any]:
    whole = row_dict(row)
    return {"by": by, "value": row.group[by]} | {key: whole[key] for key in _HEADER[2:]}


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

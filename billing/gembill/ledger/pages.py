"""Recorded calls page by page, in an order of choice.

Owns: orders, further filters and the place where a page ended. Not here: how a page looks. Invariant: a page goes on
exactly where the one before ended (keyset), so that no call is shown twice or left out while others are recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, literal_column, select, tuple_

from gembill.ledger import records, schema
from gembill.ledger.engine import snapshot
from gembill.ledger.entries import LedgerRecord
from gembill.ledger.record_selection import selected
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.model import Status

_NOTHING: ColumnElement[int] = literal_column("-1")  # what is not known sorts below 0


class SortOrder(StrEnum):
    """What calls are sorted by."""

    TIME = "time"
    COST = "cost"
    INPUT = "input"
    INTERMEDIATE = "intermediate"
    OUTPUT = "output"
    EXECUTIONS = "executions"
    FAILED = "failed"


class ProblemFilter(StrEnum):
    """What may be wrong with a call."""

    UNPRICED = "unpriced"
    INCOMPLETE = "incomplete"
    ANOMALY = "anomaly"
    FAILED = "failed"  # an execution of it failed
    ERROR = "error"  # the API refused it


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the sorted value of its last call (-1: not known) and what tells that call apart."""

    value: int
    occurred_us: int
    id: str
    source_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Which calls, in which order. `conversation` is what `conversation_id` shows."""

    selection: Selection
    order: SortOrder = SortOrder.TIME
    ascending: bool = False
    problem: ProblemFilter | None = None
    status: Status | None = None
    conversation: str | None = None


def read_page(
    ledger: Ledger, page: RecordPage, size: int, after: Cursor | None = None
) -> tuple[list[LedgerRecord], Cursor | None]:
    """The next calls, at most `size`, and the place from which to go on; None if these are the last."""
    with snapshot(ledger.engine) as connection:
        rows = records.shown(connection, _query(page, connection.dialect.name, after).limit(size + 1))
    return rows[:size], _cursor(page.order, rows[size - 1]) if len(rows) > size else None


def _query(page: RecordPage, engine: str, after: Cursor | None) -> Select[Any]:
    query = select(schema.record).where(*selected(page.selection, engine), *_narrowed(page))
    keys = _keys(page.order)
    if after is not None:
        ends = tuple_(*_literals(page.order, after))
        query = query.where(tuple_(*keys) > ends if page.ascending else tuple_(*keys) < ends)
    return query.order_by(*(key.asc() if page.ascending else key.desc() for key in keys))


def _narrowed(page: RecordPage) -> Sequence[ColumnElement[bool]]:
    c = schema.record.c
    where = [c.conversation == page.conversation] if page.conversation is not None else []
    where += [c.status == page.status.value] if page.status is not None else []
    problems: dict[ProblemFilter, ColumnElement[bool]] = {
        ProblemFilter.UNPRICED: c.priced == 0,
        ProblemFilter.INCOMPLETE: c.status.in_((Status.PARTIAL.value, Status.UNKNOWN.value)),
        ProblemFilter.ANOMALY: c.anomalies != "[]",
        ProblemFilter.FAILED: c.executions_failed > 0,
        ProblemFilter.ERROR: c.status == Status.ERROR.value,
    }
    return [*where, *([problems[page.problem]] if page.problem is not None else [])]


def _keys(order: SortOrder) -> list[ColumnElement[Any]]:
    c = schema.record.c
    last: list[ColumnElement[Any]] = [c.occurred_us, c.id, c.source_id]
    return last if order is SortOrder.TIME else [func.coalesce(c[_COLUMN[order]], _NOTHING), *last]


def _literals(order: SortOrder, cursor: Cursor) -> list[ColumnElement[Any]]:
    last: list[ColumnElement[Any]] = [literal(cursor.occurred_us), literal(cursor.id, schema.ID)]
    last.append(literal(cursor.source_id))
    return last if order is SortOrder.TIME else [literal(cursor.value), *last]


_COLUMN = {
    SortOrder.COST: "cost_pico",
    SortOrder.INPUT: "tokens_input",
    SortOrder.INTERMEDIATE: "tokens_intermediate",
    SortOrder.OUTPUT: "tokens_output",
    SortOrder.EXECUTIONS: "executions_count",
    SortOrder.FAILED: "executions_failed",
}


def _cursor(order: SortOrder, stored: LedgerRecord) -> Cursor:
    record, tokens = stored.record, stored.record.tokens
    values = {
        SortOrder.TIME: 0,
        SortOrder.COST: stored.cost_pico,
        SortOrder.INPUT: tokens.input,
        SortOrder.INTERMEDIATE: tokens.intermediate,
        SortOrder.OUTPUT: tokens.output,
        SortOrder.EXECUTIONS: len(record.executions),
        SortOrder.FAILED: record.failed,
    }
    value = values[order]
    return Cursor(-1 if value is None else value, record.occurred_us, record.id, record.source_id)

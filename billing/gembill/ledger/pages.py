"""Recorded calls page by page, in an order of choice.

Owns: orders, further filters, how many calls there are and the place where a page ended. Not here: how a page looks.
Invariant: a page goes on exactly where the one before ended (keyset), so that no call is shown twice or left out while
others are recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)

from gembill.ledger import records, schema
from gembill.ledger.engine import snapshot
from gembill.ledger.entries import LedgerRecord
from gembill.ledger.record_selection import in_period, selected
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.ledger.totals import Total, read_totals
from gembill.model import Status

_OF_RECORDS = ("anomaly", "failed")  # problems that no rollup counts
_TEXTS = ("model", "requested_model", "key", "labels", "response_id", "conversation", "error", "agent")
_UUID_CHARS = 36
_FIRST, _FIRST_EACH = 2_000, 4  # calls in which a page is looked for first; for each call of a larger page
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
    """Which calls, in which order. `conversation` is what `conversation_id` shows; each of the `words` is in a name of
    the call: its id, model, key, labels, response or error, whatever the case of ASCII letters."""

    selection: Selection
    order: SortOrder = SortOrder.TIME
    ascending: bool = False
    problem: ProblemFilter | None = None
    status: Status | None = None
    conversation: str | None = None
    words: tuple[str, ...] = ()

    @property
    def is_counted_by_rollups(self) -> bool:
        """Whether the sums of the selection say how many calls there are."""
        return not (self.conversation or self.words or self.problem in _OF_RECORDS)


def read_page(
    ledger: Ledger, page: RecordPage, size: int, after: Cursor | None = None
) -> tuple[list[LedgerRecord], Cursor | None]:
    """The next calls, at most `size`, and the place from which to go on; None if these are the last."""
    with snapshot(ledger.engine) as connection:
        query = _query(page, connection.dialect.name, after).limit(size + 1)
        first = _among_the_first(connection, page, query, size, after)
        rows = first if len(first) > size else records.shown(connection, query)
    return rows[:size], _cursor(page.order, rows[size - 1]) if len(rows) > size else None


def _among_the_first(
    connection: Connection, page: RecordPage, query: Select[Any], size: int, after: Cursor | None
) -> list[LedgerRecord]:
    """What `query` finds among the calls of the period that come first in the order, whatever else is asked of them.

    If that is as many as were asked for, they are the page. To see whether a call is current and what it is of takes
    several times as long as to read what it is sorted by, so that this is asked of few calls, not of a month's.
    """
    few = page.conversation or page.words or page.problem or page.status not in (None, Status.COMPLETE)
    if few or page.order is SortOrder.TIME:
        return []  # few of those calls would fit, or an index leads there
    entry, c = schema.entry, schema.record.c
    keys = [entry.c[column.name] for column in entry.primary_key]
    first = _in_order(select(*keys).where(*in_period(page.selection)), page, after, entry)
    some = first.limit(max(_FIRST, _FIRST_EACH * size)).subquery("first")
    return records.shown(connection, query.join(some, and_(*(c[key.name] == some.c[key.name] for key in keys))))


def count_calls(ledger: Ledger, page: RecordPage, most: int) -> int:
    """How many calls there are on all pages together; where rollups do not know it, at most `most` + 1."""
    if page.is_counted_by_rollups:
        totals = read_totals(ledger, page.selection, ("status",))
        return sum(_counted(one, page.problem) for one in totals if page.status in (None, one.group["status"]))
    with snapshot(ledger.engine) as connection:
        where = (*selected(page.selection, connection.dialect.name), *_narrowed(page))
        some: Select[Any] = select(literal_column("1")).select_from(schema.record).where(*where).limit(most + 1)
        return connection.scalar(select(func.count()).select_from(some.subquery())) or 0


def _counted(total: Total, problem: ProblemFilter | None) -> int:
    """The calls of one status that have the problem."""
    if problem is ProblemFilter.ERROR:
        return total.calls if total.group["status"] == Status.ERROR.value else 0
    if problem is ProblemFilter.INCOMPLETE:
        return total.incomplete_calls
    return total.unpriced_calls if problem is ProblemFilter.UNPRICED else total.calls


def _query(page: RecordPage, engine: str, after: Cursor | None) -> Select[Any]:
    query = select(schema.record).where(*selected(page.selection, engine), *_narrowed(page))
    return _in_order(query, page, after, schema.record)


def _in_order(query: Select[Any], page: RecordPage, after: Cursor | None, table: Table) -> Select[Any]:
    keys = _keys(page.order, table)
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
    where += [_says(word) for word in page.words]
    return [*where, *([problems[page.problem]] if page.problem is not None else [])]


def _says(word: str) -> ColumnElement[bool]:
    c = schema.record.c
    texts = [c[name].icontains(word, autoescape=True) for name in _TEXTS]
    return or_(*texts, *([c.id == word] if _is_id(word) else []))


def _is_id(word: str) -> bool:
    try:
        return len(word) == _UUID_CHARS and bool(schema.id_bytes(word))
    except ValueError:
        return False


def _keys(order: SortOrder, table: Table) -> list[ColumnElement[Any]]:
    c = table.c
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

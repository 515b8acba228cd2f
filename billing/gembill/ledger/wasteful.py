"""The conversations in which failed executions cost most.

Owns: the query over calls whose code failed, and which of their conversations are shown. Not here: the sums of a whole
conversation (`conversations`). Invariant: only calls that failed are read to find them, by an index of their own, so
that it takes as long as there are failures, not calls; the rest of a conversation is read for those that are shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, case, func, literal_column, select

from gembill.ledger import schema, sql
from gembill.ledger.conversations import Conversation, goes_on, shared_among, sums_of
from gembill.ledger.engine import snapshot
from gembill.ledger.record_selection import selected
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger

_BATCH = 200
_NO_RUN: Any = literal_column("0")  # as text: a partial index is used only for the condition that it was made with


@dataclass(frozen=True, slots=True)
class WastefulConversation:
    """A conversation and what the failed runs in its selected calls cost, an estimate in pico-dollars."""

    conversation: Conversation
    failed_execution_cost_pico: int


def read_wasteful_conversations(ledger: Ledger, selection: Selection, size: int) -> list[WastefulConversation]:
    """The conversations with failed executions in selected calls, the most wasteful first, at most `size`."""
    with snapshot(ledger.engine) as connection:
        wastes: dict[str, int] = {}
        for some in _batches(connection, _query(selection, connection.dialect.name)):
            wastes |= dict(_shown(connection, some))
            if len(wastes) >= size:
                break
        first = sorted(wastes, key=lambda one: (-wastes[one], one))[:size]
        whole = {one.id: one for one in sums_of(connection, selection, first)}
    return [WastefulConversation(whole[one], wastes[one]) for one in first]


def _query(selection: Selection, engine: str) -> Select[Any]:
    c = schema.record.c
    waste = func.coalesce(c.failed_execution_cost_pico, 0)
    goes = func.max(case((goes_on(), 1), else_=0)).label("goes_on")
    query = select(c.conversation, func.count().label("calls"), goes, *sql.sum_columns([waste], engine))
    query = query.where(c.executions_failed > _NO_RUN, c.conversation.is_not(None), *selected(selection, engine))
    roughly = func.sum(waste * literal_column("1.0"))  # an order, which cannot overflow
    return query.group_by(c.conversation).order_by(roughly.desc(), c.conversation)


def _batches(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    rows = connection.execute(query)
    while some := rows.fetchmany(_BATCH):
        yield some


def _shown(connection: Connection, rows: Sequence[Any]) -> Iterator[tuple[str, int]]:
    """The conversations that calls show, and their waste; single calls are none."""
    single = {row.conversation for row in rows if not row.goes_on and row.calls == 1}
    shared = shared_among(connection, single) if single else set()
    for row in rows:
        if row.conversation not in single or row.conversation in shared:
            yield row.conversation, sql.exact_sums(row[3:], connection.dialect.name)[0]

"""Conversations: the calls of a chat or of a chain of interactions, summed up.

Owns: which calls belong together in a ledger, when that may be shown, and their sums. Not here: display. Invariant: a
conversation is listed exactly where its calls show a `conversation_id` (contract.md): calls that go on from an earlier
turn, and those whose conversation other calls share.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal_column, or_, select

from gembill.ledger import rollup, schema, sql
from gembill.ledger.engine import snapshot
from gembill.ledger.measures import TOKEN_FIELDS
from gembill.ledger.record_selection import in_period, selected
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.model import Operation, Record, Tokens
from gembill.rules import conversation

_MEASURES = (
    "executions",
    "executions_failed",
    *(name for field in TOKEN_FIELDS for name in (f"tokens_{field}", f"tokens_{field}_known")),
    "costed",
    "cost_pico",
)


COUNTED = 1_000
"""So many of the newest conversations are counted, and no more where there are many calls."""
_CALLS_EACH = (16, 128)  # that are looked at for each conversation which is needed: first few, then more

_MEASURED = [rollup.MEASURED[name] for name in _MEASURES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The selected calls of one conversation. `model` is theirs if it is only one; sums skip what is not known."""

    id: str
    operation: str
    calls: int
    first_us: int
    last_us: int
    model: str | None
    models: int
    executions: int
    executions_failed: int
    tokens: Tokens
    cost_pico: int | None


class ConversationOrder(StrEnum):
    """What conversations are sorted by."""

    LAST = "last"
    CALLS = "calls"
    INPUT = "input"
    INTERMEDIATE = "intermediate"
    OUTPUT = "output"
    EXECUTIONS = "executions"
    FAILED = "failed"
    COST = "cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationPage:
    """Which conversations, in which order, and how many of them are left out before. Each of the `words` is in the id
    or in a model of theirs."""

    selection: Selection
    order: ConversationOrder = ConversationOrder.LAST
    ascending: bool = False
    skip: int = 0
    words: tuple[str, ...] = ()

    def counted(self, size: int) -> int | None:
        """How many conversations are counted at least before counting ends with one more; None where all are."""
        newest = self.order is ConversationOrder.LAST and not self.ascending and not self.words
        return max(self.skip + size, COUNTED) if newest else None


def read_conversation_page(ledger: Ledger, page: ConversationPage, size: int) -> tuple[list[Conversation], int]:
    """The conversations of a page, at most `size`, and how many there are on all pages; 0 beyond the last page.

    Of the newest, counting may end with one more than `page.counted` where there are many calls: they are found from
    the end of the period backwards, in as few calls as they need.
    """
    with snapshot(ledger.engine) as connection:
        ids, there = _newest(connection, page, size) or _sorted(connection, page, size)
        whole = {one.id: one for one in sums_of(connection, page.selection, ids)}
    return [whole[one] for one in ids], there


def _newest(connection: Connection, page: ConversationPage, size: int) -> tuple[Sequence[str], int] | None:
    """The ids of a page of the newest conversations, and how many there are, from the last calls of the period alone.

    None where another order is asked for, or where that would be no shorter. A conversation whose last call is among
    the last calls comes before all others; whether it is shown is seen there, because one with other calls is.
    """
    counted = page.counted(size)
    if counted is None:
        return None
    needed = counted + 1
    for each in _CALLS_EACH:
        start_us = _start_of_last(connection, page.selection, needed * each)
        if start_us is None:
            break
        query = _query(replace(page.selection, start_us=start_us), connection.dialect.name, None).limit(needed)
        ids = [row.conversation for row in connection.execute(query)]
        if len(ids) == needed:
            return ids[page.skip : page.skip + size], needed
    return None


def _start_of_last(connection: Connection, selection: Selection, calls: int) -> int | None:
    """When the last so many calls of the period begin, whoever made them; None where it has no more."""
    at = schema.entry.c.occurred_us
    return connection.scalar(select(at).where(*in_period(selection)).order_by(at.desc()).offset(calls).limit(1))


def _sorted(connection: Connection, page: ConversationPage, size: int) -> tuple[Sequence[str], int]:
    """The ids of a page in any order, and how many conversations there are, from all calls of the period."""
    key = _order_key(page.order)
    keys = [one.asc() if page.ascending else one.desc() for one in (key, schema.record.c.conversation)]
    query = _query(page.selection, connection.dialect.name, None).having(*map(_named, page.words))
    query = query.with_only_columns(schema.record.c.conversation, func.count().over().label("there"))
    rows = connection.execute(query.order_by(None).order_by(*keys).offset(page.skip).limit(size)).all()
    return [row.conversation for row in rows], rows[0].there if rows else 0


def _named(word: str) -> ColumnElement[bool]:
    c = schema.record.c
    of_model = func.max(case((c.model.icontains(word, autoescape=True), 1), else_=0)) == 1
    return or_(c.conversation.icontains(word, autoescape=True), of_model)


def _order_key(order: ConversationOrder) -> ColumnElement[Any]:
    """What an order sorts by. Sums are of floats, which cannot overflow: an order does not need every digit."""
    c = schema.record.c
    if order is ConversationOrder.LAST:
        return func.max(c.occurred_us)
    if order is ConversationOrder.CALLS:
        return func.count()
    return func.sum(func.coalesce(c[_ORDERED[order]], 0) * literal_column("1.0"))


_ORDERED = {
    ConversationOrder.INPUT: "tokens_input",
    ConversationOrder.INTERMEDIATE: "tokens_intermediate",
    ConversationOrder.OUTPUT: "tokens_output",
    ConversationOrder.EXECUTIONS: "executions_count",
    ConversationOrder.FAILED: "executions_failed",
    ConversationOrder.COST: "cost_pico",
}


def read_conversations(
    ledger: Ledger, selection: Selection, size: int, after: tuple[int, str] | None = None
) -> list[Conversation]:
    """The conversations with selected calls, the one with the newest call first; `after`: its `last_us` and `id`."""
    with snapshot(ledger.engine) as connection:
        query = _query(selection, connection.dialect.name, after).limit(size)
        rows = sql.summed(connection, query, _MEASURED)
        return [_conversation(row, dict(zip(_MEASURES, values, strict=True))) for row, values in rows]


def sums_of(connection: Connection, selection: Selection, ids: Collection[str]) -> list[Conversation]:
    """The conversations of these ids, of selected calls, whichever way they are shown."""
    query = _query(selection, connection.dialect.name, None).where(schema.record.c.conversation.in_(ids))
    rows = sql.summed(connection, query, _MEASURED)
    return [_conversation(row, dict(zip(_MEASURES, values, strict=True))) for row, values in rows]


def read_chains(ledger: Ledger, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """The conversations of the records with these sources and ids, as far as the ledger has them."""
    c = schema.record.c
    chains: dict[tuple[int, str], str] = {}
    with snapshot(ledger.engine) as connection:
        for source_id in sorted({source_id for source_id, _ in keys}):
            ids = sorted(record_id for source, record_id in keys if source == source_id)
            query = select(c.id, c.conversation).where(c.source_id == source_id, c.id.in_(ids)).order_by(c.revision)
            rows = connection.execute(query)
            chains |= {(source_id, row.id): row.conversation for row in rows if row.conversation is not None}
    return chains


def shown_conversations(connection: Connection, records: Sequence[Record]) -> list[str | None]:
    """Of each record the conversation, where there is more than one turn to tie together."""
    single = {r.conversation for r in records if r.conversation and not conversation.goes_on(r)}
    shared = shared_among(connection, single) if single else set()
    return [r.conversation if conversation.goes_on(r) or r.conversation in shared else None for r in records]


def _query(selection: Selection, engine: str, after: tuple[int, str] | None) -> Select[Any]:
    c = schema.record.c
    calls, last = func.count(), func.max(c.occurred_us)
    shown: ColumnElement[bool] = or_(func.max(case((goes_on(), 1), else_=0)) == 1, calls > 1, _shared())
    if after is not None:
        shown = and_(shown, or_(last < after[0], and_(last == after[0], c.conversation < after[1])))
    query = select(
        c.conversation,
        func.max(c.operation).label("operation"),
        calls.label("calls"),
        func.min(c.occurred_us).label("first_us"),
        last.label("last_us"),
        func.max(c.model).label("model"),
        func.count(c.model.distinct()).label("models"),
    ).where(c.conversation.is_not(None), *selected(selection, engine))
    return query.group_by(c.conversation).having(shown).order_by(last.desc(), c.conversation.desc())


def goes_on() -> ColumnElement[bool]:
    """`gembill.rules.conversation.goes_on` over rows of `record`; a test on generated records compares the two."""
    c = schema.record.c
    interaction = c.operation == Operation.INTERACTIONS.value
    return or_(
        and_(interaction, c.conversation.is_not(None), c.conversation.is_distinct_from(c.response_id)),
        and_(~interaction, func.substr(c.conversation, 1, 2) == conversation.OPENING, func.coalesce(c.turns, 0) > 1),
    )


def shared_among(connection: Connection, single: Collection[str]) -> set[str]:
    """Those of the conversations that more than one record is part of."""
    c = schema.record.c
    query = select(c.conversation).where(c.conversation.in_(sorted(single))).group_by(c.conversation)
    return set(connection.scalars(query.having(func.count(c.id.distinct()) > 1)))


def _shared() -> ColumnElement[bool]:
    """That calls outside the selection are part of the conversation, too."""
    other = schema.entry.alias("other")
    mine = other.c.conversation == schema.record.c.conversation
    count = select(func.count(other.c.id.distinct())).where(mine).correlate(schema.record).scalar_subquery()
    return count > 1


def _conversation(row: Any, values: dict[str, int]) -> Conversation:  # noqa: ANN401
    tokens = {name: values[f"tokens_{name}"] if values[f"tokens_{name}_known"] else None for name in TOKEN_FIELDS}
    return Conversation(
        id=row.conversation,
        operation=row.operation,
        calls=row.calls,
        first_us=row.first_us,
        last_us=row.last_us,
        model=row.model if row.models == 1 else None,
        models=row.models,
        executions=values["executions"],
        executions_failed=values["executions_failed"],
        tokens=Tokens(**tokens),
        cost_pico=values["cost_pico"] if values["costed"] else None,
    )

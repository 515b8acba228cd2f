"""Conversations: the calls of a chat or of a chain of interactions, summed up.

Owns: which calls belong together, and their sums. Owns no display. Invariant: a conversation is listed exactly where
its calls show a `conversation_id` (contract.md): interactions that follow another, chats of several turns, and single
turns seen again.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from gembill.ledger import records, rollup, schema, sums
from gembill.ledger.engine import snapshot
from gembill.ledger.schema import TOKEN_FIELDS
from gembill.ledger.selection import Selection, conditions, labelled
from gembill.ledger.store import Ledger
from gembill.model import Operation, Tokens

_MEASURES = (
    "executions",
    "executions_failed",
    *(name for field in TOKEN_FIELDS for name in (f"tokens_{field}", f"tokens_{field}_known")),
    "costed",
    "cost_pico",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The selected calls of one conversation. `model` is theirs if it is only one; sums skip what is not known."""

    id: str
    operation: Operation
    calls: int
    first_us: int
    last_us: int
    model: str | None
    models: int
    executions: int
    executions_failed: int
    tokens: Tokens
    cost_pico: int | None


def conversations(
    ledger: Ledger, selection: Selection, size: int, after: tuple[int, str] | None = None
) -> list[Conversation]:
    """The conversations with selected calls, the one with the newest call first; `after`: its `last_us` and `id`."""
    with snapshot(ledger.engine) as connection:
        query = _query(selection, connection.dialect.name, after).limit(size)
        found = sums.summed(connection, query, [rollup.MEASURED[name] for name in _MEASURES])
        return [_conversation(row, dict(zip(_MEASURES, values, strict=True))) for row, values in found]


def _query(selection: Selection, engine: str, after: tuple[int, str] | None) -> Select[Any]:
    c = schema.record.c
    calls, last = func.count(), func.max(c.occurred_us)
    shown: ColumnElement[bool] = or_(func.max(_goes_on()) == 1, calls > 1, _shared())
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
    ).where(c.conversation.is_not(None), records.is_current(), *conditions(selection, schema.record, engine))
    query = query.where(*labelled(selection.labels, c.labels, engine))
    if selection.start_us is not None:
        query = query.where(c.occurred_us >= selection.start_us)
    if selection.end_us is not None:
        query = query.where(c.occurred_us < selection.end_us)
    return query.group_by(c.conversation).having(shown).order_by(last.desc(), c.conversation.desc())


def _goes_on() -> ColumnElement[int]:
    """1 for a call that had turns before it, as `lookup` has it: contents of a chat, or an interaction before."""
    c = schema.record.c
    first = c.conversation == func.coalesce(c.response_id, "")
    return case(
        (c.operation == Operation.INTERACTIONS.value, case((first, 0), else_=1)),
        (c.turns > 1, 1),
        else_=0,
    )


def _shared() -> ColumnElement[bool]:
    """That calls outside the selection are part of the conversation, too."""
    other = schema.record.alias("other")
    mine = other.c.conversation == schema.record.c.conversation
    count = select(func.count(other.c.id.distinct())).where(mine).correlate(schema.record).scalar_subquery()
    return count > 1


def _conversation(row: Any, values: dict[str, int]) -> Conversation:  # noqa: ANN401
    tokens = {name: values[f"tokens_{name}"] if values[f"tokens_{name}_known"] else None for name in TOKEN_FIELDS}
    return Conversation(
        id=row.conversation,
        operation=Operation(row.operation),
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

"""Which calls a report looks at.

Owns: the filter, and its SQL over the records and over any other table with the same column names. Not here: calendars.
Invariant: every query over records asks for the current revisions of the selected calls with `selected`, so that none
can forget a part of it; names match by code point on both engines, `*` is the only wildcard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, cast, exists, func, or_, select

from gembill.ledger import schema
from gembill.model import Anomaly, Status

Choice = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A filter; everything given must hold. `start_us` is inclusive, `end_us` exclusive, None is open."""

    start_us: int | None = None
    end_us: int | None = None
    models: tuple[str, ...] = ()  # exact, or with * wildcards
    keys: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()  # exact, of the path of a Vertex call
    labels: Choice = field(default_factory=dict)  # all names, any of the values of one
    code_execution: bool = False  # only calls in which it was used
    unmetered: bool = False  # only calls whose usage gembill cannot read

    @property
    def of_records(self) -> bool:
        """Whether it asks for what records know and rollups do not."""
        return bool(self.locations) or self.unmetered


def selected(selection: Selection, engine: str) -> list[ColumnElement[bool]]:
    """That a row of `record` is the current revision of a selected call."""
    c = schema.record.c
    return [
        is_current(),
        *within(c.occurred_us, selection.start_us, selection.end_us),
        *conditions(selection, schema.record, engine),
        *labelled(selection.labels, c.labels, engine),
        *_of_records(selection),
    ]


def is_current() -> ColumnElement[bool]:
    """That a row of `record` is the highest revision of its record."""
    other = schema.record.alias("newer")
    mine = schema.record.c
    newer = (other.c.source_id == mine.source_id, other.c.id == mine.id, other.c.revision > mine.revision)
    return ~exists(select(1).select_from(other).where(*newer).correlate(schema.record))


def within(column: ColumnElement[int], start: int | None, end: int | None) -> list[ColumnElement[bool]]:
    """That a time lies in `[start, end)`; None is an open end."""
    return [*([column >= start] if start is not None else []), *([column < end] if end is not None else [])]


def conditions(selection: Selection, table: FromClause, engine: str) -> list[ColumnElement[bool]]:
    """The filter but for times, labels and what only records know, over a table that has the columns of the rest."""
    where: list[ColumnElement[bool]] = []
    if selection.models:
        where.append(or_(*(_named(table.c.model, pattern, engine) for pattern in selection.models)))
    if selection.keys:
        where.append(table.c.key.in_(selection.keys))
    if selection.tiers:
        where.append(table.c.service_tier.in_(selection.tiers))
    if selection.code_execution:
        where.append(table.c.code_execution_used == 1)
    return where


def _of_records(selection: Selection) -> list[ColumnElement[bool]]:
    c = schema.record.c
    where: list[ColumnElement[bool]] = []
    if selection.locations:
        where.append(c.location.in_(selection.locations))
    if selection.unmetered:
        where += [c.status == Status.UNKNOWN.value, c.anomalies.contains(f'"{Anomaly.UNMETERED_SURFACE.value}"')]
    return where


def labelled(labels: Choice, column: ColumnElement[Any], engine: str) -> list[ColumnElement[bool]]:
    """That the JSON text in `column` has a label of each name, with one of the values chosen for it."""
    has = _has_label_postgresql if engine == "postgresql" else _has_label
    return [has(column, name, (values,) if isinstance(values, str) else values) for name, values in labels.items()]


def _has_label_postgresql(column: ColumnElement[Any], name: str, values: tuple[str, ...]) -> ColumnElement[bool]:
    from sqlalchemy.dialects.postgresql import JSONB  # 30 ms that a check of budgets on SQLite need not wait for

    return or_(*(cast(column, JSONB).contains({name: value}) for value in values))


def _has_label(column: ColumnElement[Any], name: str, values: tuple[str, ...]) -> ColumnElement[bool]:
    pairs = func.json_each(column).table_valued("key", "value")
    return exists(select(1).select_from(pairs).where(and_(pairs.c.key == name, pairs.c.value.in_(values))))


def _named(column: ColumnElement[Any], pattern: str, engine: str) -> ColumnElement[bool]:
    """That a name fits; a missing one, which rollups hold as the empty string, fits nothing."""
    if "*" not in pattern:
        return column == pattern
    return and_(column != "", _fits(column, pattern, engine))


def _fits(column: ColumnElement[Any], pattern: str, engine: str) -> ColumnElement[bool]:
    if engine == "postgresql":
        escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
        return column.like(escaped, escape="\\")
    escaped = pattern.replace("[", "[[]").replace("?", "[?]")
    return column.op("GLOB", is_comparison=True)(escaped)

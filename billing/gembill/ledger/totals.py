"""Sums over calls, by whatever they are asked for.

Owns: which table answers what, and the exact addition of its parts. Not here: sorting for display and calendars.
Invariant: the result equals the sum over the current revisions of the selected records, nulls left out, exactly.

Whole days come from a rollup by UTC day, what the period leaves of a day from one by hour, and an hour that it cuts
from the records themselves. When a key or a label is asked for, the wide rollup answers, else the narrow one. Rows are
found by the primary key, source by source. On SQLite, whose rollups lie in key order, that took 1.2 ms against 3.3 ms
by an index on the hour (4,000 of 6,680 cells, one source). PostgreSQL scans a small rollup whole; an index on the hour
won 0.2 ms there, not worth its upkeep.

Where a call ran is in no rollup: a location or a project is asked for now and then, by Vertex's users only, and would
multiply the cells of everyone. Such a question, and one for unmetered calls, is answered by the records alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Table, case, select

from gembill.errors import ConfigurationError
from gembill.ledger import mapping, rollup, schema, sql
from gembill.ledger.engine import snapshot
from gembill.ledger.measures import MEASURES, TOKEN_FIELDS
from gembill.ledger.selection import Selection, conditions, labelled, selected, within
from gembill.ledger.store import Ledger
from gembill.model import COST_PARTS, CostParts, Status, Tokens
from gembill.period import HOUR_US

Group = tuple[str | int | None, ...]
_COLUMNS = {
    **{name: name for name in ("model", "api", "operation", "service_tier", "status", "key")},
    "hour": "hour_utc",
    "location": "location",
    "project": "project",
}
_OF_RECORDS = ("location", "project")
_DERIVED = ("calls_code_execution", "incomplete_calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sums of one group; a sum of nothing but nulls is None. `group` has the `by` words and their values."""

    group: dict[str, str | int | bool | None]
    calls: int
    calls_code_execution: int
    executions: int
    executions_failed: int
    unpriced_calls: int
    incomplete_calls: int
    tokens: Tokens
    cost_pico: int | None
    cost_parts: CostParts
    failed_execution_cost_pico: int | None

    @property
    def is_known(self) -> bool:
        """Whether every call has a price and all its tokens, so that the cost is whole."""
        return not self.unpriced_calls and not self.incomplete_calls


def read_totals(ledger: Ledger, selection: Selection, by: Sequence[str] = ()) -> list[Total]:
    """Sums by group, in the order of the groups' values, missing ones last. Without `by` there is always one.

    `by`: model, api, operation, service_tier, status, key, location, project, label.NAME, hour (whole hours since 1970,
    UTC).
    """
    for word in by:
        if word not in _COLUMNS and not word.startswith("label."):
            raise ConfigurationError(
                f"calls cannot be summed by '{word}'; known are {', '.join(_COLUMNS)} and label.NAME"
            )
    sums: dict[Group, list[int]] = {} if by else {(): [0] * (len(MEASURES) + len(_DERIVED))}
    with snapshot(ledger.engine) as connection:
        for group, values in _parts(connection, _Request(selection, by)):
            known = sums.get(group)
            sums[group] = list(values) if known is None else [a + b for a, b in zip(known, values, strict=True)]
    ordered = sorted(sums, key=lambda group: [(value is None, value) for value in group])
    return [_total(by, group, sums[group]) for group in ordered if sums[group][0] or not by]


def read_hourly_totals(ledger: Ledger, selection: Selection, measures: Sequence[str]) -> dict[int, tuple[int, ...]]:
    """Sums of these measures (of `MEASURES`, or incomplete_calls) by hour, whole hours since 1970 in UTC; few are
    quicker than all."""
    sums: dict[int, tuple[int, ...]] = {}
    with snapshot(ledger.engine) as connection:
        for (hour,), values in _parts(connection, _Request(selection, ("hour",), tuple(measures))):
            assert isinstance(hour, int)
            sums[hour] = tuple(map(sum, zip(values, sums.get(hour, (0,) * len(values)), strict=True)))
    return sums


@dataclass(frozen=True, slots=True)
class _Request:
    """Which calls, by what, and what of them."""

    selection: Selection
    by: Sequence[str]
    measures: Sequence[str] = (*MEASURES, *_DERIVED)


@dataclass(frozen=True, slots=True)
class _Layer:
    """Rollups of one unit of time: its length in microseconds, their column of it, and the two of them."""

    unit_us: int
    column: str
    narrow: Table
    wide: Table


_DAYS = _Layer(rollup.DAY_HOURS * HOUR_US, "day_utc", schema.rollup_narrow_day, schema.rollup_wide_day)
_HOURS = _Layer(HOUR_US, "hour_utc", schema.rollup_narrow, schema.rollup_wide)
_Period = tuple[int | None, int | None]


def _parts(connection: Connection, request: _Request) -> Iterator[tuple[Group, tuple[int, ...]]]:
    period = (request.selection.start_us, request.selection.end_us)
    if request.selection.of_records or not set(request.by).isdisjoint(_OF_RECORDS):
        return _from_records(connection, request, period)
    return _within(connection, request, period, (_HOURS,) if "hour" in request.by else (_DAYS, _HOURS))


def _within(
    connection: Connection, request: _Request, period: _Period, layers: Sequence[_Layer]
) -> Iterator[tuple[Group, tuple[int, ...]]]:
    """Sums over the period: its whole units from the first layer, what is left at its ends from the finer ones."""
    if not layers:
        yield from _from_records(connection, request, period)
        return
    (layer, *finer), (start, end) = layers, period
    first = None if start is None else -(-start // layer.unit_us)
    last = None if end is None else end // layer.unit_us
    if first is not None and last is not None and first >= last:  # no whole unit
        yield from _within(connection, request, period, finer)
        return
    yield from _from_rollup(connection, request, layer, (first, last))
    if first is not None and start is not None and start < first * layer.unit_us:
        yield from _within(connection, request, (start, first * layer.unit_us), finer)
    if last is not None and end is not None and end > last * layer.unit_us:
        yield from _within(connection, request, (last * layer.unit_us, end), finer)


def _from_rollup(
    connection: Connection, request: _Request, layer: _Layer, units: tuple[int | None, int | None]
) -> Iterator[tuple[Group, tuple[int, ...]]]:
    selection, by = request.selection, request.by
    wide = bool(selection.keys or selection.labels) or any(word == "key" or word.startswith("label.") for word in by)
    table = layer.wide if wide else layer.narrow
    engine = connection.dialect.name
    where = [
        table.c.source_id.in_(select(schema.source.c.source_id)),
        *within(table.c[layer.column], *units),
        *conditions(selection, table, engine),
    ]
    if selection.labels:
        matching = labelled(selection.labels, schema.label_set.c.labels, engine)
        where.append(table.c.labels_hash.in_(select(schema.label_set.c.labels_hash).where(*matching)))
    measured = {name: table.c[name] for name in MEASURES}
    yield from _grouped(connection, request, _Table(table, dict(table.c), measured, where))


def _from_records(
    connection: Connection, request: _Request, period: _Period
) -> Iterator[tuple[Group, tuple[int, ...]]]:
    where = selected(replace(request.selection, start_us=period[0], end_us=period[1]), connection.dialect.name)
    yield from _grouped(connection, request, _Table(schema.record, rollup.KEYED, rollup.MEASURED, where))


@dataclass(frozen=True, slots=True)
class _Table:
    """A table to sum: the expressions of keys and measures over it, and which of its rows count."""

    rows: FromClause
    keyed: Mapping[str, ColumnElement[Any]]
    measured: Mapping[str, ColumnElement[Any]]
    where: Sequence[ColumnElement[bool]]


def _grouped(connection: Connection, request: _Request, table: _Table) -> Iterator[tuple[Group, tuple[int, ...]]]:
    by = request.by
    keys = [table.keyed[_COLUMNS.get(word, "labels_hash")].label(f"by_{place}") for place, word in enumerate(by)]
    calls = table.measured["calls"]
    incomplete = table.keyed["status"].in_((Status.PARTIAL.value, Status.UNKNOWN.value))
    derived = (table.keyed["code_execution_used"] * calls, case((incomplete, calls), else_=0))
    measured = {**table.measured, **dict(zip(_DERIVED, derived, strict=True))}
    values = [measured[name] for name in request.measures]
    query = select(*keys).select_from(table.rows).where(*table.where).group_by(*keys)
    labels = _label_sets(connection) if any(word.startswith("label.") for word in by) else {}
    for row, sums in sql.summed(connection, query, values):
        yield tuple(_value(word, row[place], labels) for place, word in enumerate(by)), sums


def _label_sets(connection: Connection) -> dict[bytes, dict[str, str]]:
    c = schema.label_set.c
    rows = connection.execute(select(c.labels_hash, c.labels).distinct())
    return {bytes(hashed): mapping.read_labels(text) for hashed, text in rows}


def _value(word: str, key: Any, labels: Mapping[bytes, Mapping[str, str]]) -> str | int | None:  # noqa: ANN401
    if word.startswith("label."):
        return labels[bytes(key)].get(word.removeprefix("label."))
    value: str | int | None = key if key != "" else None
    return value


def _total(by: Sequence[str], group: Group, values: Sequence[int]) -> Total:
    sums_ = dict(zip((*MEASURES, *_DERIVED), values, strict=True))
    tokens = {name: sums_[f"tokens_{name}"] if sums_[f"tokens_{name}_known"] else None for name in TOKEN_FIELDS}
    costed = bool(sums_["costed"])
    parts = {part: sums_[f"cost_{part}_pico"] if costed else None for part in COST_PARTS}
    return Total(
        group=dict(zip(by, group, strict=True)),
        calls=sums_["calls"],
        calls_code_execution=sums_["calls_code_execution"],
        executions=sums_["executions"],
        executions_failed=sums_["executions_failed"],
        unpriced_calls=sums_["unpriced_calls"],
        incomplete_calls=sums_["incomplete_calls"],
        tokens=Tokens(**tokens),
        cost_pico=sums_["cost_pico"] if costed else None,
        failed_execution_cost_pico=sums_["failed_execution_cost_pico"] if costed else None,
        cost_parts=CostParts(**parts),
    )

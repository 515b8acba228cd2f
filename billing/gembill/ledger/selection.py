"""Which calls a report looks at.

Owns: the filter, and its SQL as text over any table with the columns it asks for. Not here: calendars, and the current
revisions of records (`record_selection`). Invariant: names match by code point on both engines, `*` is the only
wildcard; a condition holds no value, they are beside it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Choice = Mapping[str, str | tuple[str, ...]]
Condition = tuple[str, tuple[str | int, ...]]
"""SQL, and the values that each `?` in it stands for."""


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
    seen_us: int | None = None  # as the ledger was when all that was posted later was not there

    @property
    def of_records(self) -> bool:
        """Whether it asks for what records know and rollups do not."""
        return bool(self.locations) or self.unmetered or self.seen_us is not None


def within(column: str, start: int | None, end: int | None) -> list[Condition]:
    """That a time lies in `[start, end)`; None is an open end."""
    ends = ((">=", start), ("<", end))
    return [(f"{column} {sign} ?", (limit,)) for sign, limit in ends if limit is not None]


def conditions(selection: Selection, table: str, dialect: str) -> list[Condition]:
    """The filter but for times, labels and what only records know, over a table that has the columns of the rest."""
    where: list[Condition] = []
    if selection.models:
        where.append(_any_of([_named(f"{table}.model", pattern, dialect) for pattern in selection.models]))
    if selection.keys:
        where.append(one_of(f"{table}.key", selection.keys))
    if selection.tiers:
        where.append(one_of(f"{table}.service_tier", selection.tiers))
    if selection.code_execution:
        where.append((f"{table}.code_execution_used = 1", ()))
    return where


def one_of(column: str, values: Sequence[str]) -> Condition:
    """That a column has one of these values."""
    return f"{column} IN ({', '.join('?' * len(values))})", tuple(values)


def labelled(labels: Choice, column: str, dialect: str) -> list[Condition]:
    """That the JSON text in `column` has a label of each name, with one of the values chosen for it."""
    has = _has_label_postgresql if dialect == "postgresql" else _has_label
    return [has(column, name, (values,) if isinstance(values, str) else values) for name, values in labels.items()]


def _has_label_postgresql(column: str, name: str, values: tuple[str, ...]) -> Condition:
    return _any_of([(f"CAST({column} AS JSONB) @> CAST(? AS JSONB)", (json.dumps({name: value}),)) for value in values])


def _has_label(column: str, name: str, values: tuple[str, ...]) -> Condition:
    fits, chosen = one_of("pair.value", values)
    return f"EXISTS (SELECT 1 FROM json_each({column}) AS pair WHERE pair.key = ? AND {fits})", (name, *chosen)  # noqa: S608


def _any_of(those: Sequence[Condition]) -> Condition:
    return f"({' OR '.join(sql for sql, _ in those)})", tuple(value for _, values in those for value in values)


def _named(column: str, pattern: str, dialect: str) -> Condition:
    """That a name fits; a missing one, which rollups hold as the empty string, fits nothing."""
    if "*" not in pattern:
        return f"{column} = ?", (pattern,)
    if dialect == "postgresql":
        escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
        return f"({column} <> '' AND {column} LIKE ? ESCAPE '\\')", (escaped,)
    return f"({column} <> '' AND {column} GLOB ?)", (pattern.replace("[", "[[]").replace("?", "[?]"),)

"""Sums of 64-bit integers that are exact however large they grow.

Owns: the SQL of many sums over one table, and how a row of them becomes Python integers. Owns no measure.
Invariant: no rounding, no overflow.

PostgreSQL adds up bigint as numeric. SQLite adds up 64-bit integers and fails above 2^63 (9.2 million dollars in
pico-dollars). It says so, and only then the upper and the lower 32 bits are added up apart, which takes 1.5 times as
long (11.1 against 7.3 ms for 27 sums by model over 6,680 cells).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal_column
from sqlalchemy.exc import OperationalError

_BITS = 32
_SHIFT: ColumnElement[int] = literal_column(str(_BITS))
_MASK: ColumnElement[int] = literal_column(str((1 << _BITS) - 1))
_OVERFLOW = "integer overflow"  # what SQLite's sum() says


def summed(
    connection: Connection, query: Select[Any], values: Sequence[ColumnElement[Any]]
) -> Iterator[tuple[Row[Any], tuple[int, ...]]]:
    """The rows of `query`, its own columns first, and with each the sums of these values; over nothing they are 0."""
    engine = connection.dialect.name
    own = len(query.selected_columns)
    if engine == "sqlite":
        try:
            found = connection.execute(query.add_columns(*(func.sum(value) for value in values))).all()
        except OperationalError as error:
            if _OVERFLOW not in str(error.orig):
                raise
        else:
            yield from ((row, tuple(int(value or 0) for value in row[own:])) for row in found)
            return
    for row in connection.execute(query.add_columns(*selected(values, engine))):
        yield row, joined(row[own:], engine)


def selected(values: Iterable[ColumnElement[Any]], engine: str) -> list[ColumnElement[Any]]:
    """What to select for the sums of these values."""
    if engine == "postgresql":
        return [func.sum(value) for value in values]
    return [half for value in values for half in (func.sum(value.op(">>")(_SHIFT)), func.sum(value.op("&")(_MASK)))]


def joined(found: Sequence[Any], engine: str) -> tuple[int, ...]:
    """The sums a row of `selected` stands for; sums over nothing are 0."""
    if engine == "postgresql":
        return tuple(int(value or 0) for value in found)
    return tuple(((high or 0) << _BITS) + (low or 0) for high, low in zip(found[::2], found[1::2], strict=True))

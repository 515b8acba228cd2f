"""SQL that both engines run fast and exactly: many rows into one table, and sums that cannot overflow.

Owns: the insert statements and how their rows reach the driver; the SQL of many sums over one table, and how a row of
them becomes Python integers. Not here: transactions, and what a row or a sum means. Invariant: rows go in in the order
of their primary key, so that writers that meet take their locks in one order; sums of 64-bit integers are exact however
large they grow.

Tuples straight to the driver cost a quarter of SQLAlchemy's dicts, RETURNING would cost four times as much on
PostgreSQL, and COPY is its fastest way in (performance.md 3). The SQL of the other inserts is still SQLAlchemy's.

PostgreSQL adds up bigint as numeric. SQLite adds up 64-bit integers and fails above 2^63 (9.2 million dollars in
pico-dollars). It says so, and only then the upper and the lower 32 bits are added up apart, which takes 1.5 times as
long (11.1 against 7.3 ms for 27 sums by model over 6,680 cells).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum
from functools import cache
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Dialect, Select, Table, func, literal_column
from sqlalchemy import Row as ResultRow
from sqlalchemy.exc import DBAPIError, OperationalError

from gembill.ledger.measures import HALF_BITS, OVERFLOW, joined_halves
from gembill.ledger.schema import id_bytes

Row = tuple[Any, ...]
_MARK = {"sqlite": "?", "postgresql": "%s"}
_CLOSINGS = 0x67656D636C6F73  # any number no other program locks: "gemclos"
_PARAMETERS = 10_000  # of a statement; SQLite takes 32,766
_SHIFT: ColumnElement[int] = literal_column(str(HALF_BITS))
_MASK: ColumnElement[int] = literal_column(str((1 << HALF_BITS) - 1))


class OnConflict(Enum):
    """What happens to a row whose key is there already."""

    RAISE = "raise"
    IGNORE = "ignore"
    ADD = "add"  # its columns outside the key are added to those that are there


def insert(connection: Connection, table: Table, rows: Iterable[Row], clash: OnConflict = OnConflict.RAISE) -> None:
    """Insert rows whose values stand in the order of the table's columns, key first."""
    ordered = sorted(rows, key=itemgetter(*range(len(table.primary_key))))
    if not ordered:
        return
    if connection.dialect.name == "postgresql" and clash is OnConflict.RAISE:
        _copy(connection, table, ordered)
    else:
        connection.exec_driver_sql(_statement(connection.dialect.name, table, clash), ordered)


def known_ids(connection: Connection, table: Table, source_id: int, ids: Collection[str]) -> set[str]:
    """Which of these ids a table has of a source.

    Straight to the driver as well: SQLAlchemy's expression costs 5 us an id, and it is asked for every call.
    """
    if connection.dialect.name == "postgresql":
        wanted = f"SELECT DISTINCT id FROM {table.name} WHERE source_id = %s AND id = ANY(%s::uuid[])"  # noqa: S608
        return {str(row[0]) for row in connection.exec_driver_sql(wanted, (source_id, list(ids)))}
    known: set[str] = set()
    every = [id_bytes(one) for one in ids]
    for start in range(0, len(every), _PARAMETERS):
        some = every[start : start + _PARAMETERS]
        marks = ",".join("?" * len(some))
        wanted = f"SELECT DISTINCT id FROM {table.name} WHERE source_id = ? AND id IN ({marks})"  # noqa: S608
        rows = connection.exec_driver_sql(wanted, (source_id, *some))
        known.update(str(UUID(bytes=row[0])) for row in rows)
    return known


def known_sources(connection: Connection, source_ids: Collection[int]) -> set[int]:
    """Which of these numbers have their row in `source`."""
    marks = ",".join([_MARK[connection.dialect.name]] * len(source_ids))
    wanted = f"SELECT source_id FROM source WHERE source_id IN ({marks})"  # noqa: S608
    return {row[0] for row in connection.exec_driver_sql(wanted, tuple(sorted(source_ids)))}


def note_seen(connection: Connection, source_id: int, now_us: int) -> None:
    """Note in its row that a source wrote now."""
    mark = _MARK[connection.dialect.name]
    change = f"UPDATE source SET last_seen_us = {mark} WHERE source_id = {mark}"  # noqa: S608
    connection.exec_driver_sql(change, (now_us, source_id))


def lock_closings(connection: Connection, *, shared: bool) -> None:
    """Wait for whoever closes a month, or not `shared` for all who post, until this transaction ends.

    SQLite lets one write alone. On PostgreSQL it is a number and no lock of the table `closed_month`, which would ask a
    role that posts for the right to change closed months.
    """
    if connection.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        connection.exec_driver_sql(f"SELECT {lock}(%s)", (_CLOSINGS,))


def _copy(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """COPY, 1.8 times as fast in batches of 500 as executemany; its errors become SQLAlchemy's."""
    import psycopg
    from psycopg import sql

    names = sql.SQL(", ").join(map(sql.Identifier, table.columns.keys()))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True) from error


@cache
def _statement(engine: str, table: Table, clash: OnConflict) -> str:
    """The statement with positional parameters, one for each column of the table in order."""
    dialect: Dialect
    if engine == "postgresql":  # each costs tens of milliseconds to import: one is enough
        from sqlalchemy.dialects import postgresql
        from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

        statement: Any = postgresql.insert(table)
        dialect = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
    else:
        from sqlalchemy.dialects import sqlite
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

        statement = sqlite.insert(table)
        dialect = SQLiteDialect_pysqlite(paramstyle="qmark")
    key = list(table.primary_key.columns)
    if clash is OnConflict.IGNORE:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    elif clash is OnConflict.ADD:
        added = {c.name: c + statement.excluded[c.name] for c in table.columns if not c.primary_key}
        statement = statement.on_conflict_do_update(index_elements=key, set_=added)
    compiled = statement.compile(dialect=dialect)
    assert compiled.positiontup == list(table.columns.keys())
    return str(compiled)


def summed(
    connection: Connection, query: Select[Any], values: Sequence[ColumnElement[Any]]
) -> Iterator[tuple[ResultRow[Any], tuple[int, ...]]]:
    """The rows of `query`, its own columns first, and with each the sums of these values; over nothing they are 0."""
    engine = connection.dialect.name
    own = len(query.selected_columns)
    if engine == "sqlite":
        try:
            rows = connection.execute(query.add_columns(*(func.sum(value) for value in values))).all()
        except OperationalError as error:
            if OVERFLOW not in str(error.orig):
                raise
        else:
            yield from ((row, tuple(int(value or 0) for value in row[own:])) for row in rows)
            return
    for row in connection.execute(query.add_columns(*sum_columns(values, engine))):
        yield row, exact_sums(row[own:], engine)


def sum_columns(values: Iterable[ColumnElement[Any]], engine: str) -> list[ColumnElement[Any]]:
    """What to select for the sums of these values."""
    if engine == "postgresql":
        return [func.sum(value) for value in values]
    return [half for value in values for half in (func.sum(value.op(">>")(_SHIFT)), func.sum(value.op("&")(_MASK)))]


def exact_sums(row: Sequence[Any], engine: str) -> tuple[int, ...]:
    """The sums a row of `sum_columns` stands for; sums over nothing are 0."""
    if engine == "postgresql":
        return tuple(int(value or 0) for value in row)
    return joined_halves(row)

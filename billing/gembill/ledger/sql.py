"""Many rows into one table, fast.

Owns: the insert statements and how their rows reach the driver. Owns no transaction and no meaning of a row.
Invariant: rows go in in the order of their primary key, so that writers that meet take their locks in one order.

Tuples straight to the driver cost a quarter of SQLAlchemy's dicts, RETURNING would cost four times as much on
PostgreSQL, and COPY is its fastest way in (performance.md 3). The SQL of the other inserts is still SQLAlchemy's.
"""

from collections.abc import Iterable
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]


class OnConflict(Enum):
    """What happens to a row whose key is there already."""

    RAISE = "raise"
    IGNORE = "ignore"
    ADD = "add"  # its columns outside the key are added to those that are there


def insert(connection: Connection, table: Table, rows: Iterable[Row], clash: OnConflict = OnConflict.RAISE) -> None:
    """Insert rows whose values stand in the order of the table's columns, key first."""
    ordered = sorted(rows, key=lambda row: row[: len(table.primary_key)])
    if not ordered:
        return
    if connection.dialect.name == "postgresql" and clash is OnConflict.RAISE:
        _copy(connection, table, ordered)
    else:
        connection.exec_driver_sql(_statement(connection.dialect.name, table, clash), ordered)


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

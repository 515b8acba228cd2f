"""Errors of real databases, told apart by what to do about them."""

from collections.abc import Callable
from contextlib import closing

import pytest
from sqlalchemy import Connection, Engine, insert
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.schema import DropTable

from gembill import sqlite
from gembill.errors import LedgerError
from gembill.ledger import InvalidPosting, Ledger, LedgerUnavailable, schema, sql
from gembill.ledger import engine as engines
from gembill.ledger.errors import _SQLITE_ABOUT_VALUES, _STATES, is_overtaken, translated
from tests.gembill.ledger.making import SPOOL, append, posting

LETTER: sql.Row = (1, "x", None, b"", "canary", 9)


def change(row: sql.Row, place: int, value: object) -> Callable[[Connection], None]:
    changed = (*row[:place], value, *row[place + 1 :])
    return lambda connection: sql.insert(connection, schema.dead_letter, [changed])


def no_uuid(connection: Connection) -> None:
    values = {"source_id": 1, "id": "canary", "body": b""}
    connection.execute(insert(schema.event).values(values))


@pytest.mark.parametrize(
    "doing",
    [change(LETTER, 3, None), change(LETTER, 0, 2**70), change(LETTER, 4, "canary \ud800"), no_uuid],
    ids=["null", "too large", "half a surrogate pair", "no UUID"],
)
def test_a_value_that_cannot_be_kept_is_unfit_and_is_not_quoted(
    ledger: Ledger, doing: Callable[[Connection], None]
) -> None:
    with (
        pytest.raises(InvalidPosting, match=r"^the ledger cannot bury it: \S") as caught,
        translated("bury it"),
        engines.writing(ledger.engine) as connection,
    ):
        doing(connection)
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def impatient(connection: Connection) -> None:
    """Wait for no lock on this connection."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        connection.rollback()
        connection.exec_driver_sql("DELETE FROM dead_letter")
    else:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '1ms'")
        connection.exec_driver_sql("LOCK TABLE dead_letter")


def test_rows_that_others_hold_are_a_reason_to_try_later(ledger: Ledger) -> None:
    with engines.writing(ledger.engine) as holder:
        sql.insert(holder, schema.dead_letter, [LETTER])
        with ledger.engine.connect() as connection, pytest.raises(LedgerUnavailable, match="cannot post now"):
            _translate(connection)


def _translate(connection: Connection) -> None:
    with translated("post"):
        impatient(connection)


def test_a_pool_without_a_free_connection_is_a_reason_to_try_later() -> None:
    with pytest.raises(LedgerUnavailable), translated("post"):
        raise PoolTimeout("all are taken")


def test_a_missing_table_is_not_a_fault_of_the_posting(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(DropTable(schema.rollup_wide_day))
    with pytest.raises(LedgerError) as caught:
        append(ledger, SPOOL, [posting(1)])
    assert not isinstance(caught.value, InvalidPosting)


def test_errors_that_are_not_the_databases_pass_as_they_are() -> None:
    with pytest.raises(KeyError), translated("post"):
        raise KeyError("ours")


@pytest.mark.parametrize(
    ("doing", "overtaken"),
    [(change(LETTER, 4, "again"), True), (change(LETTER, 3, None), False)],
    ids=["the key is taken", "a value is missing"],
)
def test_only_a_taken_key_means_that_another_writer_was_quicker(
    ledger: Ledger, doing: Callable[[Connection], None], overtaken: bool
) -> None:
    with engines.writing(ledger.engine) as connection:
        sql.insert(connection, schema.dead_letter, [LETTER])
    assert is_overtaken(_refused(ledger.engine, doing)) is overtaken


def _refused(engine: Engine, doing: Callable[[Connection], None]) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught, engines.writing(engine) as connection:
        doing(connection)
    return caught.value


def test_the_drivers_words_are_kept_even_where_it_has_none() -> None:
    for orig, words in ((ValueError("first line\nDETAIL: canary"), "first line"), (ValueError(), "ValueError")):
        for error in (StatementError("x", None, None, orig), DBAPIError(None, None, orig)):
            with pytest.raises(LedgerError) as caught, translated("post"):
                raise error
            assert str(caught.value) == f"the ledger cannot post: {words}"


class Stated(Exception):
    """An error of a driver with its SQLSTATE."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("words")
        self.sqlstate = sqlstate


def kind_of(error: Exception) -> type[LedgerError]:
    with pytest.raises(LedgerError) as caught, translated("post"):
        raise error
    return type(caught.value)


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("08006", LedgerUnavailable),
        ("22003", InvalidPosting),
        ("23502", InvalidPosting),
        ("40P01", LedgerUnavailable),
        ("53100", LedgerUnavailable),
        ("54000", InvalidPosting),
        ("57P01", LedgerUnavailable),
    ],
)
def test_the_sqlstate_decides_whichever_exception_carries_it(sqlstate: str, kind: type[LedgerError]) -> None:
    for around in (OperationalError, ProgrammingError, DBAPIError):
        assert kind_of(around("x", None, Stated(sqlstate))) is kind


def test_every_class_of_the_table_is_tried_above() -> None:
    assert set(_STATES) == {"08", "22", "23", "40", "53", "54", "57"}


def test_a_lost_connection_has_no_sqlstate_and_passes_and_a_missing_table_is_neither() -> None:
    assert kind_of(OperationalError("x", None, Stated(None))) is LedgerUnavailable
    assert kind_of(ProgrammingError("x", None, Stated("42P01"))) is LedgerError


@pytest.mark.parametrize("words", _SQLITE_ABOUT_VALUES)
def test_sqlite_says_by_its_words_what_is_about_a_value(words: str) -> None:
    assert kind_of(OperationalError("x", None, sqlite.driver.OperationalError(words))) is InvalidPosting


def test_what_else_sqlite_says_as_an_operational_error_passes() -> None:
    assert kind_of(OperationalError("x", None, sqlite.driver.OperationalError("disk I/O error"))) is LedgerUnavailable


def test_a_key_that_no_index_takes_is_a_fault_of_the_row(ledger: Ledger) -> None:
    """The server says it as an OperationalError; SQLite has no such limit, its overflow is said so."""
    if ledger.engine.dialect.name == "sqlite":
        overflow = "SELECT sum(n) FROM (SELECT 9223372036854775807 AS n UNION ALL SELECT 1)"
        with (
            pytest.raises(InvalidPosting, match="integer overflow"),
            translated("post"),
            ledger.engine.connect() as connection,
        ):
            connection.exec_driver_sql(overflow).all()
        return
    key = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(20_000))  # does not compress
    with (
        pytest.raises(InvalidPosting, match="index row"),
        translated("post"),
        engines.writing(ledger.engine) as connection,
    ):
        _insert_wide(connection, key)


def _insert_wide(connection: Connection, key: str) -> None:
    connection.exec_driver_sql("CREATE TEMPORARY TABLE wide (key text PRIMARY KEY) ON COMMIT DROP")
    connection.exec_driver_sql("INSERT INTO wide VALUES (%s)", (key,))


def test_a_folder_that_may_not_be_written_to_is_named_as_the_reason() -> None:
    """By a connection that may not write: tests may run as root, whom no folder refuses."""
    with closing(sqlite.driver.connect(":memory:")) as connection:
        connection.execute("PRAGMA query_only = 1")
        with pytest.raises(LedgerUnavailable, match="keeps a log beside the file, for readers too"), translated("read"):
            connection.execute("CREATE TABLE t (a)")


@pytest.mark.parametrize(
    ("words", "help_"),
    [
        ("database is locked", "gembill doctor"),
        ("database or disk is full", "make room"),
        ("disk I/O error", ""),
    ],
)
def test_what_helps_is_said_beside_sqlites_own_words(words: str, help_: str) -> None:
    with pytest.raises(LedgerUnavailable) as raised, translated("post"):
        raise sqlite.driver.OperationalError(words)
    assert str(raised.value).startswith(f"the ledger cannot post now: {words}")
    assert help_ in str(raised.value)

"""Errors of real databases, told apart by what to do about them."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, insert
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.schema import DropTable

from gembill.errors import LedgerError
from gembill.ledger import InvalidPosting, Ledger, LedgerUnavailable, schema, sql
from gembill.ledger import engine as engines
from gembill.ledger.errors import is_overtaken, translated
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

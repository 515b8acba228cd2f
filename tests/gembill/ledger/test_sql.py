"""Rows through both ways into a table: COPY or statement, on both engines."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, select, text
from sqlalchemy.exc import IntegrityError

from gembill.ledger import Ledger, Selection, audit_ledger, read_totals, schema, sql
from gembill.ledger import engine as engines
from gembill.ledger.schema import MEASURES, NARROW_KEY
from gembill.ledger.sql import OnConflict
from tests.gembill.ledger.making import HOUR, SPOOL, START, append, posting, rated, tokens

ODD = "tab\tline\nreturn\r backslash-n \\N \\. quote ' \" percent % {} ünï 𝔘"


def letter(number: int, body: bytes = b"", reason: str = "") -> sql.Row:
    """A row of `dead_letter`, whose rows lie in the order in which they were inserted."""
    return (1, f"{number:03}", None, body, reason, 9)


def cell(model: str, value: int) -> sql.Row:
    """A row of `rollup_narrow` with the same number in all its measures."""
    values = {"source_id": 1, "hour_utc": 2, "model": model, "code_execution_used": 0}
    return (*(values.get(name, "x") for name in NARROW_KEY), *(value for _ in MEASURES))


@pytest.mark.parametrize("clash", [OnConflict.RAISE, OnConflict.IGNORE])
def test_rows_go_in_in_the_order_of_their_key(ledger: Ledger, clash: OnConflict) -> None:
    numbers = list(range(200))
    Random(1).shuffle(numbers)
    place = "rowid" if ledger.engine.dialect.name == "sqlite" else "ctid"
    with engines.writing(ledger.engine) as connection:
        sql.insert(connection, schema.dead_letter, map(letter, numbers), clash)
        ids = connection.scalars(text(f"SELECT id FROM dead_letter ORDER BY {place}"))
        assert list(ids) == [f"{number:03}" for number in range(200)]


@pytest.mark.parametrize("clash", [OnConflict.RAISE, OnConflict.IGNORE])
def test_texts_bytes_and_nulls_arrive_as_they_are(ledger: Ledger, clash: OnConflict) -> None:
    rows = [letter(1, bytes(range(256)), ODD), letter(2), letter(3, b"\\N", "\\N")]
    with engines.writing(ledger.engine) as connection:
        sql.insert(connection, schema.dead_letter, rows, clash)
        there = connection.execute(select(schema.dead_letter).order_by(schema.dead_letter.c.id))
        assert [tuple(row) for row in there] == rows


def test_a_key_that_is_there_raises_the_same_error_on_both_engines(ledger: Ledger) -> None:
    with engines.writing(ledger.engine) as connection:
        sql.insert(connection, schema.dead_letter, [letter(1)])
    with pytest.raises(IntegrityError), engines.writing(ledger.engine) as connection:
        sql.insert(connection, schema.dead_letter, [letter(0), letter(1)])
    with ledger.engine.connect() as connection:
        assert list(connection.scalars(select(schema.dead_letter.c.id))) == ["001"]


def test_a_row_that_is_there_can_be_left_as_it_is(ledger: Ledger) -> None:
    with engines.writing(ledger.engine) as connection:
        sql.insert(connection, schema.dead_letter, [letter(1, reason="first")])
        sql.insert(connection, schema.dead_letter, [letter(1, reason="second"), letter(2)], OnConflict.IGNORE)
        c = schema.dead_letter.c
        there = connection.execute(select(c.id, c.reason).order_by(c.id))
        assert [tuple(row) for row in there] == [("001", "first"), ("002", "")]


def test_sources_are_known_by_their_rows_and_noted_when_they_write(ledger: Ledger) -> None:
    with engines.writing(ledger.engine) as connection:
        sql.insert(connection, schema.source, [(number, "spool", None, None, 1, 1) for number in (5, 6)])
        assert sql.known_sources(connection, {7, 6, 5}) == {5, 6}
        sql.note_seen(connection, 6, 9)
        seen = connection.execute(select(schema.source.c.source_id, schema.source.c.last_seen_us))
        assert {tuple(row) for row in seen} == {(5, 1), (6, 9)}


def test_counters_are_added_to_those_that_are_there(ledger: Ledger) -> None:
    with engines.writing(ledger.engine) as connection:
        sql.insert(connection, schema.rollup_narrow, [cell("a", 5), cell("b", 1)], OnConflict.ADD)
        sql.insert(connection, schema.rollup_narrow, [cell("c", 2**62), cell("a", -3)], OnConflict.ADD)
        there = connection.execute(select(schema.rollup_narrow).order_by(schema.rollup_narrow.c.model))
        assert [tuple(row) for row in there] == [cell("a", 5 - 3), cell("b", 1), cell("c", 2**62)]


def test_nothing_to_insert_asks_nothing_of_the_database(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        sql.insert(connection, schema.dead_letter, [])
        assert not connection.in_transaction()


WHOLE = st.integers(-3, 3) | st.sampled_from([-(2**63), 2**63 - 1]) | st.integers(-(2**63), 2**63 - 1)
Rows = list[tuple[int | None, int]]

numbers = Table(
    "numbers",
    MetaData(),
    Column("half", BigInteger),
    Column("value", BigInteger),
    Column("other", BigInteger),
    prefixes=["TEMPORARY"],
)


def filled(connection: Connection, rows: Rows) -> None:
    """A table of this connection, gone when it is rolled back; `half` is 0 or 1 by turns."""
    numbers.create(connection)
    for place, (value, other) in enumerate(rows):
        connection.execute(numbers.insert().values(half=place % 2, value=value, other=other))


def added(rows: Rows) -> tuple[int, int]:
    return sum(value or 0 for value, _ in rows), sum(other for _, other in rows)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.none() | WHOLE, WHOLE), max_size=6))
def test_sums_are_exact_however_large_and_over_nothing_zero(ledger: Ledger, rows: Rows) -> None:
    engine = ledger.engine.dialect.name
    values = [numbers.c.value, numbers.c.other]
    halves = {place: added(rows[place::2]) for place in range(min(len(rows), 2))}
    with ledger.engine.connect() as connection:
        filled(connection, rows)
        summed_row = connection.execute(select(*sql.sum_columns(values, engine))).one()
        assert sql.exact_sums(summed_row, engine) == added(rows)
        by_half = select(numbers.c.half).group_by(numbers.c.half)
        assert {row.half: both for row, both in sql.summed(connection, by_half, values)} == halves


def test_a_year_of_days_with_a_thousand_million_tokens_sums_exactly(ledger: Ledger) -> None:
    unit = 60_000_000  # 60 dollars per million tokens: more than 2^63 pico-dollars in a year
    days = [
        posting(
            day,
            rated(tokens(10**9 - day, 0, day), unit),
            tokens=tokens(10**9 - day, 0, day),
            occurred_us=START + day * 24 * HOUR,
        )
        for day in range(1, 366)
    ]
    append(ledger, SPOOL, days)
    for wanted in (Selection(), Selection(start_us=START + 24 * HOUR + 0, end_us=START + 365 * 24 * HOUR + 1)):
        (total,) = read_totals(ledger, wanted)
        assert total.tokens.total == 365 * 10**9
        assert total.cost_pico == 365 * 10**9 * unit > 2**63
    assert audit_ledger(ledger) == []

"""Sums that no integer of 64 bits could hold."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, select

from gembill.ledger import Ledger, Selection, read, sums
from gembill.ledger.audit import audit
from tests.gembill.ledger.making import HOUR, SPOOL, START, posting, rated, tokens

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
        found = connection.execute(select(*sums.selected(values, engine))).one()
        assert sums.joined(found, engine) == added(rows)
        by_half = select(numbers.c.half).group_by(numbers.c.half)
        assert {row.half: both for row, both in sums.summed(connection, by_half, values)} == halves


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
    ledger.append(SPOOL, days)
    for wanted in (Selection(), Selection(start_us=START + 24 * HOUR + 0, end_us=START + 365 * 24 * HOUR + 1)):
        (total,) = read.totals(ledger, wanted)
        assert total.tokens.total == 365 * 10**9
        assert total.cost_pico == 365 * 10**9 * unit > 2**63
    assert audit(ledger) == []

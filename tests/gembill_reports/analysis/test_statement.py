"""Statements: amounts add up to the pico-dollar, whatever is spread, marked up and corrected."""

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from gembill.ledger import Ledger, Reason, Selection, audit_ledger, close_month, open_ledger, read_records, read_totals
from gembill.period import HOUR_US, parse
from gembill_reports.analysis.statement import SharedRule, StatementTerms, rounded, spread, statement
from tests.gembill.calls import us
from tests.gembill.ledger.making import SPOOL, append, posting, rated, tokens
from tests.gembill.ledger.making import number as id_of
from tests.gembill_reports.making import call, put

OCTOBER = parse(month="2026-10")
MONTHS = [parse(month=f"2026-{month:02d}") for month in range(8, 13)]


@given(
    st.integers(min_value=-(10**18), max_value=10**18),
    st.lists(st.integers(min_value=0, max_value=10**18), min_size=1, max_size=8),
)
def test_parts_add_up_and_are_within_one_of_their_share(amount: int, weights: list[int]) -> None:
    parts = spread(amount, weights)
    assert sum(parts) == amount
    if any(weights):
        shares = [Fraction(amount * weight, sum(weights)) for weight in weights]
        assert all(abs(part - share) < 1 for part, share in zip(parts, shares, strict=True))


def test_nothing_to_go_by_is_spread_evenly_and_the_first_gets_what_is_left() -> None:
    assert spread(7, [0, 0, 0]) == [3, 2, 2]
    assert spread(-7, [0, 0, 0]) == [-3, -2, -2]
    assert spread(5, [1, 0]) == [5, 0]
    with pytest.raises(ValueError, match="nobody"):
        spread(5, [])


def test_halves_are_rounded_away_from_zero() -> None:
    assert [rounded(Fraction(n, 2)) for n in (-3, -1, 0, 1, 3)] == [-2, -1, 0, 1, 2]


@pytest.mark.parametrize(
    ("rule", "shared"),
    [
        (SharedRule.BY_COST, {"a": 75, "b": 25, "c": 0}),
        (SharedRule.EVENLY, {"a": 34, "b": 33, "c": 33}),
        (SharedRule.APART, {"a": 0, "b": 0, "c": 0, None: 0}),
    ],
)
def test_cost_of_nobody_is_spread_by_the_rule(ledger: Ledger, rule: SharedRule, shared: dict[str | None, int]) -> None:
    at = "2026-10-15T10:00:00+00:00"
    put(
        ledger,
        call(at, (3, 0, 0), labels={"team": "a"}),
        call(at, (1, 0, 0), labels={"team": "b"}),
        call(at, None, labels={"team": "c"}),
        call(at, (100, 0, 0)),
    )
    made = statement(ledger, OCTOBER, Selection(), StatementTerms("label.team", rule, Fraction(1, 10)))
    unit = 500_000
    expected = {name: part * unit for name, part in shared.items()}
    if rule is SharedRule.EVENLY:  # of 50,000,000 pico-dollars two are left over, and the greatest remainders get them
        expected = dict(zip("abc", spread(100 * unit, [1, 1, 1]), strict=True))
    assert {row.name: row.shared_pico for row in made.rows} == expected
    assert made.total.cost_pico + made.total.shared_pico == 104 * unit
    assert made.total.markup_pico == sum(row.markup_pico for row in made.rows)
    assert made.rows[0].markup_pico * 10 == pytest.approx(made.rows[0].total_pico - made.rows[0].markup_pico, abs=5)


def test_a_month_that_was_closed_in_two_calendars_is_adjusted_once(ledger: Ledger) -> None:
    for calendar in (OCTOBER, parse(month="2026-10", tz="UTC")):
        close_month(ledger, "2026-10", calendar, us("2026-11-02T00:00:00+00:00"))
    november = Ledger(lambda: ledger.engine, lambda: us("2026-11-20T00:00:00+00:00"))
    put(november, call("2026-10-15T10:00:00+00:00", (3, 0, 0), labels={"team": "late"}))
    (row,) = statement(ledger, parse(month="2026-11"), Selection(), StatementTerms("label.team")).rows
    assert (row.name, row.adjustment_pico) == ("late", 3 * 500_000)


def test_where_nobody_is_named_the_cost_is_a_row_of_its_own(ledger: Ledger) -> None:
    put(ledger, call("2026-10-15T10:00:00+00:00", (3, 0, 0)))
    (row,) = statement(ledger, OCTOBER, Selection(), StatementTerms("label.team")).rows
    assert (row.name, row.total_pico) == (None, 3 * 500_000)


TEAMS = st.sampled_from(["a", "b", None])
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(0, 4), TEAMS, st.integers(1, 9)),
        st.tuples(st.just("price"), st.integers(1, 30), st.just(None), st.integers(0, 10**6)),
        st.tuples(st.sampled_from(["close", "close in UTC"]), st.integers(0, 4), st.just(None), st.just(0)),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=25, deadline=None)
@given(DEEDS, st.sampled_from(list(SharedRule)), st.fractions(min_value=0, max_value=1, max_denominator=999))
def test_statements_of_all_months_add_up_to_the_books(
    deeds: list[tuple[str, int, str | None, int]], rule: SharedRule, markup: Fraction
) -> None:
    """Calls that come late, new prices and closings, one a week from August on: whatever their order."""
    with TemporaryDirectory() as folder:
        ledger = open_ledger(f"sqlite:///{Path(folder) / 'ledger.db'}")
        try:
            _do(ledger, deeds)
            terms = StatementTerms("label.team", rule, markup)
            made = [statement(ledger, month, Selection(), terms) for month in MONTHS]
            (books,) = read_totals(ledger, Selection())
            plain = [one.total.total_pico - one.total.markup_pico for one in made]
            assert sum(plain) == (books.cost_pico or 0)
            for one in made:
                assert one.total.total_pico == sum(row.total_pico for row in one.rows)
            assert audit_ledger(ledger) == []
        finally:
            ledger.close()


def _do(ledger: Ledger, deeds: list[tuple[str, int, str | None, int]]) -> None:
    closed: set[str] = set()
    made: dict[int, int] = {}  # when each call took place
    for number, (deed, which, team, size) in enumerate(deeds, 1):
        now_us = us("2026-08-20T00:00:00+00:00") + number * 7 * 24 * HOUR_US
        clocked = Ledger(lambda: ledger.engine, lambda now_us=now_us: now_us)  # type: ignore[misc]
        month = MONTHS[which % len(MONTHS)]
        if deed == "call" and (month.start_us or 0) < now_us:
            made[number] = min(now_us - 1, (month.start_us or 0) + number)
            labels = {} if team is None else {"team": team}
            one = posting(number, occurred_us=made[number], labels=labels, tokens=tokens(size, 0, 0))
            append(clocked, SPOOL, [structs.replace(one, seq=len(made))])
        elif deed == "price" and which in made:
            old = next(one.record for one in read_records(ledger, Selection()) if one.record.id == id_of(which))
            clocked.correct([(old, rated(old.tokens, size, f"p{number}"))], reason=Reason.RERATE)
        elif deed.startswith("close") and (month.end_us or 0) <= now_us:
            name = str(month.start)[:7]
            calendar = parse(month=name, tz="UTC") if deed == "close in UTC" else month
            if calendar.start not in closed:
                closed.add(str(calendar.start))
                close_month(clocked, name, calendar, now_us)

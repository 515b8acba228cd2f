"""Adjustments of closed months: each of one moment, and together what changed."""

import pytest

from gembill.ledger import Ledger, Reason, Selection, close_month, read_closings
from gembill.period import parse
from gembill_reports.analysis.closed_months import adjustments, closed_months
from tests.gembill.calls import us
from tests.gembill.ledger.making import SPOOL, append, posting, rated, record, tokens

OCTOBER, NOVEMBER, DECEMBER = (parse(month=f"2026-{month}") for month in (10, 11, 12))
MIDDLE = us("2026-10-15T12:00:00+00:00")
UNIT = 200 * 500_000  # what a call costs


def at(ledger: Ledger, when: str) -> Ledger:
    return Ledger(lambda: ledger.engine, lambda: us(when))


@pytest.fixture
def closed(ledger: Ledger) -> Ledger:
    """October, closed with two calls of a team; then one late call in November and one new price in December."""
    calls = [posting(seq, occurred_us=MIDDLE + seq) for seq in (1, 2)]
    append(at(ledger, "2026-10-20T12:00:00+00:00"), SPOOL, calls)
    close_month(ledger, "2026-10", OCTOBER, us("2026-11-02T12:00:00+00:00"))
    late = posting(3, occurred_us=MIDDLE + 3, labels={"team": "ads"})
    append(at(ledger, "2026-11-20T12:00:00+00:00"), SPOOL, [late])
    again = (record(1, occurred_us=MIDDLE + 1), rated(tokens(), 400_000))
    at(ledger, "2026-12-20T12:00:00+00:00").correct([again], reason=Reason.RERATE)
    return ledger


def test_the_month_itself_says_what_it_was_and_what_it_is(closed: Ledger) -> None:
    said = closed_months(closed, OCTOBER, Selection())
    assert said is not None
    (month,) = said.months
    assert month.is_adjusted
    assert (month.frozen.calls, month.frozen.cost_pico) == (2, 2 * UNIT)
    assert (month.today.calls, month.today.cost_pico) == (3, 3 * UNIT - 200 * 100_000)
    assert said.adjustments == ()


@pytest.mark.parametrize(
    ("period", "by", "expected"),
    [
        (NOVEMBER, (), [({}, 1, UNIT)]),
        (DECEMBER, (), [({}, 0, -200 * 100_000)]),
        (parse("2026-11-01", "2027-01-01"), (), [({}, 1, UNIT - 200 * 100_000)]),
        (parse(since="2026-11-01"), (), [({}, 1, UNIT - 200 * 100_000)]),
        (NOVEMBER, ("label.team",), [({"label.team": "ads"}, 1, UNIT)]),
        (DECEMBER, ("label.team",), [({"label.team": "search"}, 0, -200 * 100_000)]),
        (parse(month="2027-01"), (), []),
        (parse(month="2026-09"), (), []),
        (OCTOBER, (), []),
        (parse(), (), []),
    ],
)
def test_an_adjustment_is_in_the_period_in_which_it_was_posted(
    closed: Ledger, period: object, by: tuple[str, ...], expected: list[tuple[object, int, int]]
) -> None:
    made = adjustments(closed, read_closings(closed), period, Selection(), by)  # type: ignore[arg-type]
    assert [(one.group, one.calls, one.cost_pico) for one in made] == expected


def test_a_filter_is_kept_to(closed: Ledger) -> None:
    ads = Selection(labels={"team": "ads"})
    assert adjustments(closed, read_closings(closed), DECEMBER, ads) == []
    assert [one.cost_pico for one in adjustments(closed, read_closings(closed), NOVEMBER, ads)] == [UNIT]


def test_where_nothing_was_closed_there_is_nothing_to_say(ledger: Ledger) -> None:
    assert closed_months(ledger, OCTOBER, Selection()) is None


def test_a_closed_month_that_was_left_alone_is_what_it_was(ledger: Ledger) -> None:
    append(at(ledger, "2026-10-20T12:00:00+00:00"), SPOOL, [posting(1, occurred_us=MIDDLE)])
    close_month(ledger, "2026-10", OCTOBER, us("2026-11-02T12:00:00+00:00"))
    said = closed_months(ledger, parse("2026-01-01", "2027-01-01"), Selection())
    assert said is not None
    assert [one.is_adjusted for one in said.months] == [False]
    assert closed_months(ledger, NOVEMBER, Selection()).adjustments == ()  # type: ignore[union-attr]

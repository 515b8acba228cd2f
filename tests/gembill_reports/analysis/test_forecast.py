"""The forecast: days so far stand for days to come, at the prices of those days."""

from dataclasses import replace
from datetime import date

import pytest

from gembill.ledger import Ledger
from gembill.model import Price
from gembill.money import unit_price
from gembill.period import parse
from gembill.rules.prices import PriceBook
from gembill_reports.analysis.forecast import GROUPS, forecast
from gembill_reports.analysis.report import Report, report
from tests.gembill.pricing import price
from tests.gembill_reports.making import FLASH, call, put, us

IN = unit_price("0.50")
EMPTY = PriceBook([])
NOW = us("2026-11-11T00:00:00+00:00")
CHANGE = us("2026-11-21T00:00:00+00:00")


def days(ledger: Ledger, counts: list[int], month: str = "2026-11") -> Report:
    put(ledger, *(call(f"{month}-{day:02d}T10:00:00+00:00", (n, 0, 0)) for day, n in enumerate(counts, 1) if n))
    return report(ledger, parse(month=month, tz="UTC"), GROUPS)


def priced(before: str, after: str, at_us: int) -> list[Price]:
    """A price and the one that follows it."""
    return [price(before, id="p1", effective_to_us=at_us), price(after, id="p2", effective_from_us=at_us)]


def test_equal_days_go_on_and_the_range_is_a_point(ledger: Ledger) -> None:
    estimate = forecast(days(ledger, [100] * 10), NOW, EMPTY)
    assert estimate is not None
    assert estimate.cost_pico == 30 * 100 * IN
    assert estimate.low_pico == estimate.high_pico == estimate.cost_pico
    assert estimate.days == 10


def test_a_part_of_today_counts_once(ledger: Ledger) -> None:
    estimate = forecast(days(ledger, [100] * 10), NOW + 12 * 3_600_000_000, EMPTY)
    assert estimate is not None
    assert estimate.cost_pico == 10 * 100 * IN + 39 * 100 * IN // 2


def test_uneven_days_have_a_range_that_never_falls_below_what_was_spent(ledger: Ledger) -> None:
    counted = days(ledger, [1, 1000] * 5)
    estimate = forecast(counted, NOW, EMPTY)
    assert estimate is not None
    assert counted.total.cost_pico is not None
    assert counted.total.cost_pico <= estimate.low_pico < estimate.cost_pico < estimate.high_pico


def test_days_before_the_first_call_are_no_days(ledger: Ledger) -> None:
    estimate = forecast(days(ledger, [0, 0, 0, 0, 100, 100, 100, 100, 100, 100]), NOW, EMPTY)
    assert estimate is not None
    assert (estimate.days, estimate.cost_pico) == (6, 6 * 100 * IN + 20 * 100 * IN)


def test_five_whole_days_are_enough_for_a_forecast_and_four_are_not(ledger: Ledger) -> None:
    counted = days(ledger, [100] * 5)
    assert forecast(counted, us("2026-11-05T23:59:59+00:00"), EMPTY) is None
    drawn = forecast(counted, us("2026-11-06T00:00:00+00:00"), EMPTY)
    assert drawn is not None
    assert drawn.days == 5


def test_it_is_silent_when_the_period_is_over_or_has_no_end(ledger: Ledger) -> None:
    counted = days(ledger, [100] * 10)
    assert forecast(counted, us("2026-12-05T00:00:00+00:00"), EMPTY) is None
    assert forecast(replace(counted, period=parse(tz="UTC")), NOW, EMPTY) is None


@pytest.mark.parametrize(
    ("month", "now", "day"),
    [
        ("2026-03", "2026-03-07T00:00:00-08:00", 6),  # the 8th, of 23 hours, is ahead
        ("2026-03", "2026-03-12T00:00:00-07:00", 11),  # and behind
        ("2026-11", "2026-11-07T00:00:00-08:00", 6),  # the 1st had 25
        ("2026-04", "2026-04-07T00:00:00-07:00", 6),
    ],
)
def test_a_day_of_23_or_25_hours_is_a_day(ledger: Ledger, month: str, now: str, day: int) -> None:
    put(ledger, *(call(f"{month}-{n:02d}T20:00:00+00:00", (100, 0, 0)) for n in range(1, day + 1)))
    period = parse(month=month)
    whole = 30 if month in ("2026-11", "2026-04") else 31
    estimate = forecast(report(ledger, period, GROUPS), us(now), EMPTY)
    assert estimate is not None
    assert (estimate.days, estimate.cost_pico) == (day, whole * 100 * IN)
    assert estimate.low_pico == estimate.high_pico == estimate.cost_pico


def test_half_of_a_short_day_is_half_a_day(ledger: Ledger) -> None:
    put(ledger, *(call(f"2026-03-0{n}T20:00:00+00:00", (100, 0, 0)) for n in range(1, 8)))
    estimate = forecast(report(ledger, parse(month="2026-03"), GROUPS), us("2026-03-08T19:30:00+00:00"), EMPTY)
    assert estimate is not None  # 11.5 of the 23 hours of the 8th are ahead, and 23 days
    assert estimate.cost_pico == 7 * 100 * IN + 47 * 100 * IN // 2


def test_a_day_that_the_period_cuts_is_not_gone_by(ledger: Ledger) -> None:
    put(ledger, *(call(f"2026-11-{n:02d}T20:00:00+00:00", (100, 0, 0)) for n in range(1, 11)))
    period = parse("2026-11-01T18:00", "2026-12-01", tz="UTC")
    estimate = forecast(report(ledger, period, GROUPS), NOW, EMPTY)
    assert estimate is not None
    assert (estimate.days, estimate.cost_pico) == (9, 30 * 100 * IN)


def test_an_announced_price_counts_from_its_day_on(ledger: Ledger) -> None:
    book = PriceBook(priced("0.50", "1.50", CHANGE))
    estimate = forecast(days(ledger, [100] * 10), NOW, book)
    assert estimate is not None
    assert estimate.cost_pico == (10 + 10 + 3 * 10) * 100 * IN  # spent, until the change, at three times the price
    assert estimate.changes == ((FLASH, date(2026, 11, 21)),)


def test_a_price_that_has_changed_already_makes_old_days_count_anew(ledger: Ledger) -> None:
    changed = us("2026-11-06T00:00:00+00:00")
    book = PriceBook(priced("0.50", "1.00", changed))
    estimate = forecast(days(ledger, [100] * 5 + [100] * 5), NOW, book)
    assert estimate is not None
    # what the ledger charged is all at 0.50 here; the first five days count twice as much for the days to come
    assert estimate.cost_pico == 10 * 100 * IN + 20 * (5 * 2 + 5) * 100 * IN // 10
    assert estimate.changes == ()

"""The period before: whole or as far as this one has come."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger
from gembill.money import unit_price
from gembill.period import Period, parse
from gembill_reports.analysis import previous_period
from gembill_reports.analysis.previous_period import previous
from gembill_reports.analysis.report import report
from tests.gembill_reports.making import FLASH, PRO, call, put, us

IN = unit_price("0.50")
LATER = us("2027-05-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("named", "start", "end"),
    [
        ({"month": "2026-11"}, "2026-10-01T00:00:00-07:00", "2026-11-01T00:00:00-07:00"),
        ({"month": "2026-04"}, "2026-03-01T00:00:00-08:00", "2026-04-01T00:00:00-07:00"),
        ({"since": "2026-11-16", "until": "2026-11-23"}, "2026-11-09T00:00:00-08:00", "2026-11-16T00:00:00-08:00"),
        ({"since": "2026-11-05", "until": "2026-11-06"}, "2026-11-04T00:00:00-08:00", "2026-11-05T00:00:00-08:00"),
        (
            {"since": "2026-11-05", "until": "2026-11-08", "tz": "UTC"},
            "2026-11-02T00:00:00+00:00",
            "2026-11-05T00:00:00+00:00",
        ),
        # the 1st of November has 25 hours, the 8th of March 23: before them, after them, and with them in a range
        ({"since": "2026-11-01", "until": "2026-11-02"}, "2026-10-31T00:00:00-07:00", "2026-11-01T00:00:00-07:00"),
        ({"since": "2026-11-02", "until": "2026-11-03"}, "2026-11-01T00:00:00-07:00", "2026-11-02T00:00:00-08:00"),
        ({"since": "2026-03-09", "until": "2026-03-10"}, "2026-03-08T00:00:00-08:00", "2026-03-09T00:00:00-07:00"),
        ({"since": "2026-11-02", "until": "2026-11-05"}, "2026-10-30T00:00:00-07:00", "2026-11-02T00:00:00-08:00"),
        ({"since": "2026-03-08", "until": "2026-03-12"}, "2026-03-04T00:00:00-08:00", "2026-03-08T00:00:00-08:00"),
        (
            {"since": "2026-03-10", "until": "2026-03-12", "tz": "America/Havana"},  # the 8th begins at one
            "2026-03-08T01:00:00-04:00",
            "2026-03-10T00:00:00-04:00",
        ),
        (
            {"since": "2026-03-08", "until": "2026-03-10", "tz": "America/Havana"},
            "2026-03-06T00:00:00-05:00",
            "2026-03-08T01:00:00-04:00",
        ),
        (
            {"since": "1990-01-01", "until": "2027-01-01", "tz": "UTC"},
            "1970-01-01T00:00:00+00:00",
            "1990-01-01T00:00:00+00:00",
        ),
        ({"month": "1970-01", "tz": "Asia/Kolkata"}, "1969-12-01T00:00:00+05:30", "1970-01-01T00:00:00+05:30"),
        (  # no whole days: as much time
            {"since": "2026-11-01T12:00", "until": "2026-11-02T12:00"},
            "2026-10-31T13:00:00-07:00",
            "2026-11-01T12:00:00-08:00",
        ),
    ],
)
def test_it_is_the_calendars_where_the_period_is(named: dict[str, str], start: str, end: str) -> None:
    before, unfinished = previous(parse(**named), LATER)
    assert (before.start, before.end, unfinished) == (start, end, False)


def test_an_unfinished_month_is_compared_with_as_much_of_the_last() -> None:
    before, unfinished = previous(parse(month="2026-11", tz="UTC"), us("2026-11-03T06:30:12+00:00"))
    assert (before.end, unfinished) == ("2026-10-03T06:30:00+00:00", True)
    march, _ = previous(parse(month="2026-03", tz="UTC"), us("2026-03-31T06:00:00+00:00"))
    assert march.end == "2026-03-01T00:00:00+00:00"  # February had no 31st


@pytest.mark.parametrize(
    ("named", "now", "end"),
    [
        ({"month": "2026-11"}, "2026-11-21T09:00:59-08:00", "2026-10-21T09:00:00-07:00"),
        ({"month": "2026-11"}, "2026-11-04T00:00:00-08:00", "2026-10-04T00:00:00-07:00"),  # three whole days each
        ({"month": "2026-03"}, "2026-03-20T09:00:00-07:00", "2026-02-20T09:00:00-08:00"),
        (
            {"month": "2026-04"},
            "2026-04-08T02:30:00-07:00",
            "2026-03-08T03:30:00-07:00",
        ),  # then there was no half past 2
        ({"since": "2026-11-01", "until": "2026-11-02"}, "2026-11-01T23:30:00-08:00", "2026-10-31T23:30:00-07:00"),
        ({"since": "2026-03-08", "until": "2026-03-09"}, "2026-03-08T23:30:00-07:00", "2026-03-07T23:30:00-08:00"),
        ({"since": "2026-11-02", "until": "2026-11-09"}, "2026-11-08T06:00:00-08:00", "2026-11-01T06:00:00-08:00"),
        (
            {"since": "2026-11-01T12:00", "until": "2026-11-03T12:00"},
            "2026-11-01T13:00-08:00",
            "2026-10-30T14:00:00-07:00",
        ),
    ],
)
def test_as_far_into_it_is_told_on_the_clock(named: dict[str, str], now: str, end: str) -> None:
    before, unfinished = previous(parse(**named), us(now))
    assert (before.end, unfinished) == (end, True)


@given(
    st.sampled_from(["America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut"]),
    st.integers(us("2026-01-01T00:00:00+00:00") // 1800_000_000, us("2027-01-01T00:00:00+00:00") // 1800_000_000),
    st.integers(1, 3000),
    st.floats(0, 1.2),
)
def test_the_period_before_ends_where_this_one_begins_and_is_no_longer_than_it_may(
    zone: str, start: int, halves: int, now: float
) -> None:
    period = Period(start * 1800_000_000, (start + halves) * 1800_000_000, ZoneInfo(zone))
    before, unfinished = previous(period, int((start + now * halves) * 1800_000_000))
    assert before.start_us <= before.end_us <= period.start_us
    assert unfinished or before.end_us == period.start_us
    whole, _ = previous(period, period.end_us)
    assert (
        abs((whole.end_us - whole.start_us) - (period.end_us - period.start_us))
        <= 3 * 24 * 3_600_000_000 + 3_600_000_000
    )


def test_an_open_period_has_none_before() -> None:
    with pytest.raises(ConfigurationError, match="needs a period"):
        previous(parse(since="2026-11-01"), LATER)


def test_rows_find_their_counterpart(ledger: Ledger) -> None:
    put(ledger, call("2026-10-15T10:00:00+00:00", (3, 0, 0)), call("2026-10-15T10:00:00+00:00", (1, 0, 0), "gone"))
    put(ledger, call("2026-11-15T10:00:00+00:00", (4, 0, 0)), call("2026-11-15T10:00:00+00:00", (1, 0, 0), PRO))
    current = report(ledger, parse(month="2026-11"), ("model",))
    before = previous_period.predecessor(ledger, current, LATER)
    costs = {row.group["model"]: before.cost_of(row) for row in current.rows}
    assert costs == {FLASH: 3 * IN, PRO: 0}
    assert {row.group["model"]: before.waste_of(row) for row in current.rows} == {FLASH: 0, PRO: 0}
    assert before.counterpart(current.total) == before.report.total
    by_day = previous_period.predecessor(ledger, report(ledger, parse(month="2026-11"), ("day",)), LATER)
    assert not by_day.by_row

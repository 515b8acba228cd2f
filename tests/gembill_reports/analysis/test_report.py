"""Totals: months worked out by hand, days of odd calendars, and the exact shape of the JSON."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Selection, open_ledger
from gembill.model import Status, Tokens
from gembill.money import unit_price, usd
from gembill.period import Period, instant, parse, tz_version
from gembill_reports.analysis.report import Report, add, groups, report
from gembill_reports.views.report import report_dict
from tests.gembill_reports.making import FAILED, FLASH, LATE, OK, PRO, call, put, us

IN, OUT = unit_price("0.50"), unit_price("3.00")
PRO_IN, PRO_OUT = unit_price("2.00"), unit_price("12.00")
NOVEMBER = parse(month="2026-11", tz="UTC")
UNITS = ("hour", "day", "week", "month")
CLOCK_CHANGES = [  # zone, day on which its clock is changed, hours of that day
    ("America/Los_Angeles", "2026-03-08", 23),
    ("America/Los_Angeles", "2026-11-01", 25),
    ("Asia/Kolkata", "2026-03-08", 24),  # where nothing is changed, and days begin at half past
    ("Asia/Kolkata", "2026-11-01", 24),
    ("Australia/Lord_Howe", "2026-04-05", 24.5),
    ("Australia/Lord_Howe", "2026-10-04", 23.5),
    ("America/Havana", "2026-03-08", 23),  # midnight is skipped
    ("America/Havana", "2025-11-02", 25),  # midnight strikes twice
    ("Asia/Beirut", "2026-03-29", 23),
    ("Asia/Beirut", "2026-10-24", 25),  # set back at midnight: the evening comes twice
    ("Europe/Berlin", "2026-10-25", 25),  # the later of the two hours has the smaller offset
    ("Antarctica/Troll", "2026-10-25", 26),  # by two hours
]


def rows(totals: Report, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row.group[by] for by in totals.by) + tuple(getattr(row, key) for key in keys) for row in totals.rows]


def test_a_month_by_model_is_what_one_works_out_by_hand(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-10-31T23:59:59.999999+00:00", (9, 9, 9)),
        call("2026-11-01T00:00:00+00:00", (147, 360, 276), outcomes=[OK]),
        call("2026-11-15T12:30:00+00:00", (100, 900, 50), outcomes=[FAILED, OK, LATE]),
        call("2026-11-30T23:59:59.999999+00:00", (10, 0, 5), PRO),
        call("2026-12-01T00:00:00+00:00", (9, 9, 9), PRO),
    )
    shape = report_dict(report(ledger, NOVEMBER, ["model"]))
    flash_in, flash_mid, flash_out = (147 + 100) * IN, (360 + 900) * IN, (276 + 50) * OUT
    flash = {
        "model": FLASH,
        "calls": 2,
        "calls_code_execution": 2,
        "tokens": {
            "input": 147 + 100,
            "intermediate": 360 + 900,
            "output": 276 + 50,
            "total": 783 + 1050,
            "cached": 0,
            "thinking": 0,
        },
        "executions": 4,
        "executions_failed": 2,
        "cost_usd": usd(flash_in + flash_mid + flash_out),
        "cost": {
            "input": usd(flash_in),
            "intermediate": usd(flash_mid),
            "output": usd(flash_out),
            "grounding": "0.000000000000",
        },
        "failed_execution_cost_usd_estimate": usd(900 * IN * 2 // 3),
        "unpriced_calls": 0,
        "incomplete_calls": 0,
    }
    assert shape["rows"][0] == flash
    assert [row["model"] for row in shape["rows"]] == [FLASH, PRO]
    total = {key: value for key, value in flash.items() if key != "model"}
    assert list(shape["total"]) == list(total)
    assert shape["total"]["calls"] == 3
    assert shape["total"]["cost_usd"] == usd(flash_in + flash_mid + flash_out + 10 * PRO_IN + 5 * PRO_OUT)
    assert shape["period"] == {
        "start": "2026-11-01T00:00:00+00:00",
        "end": "2026-12-01T00:00:00+00:00",
        "timezone": "UTC",
        "timezone_database": tz_version(),
    }
    assert list(shape) == ["schema_version", "period", "by", "rows", "total"]
    assert json.loads(json.dumps(shape)) == shape


def test_the_month_of_the_zone_is_not_the_month_of_utc(ledger: Ledger) -> None:
    put(ledger, call("2026-11-01T06:59:59+00:00", (1, 0, 0)), call("2026-12-01T07:59:59+00:00", (2, 0, 0)))
    assert report(ledger, parse(month="2026-11")).total.tokens.input == 2
    assert report(ledger, NOVEMBER).total.tokens.input == 1
    assert report(ledger, parse(month="2026-12", tz="Asia/Kolkata")).total.tokens.input == 2


def test_rows_come_most_expensive_first_then_by_name_and_missing_last(ledger: Ledger) -> None:
    at = "2026-11-05T10:10:00+00:00"
    put(
        ledger,
        call(at, (10_000, 0, 0), labels={}),
        *(call(at, (n, 0, 0), labels={"team": team}) for team, n in (("b", 5), ("a", 5), ("c", 7))),
        call(at, (1_000, 0, 0), "gemini-nobody-knows", labels={"team": "unpriced"}),
    )
    totals = report(ledger, NOVEMBER, ["label.team"])
    assert rows(totals, "cost_pico") == [
        ("c", 7 * IN),
        ("a", 5 * IN),
        ("b", 5 * IN),
        ("unpriced", None),
        (None, 10_000 * IN),
    ]
    assert report_dict(totals)["rows"][-1]["label.team"] is None


def test_what_is_not_known_stays_unknown_and_is_skipped_in_sums(ledger: Ledger) -> None:
    at = "2026-11-05T10:10:00+00:00"
    put(
        ledger,
        call(at, None, "lost"),
        call(at, (5, 6, 7), "gemini-nobody-knows"),
        call(at, (1, 2, 3)),
        call(at, None, status=Status.ERROR, http_status=429),
    )
    totals = report(ledger, NOVEMBER, ["model"])
    by_model = {row.group["model"]: row for row in totals.rows}
    assert by_model["lost"].tokens == Tokens()
    assert (by_model["lost"].cost_pico, by_model["lost"].incomplete_calls) == (None, 1)
    assert by_model["gemini-nobody-knows"].cost_pico is None
    assert by_model["gemini-nobody-knows"].unpriced_calls == 1
    assert totals.total.cost_pico == 3 * IN + 3 * OUT
    assert totals.total.tokens.total == 18 + 6
    assert not totals.strictly_complete
    assert report_dict(totals)["total"]["unpriced_calls"] == 1


def test_a_month_without_calls_cost_nothing(ledger: Ledger) -> None:
    totals = report(ledger, NOVEMBER, ["model"])
    assert totals.rows == ()
    assert (totals.total.calls, totals.total.cost_pico, totals.total.tokens.total) == (0, 0, 0)
    assert totals.strictly_complete


@pytest.mark.parametrize(
    "zone", ["America/Los_Angeles", "UTC", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize("unit", ["hour", "day", "week", "month"])
def test_rows_of_time_add_up_to_the_total_in_every_zone(ledger: Ledger, zone: str, unit: str) -> None:
    instants = ("2026-11-01T06:59:59+00:00", "2026-11-01T07:00:00+00:00", "2026-11-01T08:45:00+00:00")
    put(ledger, *(call(at, (2**n, 0, 0)) for n, at in enumerate((*instants, "2026-11-01T09:15:00+00:00"))))
    totals = report(ledger, parse("2026-10-20", "2026-11-20", tz=zone), [unit, "model"])
    assert sum(row.tokens.input or 0 for row in totals.rows) == totals.total.tokens.input == 1 + 2 + 4 + 8
    assert totals.total == add({}, [report(ledger, totals.period).total])
    assert [row.group[unit] for row in totals.rows] == sorted(str(row.group[unit]) for row in totals.rows)


def test_days_in_india_begin_at_half_past_in_utc(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-11-20T18:29:59.999999+00:00", (1, 0, 0)),
        call("2026-11-20T18:30:00+00:00", (2, 0, 0)),
        call("2026-11-21T18:29:59.999999+00:00", (4, 0, 0)),
        call("2026-11-21T18:30:00+00:00", (8, 0, 0)),
    )
    totals = report(ledger, parse(month="2026-11", tz="Asia/Kolkata"), ["day"])
    assert rows(totals, "cost_pico") == [("2026-11-20", IN), ("2026-11-21", 6 * IN), ("2026-11-22", 8 * IN)]


def test_the_day_on_which_the_clock_is_set_back_has_25_hours(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-11-01T06:59:59+00:00", (1, 0, 0)),
        call("2026-11-01T07:00:00+00:00", (2, 0, 0)),
        call("2026-11-01T08:30:00+00:00", (4, 0, 0)),
        call("2026-11-01T09:30:00+00:00", (8, 0, 0)),
        call("2026-11-02T07:59:59+00:00", (16, 0, 0)),
        call("2026-11-02T08:00:00+00:00", (32, 0, 0)),
    )
    period = parse("2026-10-31", "2026-11-03")
    assert rows(report(ledger, period, ["day"]), "cost_pico") == [
        ("2026-10-31", IN),
        ("2026-11-01", (2 + 4 + 8 + 16) * IN),
        ("2026-11-02", 32 * IN),
    ]
    hours = [hour for hour, _ in rows(report(ledger, parse("2026-11-01T01:00", "2026-11-01T02:00"), ["hour"]), "calls")]
    assert hours == ["2026-11-01T01:00:00-07:00", "2026-11-01T01:00:00-08:00"]


def test_a_period_that_cuts_an_hour_counts_only_its_part(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:10:00+00:00", (1, 0, 0)), call("2026-11-05T10:20:00+00:00", (2, 0, 0)))
    totals = report(ledger, parse("2026-11-05T10:15:00Z", "2026-11-06", tz="UTC"), ["day"])
    assert rows(totals, "cost_pico") == [("2026-11-05", 2 * IN)]
    assert totals.total.calls == 1


def test_open_ends_reach_the_first_and_the_last_call(ledger: Ledger) -> None:
    put(ledger, call("2025-01-31T10:00:00+00:00", (1, 0, 0)), call("2026-11-05T10:20:00+00:00", (2, 0, 0)))
    totals = report(ledger, parse(tz="UTC"), ["month"])
    assert rows(totals, "calls") == [("2025-01", 1), ("2026-11", 1)]
    assert report_dict(totals)["period"]["start"] is None


def test_a_selection_narrows_what_is_added_up(ledger: Ledger) -> None:
    at = "2026-11-05T10:10:00+00:00"
    put(
        ledger,
        call(at, (1, 0, 0), outcomes=[OK], labels={"team": "a"}, key="k1"),
        call(at, (2, 0, 0), labels={"team": "b"}, key="k2"),
        call(at, (4, 0, 0), PRO),
    )

    def input_of(**chosen: Any) -> int | None:
        return report(ledger, NOVEMBER, selection=Selection(**chosen)).total.tokens.input

    assert input_of(code_execution=True) == 1
    assert input_of(labels={"team": "b"}) == 2
    assert input_of(models=("gemini-3.1-*",)) == 4
    assert input_of(keys=("k1", "k2")) == 3
    assert rows(report(ledger, NOVEMBER, ["key", "status"]), "calls") == [
        ("k2", "complete", 1),
        ("k1", "complete", 1),
        (None, "complete", 1),
    ]


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (["colour"], "'colour' is not a group"),
        (["label."], "'label.' is not a group"),
        (["model", "model"], "names a group twice"),
        (["day", "month"], "cuts time twice"),
        ([""], "'' is not a group"),
    ],
)
def test_a_group_nobody_knows_is_named(by: list[str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        groups(by)


def at(us_: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us_)).isoformat()


def hour_on_the_clock(when: datetime, zone: ZoneInfo) -> str:
    """Where the hour of an instant began, found by going back until the clock struck or jumped."""
    step = timedelta(minutes=15)  # all offsets of 2026 are multiples of it
    start = datetime.fromtimestamp(when.timestamp() // 900 * 900, zone)
    while start.minute:
        before = (start.astimezone(UTC) - step).astimezone(zone)
        if before.hour != start.hour:
            break
        start = before
    return start.isoformat()


def named(unit: str, us_: int, zone: ZoneInfo) -> str:
    """What the row of an instant is called, worked out without `gembill.period`."""
    when = datetime.fromtimestamp(us_ // 1_000_000, zone)
    monday = when.date() - timedelta(days=when.weekday())
    return {
        "hour": hour_on_the_clock(when, zone),
        "day": when.date().isoformat(),
        "week": monday.isoformat(),
        "month": when.date().isoformat()[:7],
    }[unit]


def naive(unit: str, calls: Iterable[tuple[int, int]], period: Period) -> list[tuple[str, int, int]]:
    """Name, calls and input tokens of each row: a plain sum over the (instant, tokens) that lie in the period."""
    totals: dict[str, tuple[int, int]] = {}
    for us_, tokens in sorted(calls):
        if (period.start_us or 0) <= us_ < (period.end_us or 2**62):
            n, so_far = totals.get(named(unit, us_, period.zone), (0, 0))
            totals[named(unit, us_, period.zone)] = (n + 1, so_far + tokens)
    return [(name, *sums) for name, sums in totals.items()]


def shown(totals: Report) -> list[tuple[Any, ...]]:
    return [(row.group[totals.by[0]], row.calls, row.tokens.input) for row in totals.rows]


def fill(ledger: Ledger, instants: Sequence[int], model: str = FLASH) -> list[tuple[int, int]]:
    """A call at each instant; each has another number of tokens, so that no two can be mistaken for each other."""
    calls = [(us_, 2**n % 1_000_003) for n, us_ in enumerate(instants, 1)]
    put(ledger, *(call(at(us_), (tokens, 0, 0), model) for us_, tokens in calls))
    return calls


@pytest.mark.parametrize(("zone", "day", "hours"), CLOCK_CHANGES)
def test_every_call_about_a_change_of_the_clock_is_in_its_row(
    ledger: Ledger, zone: str, day: str, hours: float
) -> None:
    calendar = ZoneInfo(zone)
    middle = instant(day, calendar)
    calls = fill(ledger, range(middle - 30 * 3_600_000_000, middle + 60 * 3_600_000_000, 1_800_000_000))
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    within = (f"{day}T01:30", f"{day}T12:00"), (f"{day}T12:00", f"{after}T12:00"), (f"{day}T00:59:59.999999", after)
    for since, until in [(day, after), (None, None), (None, day), (day, None), *within]:
        period = parse(since, until, tz=zone)
        for unit in UNITS:
            assert shown(report(ledger, period, [unit])) == naive(unit, calls, period), (since, until, unit)
    whole = report(ledger, parse(day, after, tz=zone), ["day"])
    assert [(row.group["day"], row.calls) for row in whole] == [(day, 2 * hours)]


def test_both_hours_that_strike_alike_have_a_row_in_the_order_of_time(ledger: Ledger) -> None:
    fill(ledger, [us(f"2026-10-25T0{hour}:30:00+00:00") for hour in (1, 0, 2)])
    totals = report(ledger, parse("2026-10-25", "2026-10-26", tz="Europe/Berlin"), ["hour", "model"])
    assert [row.group["hour"] for row in totals] == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_the_months_of_three_calendars_add_up_to_the_same_year(ledger: Ledger) -> None:
    calendars = ("America/Los_Angeles", "UTC", "Asia/Kolkata")
    months = [f"2026-{month:02d}" for month in range(1, 13)]
    edges = [parse(month=month, tz=zone).start_us or 0 for zone in calendars for month in months]
    first = us("2026-01-01T12:00:00+00:00")  # New Year's Day in all three, as is the last one New Year's Eve
    spread = range(first, us("2026-12-31T12:00:00+00:00"), 17 * 3_600_000_000 + 1_234_567)
    calls = fill(ledger, [*spread, *(edge - before for edge in edges for before in (0, 1) if edge > first)])
    for zone in calendars:
        year = parse("2026-01-01", "2027-01-01", tz=zone)
        assert shown(report(ledger, year, ["month"])) == naive("month", calls, year)
        single = [report(ledger, parse(month=month, tz=zone)).total for month in months]
        assert add({}, single) == report(ledger, year).total
        assert sum(one.calls for one in single) == len(calls)
        assert sum(one.tokens.input or 0 for one in single) == sum(tokens for _, tokens in calls)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger that all examples write to, each calls of its own model."""
    opened = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('kept') / 'ledger.db'}")
    yield opened
    opened.close()


ZONES = sorted(
    {zone for zone, _, _ in CLOCK_CHANGES} | {"UTC", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns"}
)
CHANGES = [us(f"{day}T00:00:00+00:00") for _, day, _ in CLOCK_CHANGES]
INSTANTS = st.one_of(
    st.integers(us("2025-12-30T00:00:00+00:00"), us("2027-01-03T00:00:00+00:00")),
    st.builds(lambda day, minutes: day + minutes * 60_000_000, st.sampled_from(CHANGES), st.integers(-900, 2_400)),
)
NUMBERS = count()


@given(
    zone=st.sampled_from(ZONES),
    unit=st.sampled_from(UNITS),
    instants=st.lists(INSTANTS, min_size=1, max_size=30),
    ends=st.lists(st.none() | INSTANTS, min_size=2, max_size=2, unique=True),
)
def test_rows_are_the_plain_sum_over_the_calls(
    kept: Ledger, zone: str, unit: str, instants: list[int], ends: list[int | None]
) -> None:
    model = f"m{next(NUMBERS)}"
    calls = fill(kept, instants, model)
    start, end = ends if None in ends else sorted(ends)
    period = Period(start, end, ZoneInfo(zone))
    chosen = Selection(models=(model,))
    totals = report(kept, period, [unit], selection=chosen)
    assert shown(totals) == naive(unit, calls, period)
    assert totals.total.calls == sum(row.calls for row in totals) == report(kept, period, selection=chosen).total.calls


def test_a_dead_letter_makes_every_report_incomplete_and_is_one_note(ledger: Ledger) -> None:
    from gembill_reports.views.report import notes

    ledger.add_dead_letter(5, 1, "poison", b"{", "no reason")
    totals = report(ledger, NOVEMBER, ["model"])
    assert not totals.strictly_complete
    assert sum("Dead letters: 1." in note for note in notes(totals)) == 1

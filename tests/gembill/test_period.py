"""Periods: what dates mean in a zone, and that buckets meet without gap or overlap."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import ConfigurationError
from gembill.period import HOUR_US, Period, Unit, buckets, containing, instant, name, parse, tz_version, zone

LA = ZoneInfo("America/Los_Angeles")
KOLKATA = ZoneInfo("Asia/Kolkata")
ODD_ZONES = (
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # jumps by half an hour
    "America/Havana",  # midnight is skipped or strikes twice
    "America/St_Johns",  # was set back at 00:01
    "Antarctica/Casey",  # was set back by three hours at 00:01
    "Asia/Beirut",  # is set back at midnight
    "Antarctica/Troll",  # jumps by two hours
    "Pacific/Apia",  # left out a day
    "UTC",
)


def us(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_a_month_is_one_of_googles_calendar_unless_a_zone_is_given() -> None:
    november = parse(month="2026-11")
    assert (november.start, november.end) == ("2026-11-01T00:00:00-07:00", "2026-12-01T00:00:00-08:00")
    assert november.timezone == "America/Los_Angeles"
    assert november.end_us - november.start_us == 30 * 24 * HOUR_US + HOUR_US  # the clock is set back on the 1st


def test_the_database_of_zones_has_a_version_unless_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    import tzdata

    monkeypatch.delenv("PYTHONTZPATH", raising=False)
    assert tz_version() == tzdata.IANA_VERSION
    monkeypatch.setenv("PYTHONTZPATH", "/usr/share/zoneinfo")
    assert tz_version() is None


def test_december_ends_with_the_year() -> None:
    assert parse(month="2026-12", tz="UTC").end == "2027-01-01T00:00:00+00:00"


def test_dates_are_midnights_of_the_zone() -> None:
    period = parse("2026-11-21", "2026-11-22", tz="Asia/Kolkata")
    assert (period.start_us, period.end_us) == (us("2026-11-20T18:30:00+00:00"), us("2026-11-21T18:30:00+00:00"))
    assert period.start == "2026-11-21T00:00:00+05:30"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T09:00:00Z", "2026-11-21T09:00:00+00:00"),
        ("2026-11-21T09:00:00.000001+05:30", "2026-11-21T03:30:00.000001+00:00"),
        ("2026-11-21T09:00", "2026-11-21T17:00:00+00:00"),
        (" 2026-11-21 ", "2026-11-21T08:00:00+00:00"),
        ("2026-11-01T01:30", "2026-11-01T08:30:00+00:00"),  # strikes twice: the first
        ("2026-03-08T02:30", "2026-03-08T10:30:00+00:00"),  # skipped: half an hour after the jump
    ],
)
def test_an_instant_is_read_with_its_offset_or_on_the_zones_clock(text: str, expected: str) -> None:
    assert instant(text, LA) == us(expected)


def test_the_day_through_which_a_period_goes_is_part_of_it() -> None:
    assert parse("2026-11-01", through="2026-11-01") == parse("2026-11-01", "2026-11-02")
    assert parse("2026-10-31T12:00", through="2026-11-01").end == "2026-11-02T00:00:00-08:00"


def test_ends_that_were_not_given_are_open() -> None:
    assert parse() == Period(None, None, LA)
    assert parse(since="2026-11-21", tz="UTC").end is None
    assert parse(until="2026-11-21", tz="UTC").start is None


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"since": "21.11.2026"}, "--since is '21.11.2026'"),
        ({"until": "2026-13-01"}, "--until is '2026-13-01'"),
        ({"since": ""}, "--since is ''"),
        ({"since": "0001-01-01"}, "not a date or an instant"),
        ({"month": "2026-00"}, "write it like 2026-11"),
        ({"month": "2026-1"}, "write it like 2026-11"),
        ({"month": "9999-12"}, "write it like 2026-11"),
        ({"month": "2026-11", "since": "2026-11-01"}, "--month names a whole period"),
        ({"since": "2026-11-02", "until": "2026-11-02"}, "--since 2026-11-02 is not before --until 2026-11-02"),
        ({"month": "2026-11", "through": "2026-11-02"}, "--month names a whole period"),
        ({"until": "2026-11-02", "through": "2026-11-02"}, "--until and --through both name the end"),
        ({"since": "2026-11-02", "through": "2026-11-01"}, "--since 2026-11-02 is not before the end of --through"),
        ({"through": "2026-11-02T12:00"}, "--through is '2026-11-02T12:00', which is not a day"),
        ({"tz": "Mars/Olympus"}, "'Mars/Olympus' is not a known time zone"),
        ({"tz": "../../etc/passwd"}, "not a known time zone"),
        ({"tz": "America"}, "not a known time zone"),
        ({"tz": "a\0b"}, "not a known time zone"),
    ],
)
def test_bad_input_is_one_clear_sentence(flags: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse(**flags)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_day_has_23_or_25_hours_where_the_clock_is_changed() -> None:
    for day, hours in (("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-02", 24)):
        whole = containing(Unit.DAY, instant(day + "T12:00", LA), LA)
        assert whole.end_us - whole.start_us == hours * HOUR_US
        assert len(list(buckets(whole, Unit.HOUR))) == hours


def test_the_hour_that_strikes_twice_has_two_names() -> None:
    names = [name(Unit.HOUR, us(f"2026-11-01T{hour:02}:10:00+00:00"), LA) for hour in (8, 9)]
    assert names == ["2026-11-01T01:00:00-07:00", "2026-11-01T01:00:00-08:00"]


@pytest.mark.parametrize(
    ("calendar", "middle", "hours"),
    [  # hour as it is named, minutes it lasts
        ("America/Los_Angeles", "2026-03-08T10:00Z", [("01:00:00-08:00", 60), ("03:00:00-07:00", 60)]),
        ("Europe/Berlin", "2026-10-25T01:00Z", [("02:00:00+02:00", 60), ("02:00:00+01:00", 60)]),
        ("Australia/Lord_Howe", "2026-10-03T15:30Z", [("01:00:00+10:30", 60), ("02:30:00+11:00", 30)]),
        ("Australia/Lord_Howe", "2026-04-04T15:30Z", [("01:00:00+11:00", 90), ("02:00:00+10:30", 60)]),
        ("America/Havana", "2025-11-02T05:00Z", [("00:00:00-04:00", 60), ("00:00:00-05:00", 60)]),
        ("Asia/Beirut", "2026-10-24T21:00Z", [("23:00:00+03:00", 60), ("23:00:00+02:00", 60)]),
    ],
)
def test_hours_about_a_change_of_the_clock(calendar: str, middle: str, hours: list[tuple[str, int]]) -> None:
    at = us(middle)
    around = [containing(Unit.HOUR, instant_us, ZoneInfo(calendar)) for instant_us in (at - 1, at)]
    lengths = [(hour.start.partition("T")[2], (hour.end_us - hour.start_us) * 60 // HOUR_US) for hour in around]
    assert lengths == hours
    assert [name(Unit.HOUR, hour.start_us, hour.zone) for hour in around] == [hour.start for hour in around]


@pytest.mark.parametrize(
    ("calendar", "day", "start", "hours"),
    [
        ("America/Havana", "2026-03-08", "2026-03-08T01:00:00-04:00", 23),  # midnight is skipped: the jump
        ("America/Havana", "2025-11-02", "2025-11-02T00:00:00-04:00", 25),  # and strikes twice: the first
        ("Asia/Beirut", "2026-03-29", "2026-03-29T01:00:00+03:00", 23),
        ("Asia/Beirut", "2026-10-24", "2026-10-24T00:00:00+03:00", 25),  # its last hour comes twice
        ("Asia/Beirut", "2026-10-25", "2026-10-25T00:00:00+02:00", 24),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-05T00:00:00+11:00", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-04T00:00:00+10:30", 23.5),
    ],
)
def test_days_begin_where_the_clock_lets_them(calendar: str, day: str, start: str, hours: float) -> None:
    whole = containing(Unit.DAY, instant(f"{day}T12:00", ZoneInfo(calendar)), ZoneInfo(calendar))
    assert (whole.start, (whole.end_us - whole.start_us) / HOUR_US) == (start, hours)
    assert parse(day, tz=calendar).start == start


def test_an_hour_of_india_begins_at_half_past_in_utc() -> None:
    hour = containing(Unit.HOUR, us("2026-11-21T09:45:00+00:00"), KOLKATA)
    assert (hour.start, hour.end) == ("2026-11-21T15:00:00+05:30", "2026-11-21T16:00:00+05:30")


def test_weeks_begin_on_monday_and_are_named_after_it() -> None:
    saturday = instant("2026-11-21", LA)
    assert name(Unit.WEEK, saturday, LA) == "2026-11-16"
    assert containing(Unit.WEEK, saturday, LA).end == "2026-11-23T00:00:00-08:00"
    assert name(Unit.MONTH, saturday, LA) == "2026-11"
    assert name(Unit.TOTAL, saturday, LA) == "total"


def test_a_day_left_out_of_the_calendar_is_not_a_bucket() -> None:
    apia = ZoneInfo("Pacific/Apia")
    week = Period(instant("2011-12-29", apia), instant("2012-01-01", apia), apia)
    assert [name(Unit.DAY, day.start_us, apia) for day in buckets(week, Unit.DAY)] == ["2011-12-29", "2011-12-31"]


def test_the_first_and_last_bucket_are_cut_to_the_period() -> None:
    period = parse("2026-11-20T12:00", "2026-11-22T06:00", tz="UTC")
    assert [(b.start[8:13], b.end[8:13]) for b in buckets(period, Unit.DAY)] == [
        ("20T12", "21T00"),
        ("21T00", "22T00"),
        ("22T00", "22T06"),
    ]


def test_an_open_period_cannot_be_cut() -> None:
    with pytest.raises(ValueError, match="open end"):
        list(buckets(parse(since="2026-11-01"), Unit.DAY))
    assert list(buckets(parse(), Unit.TOTAL)) == [parse()]


def test_the_zone_by_default_is_that_of_googles_bill() -> None:
    assert zone().key == zone(None).key == "America/Los_Angeles"


@given(
    st.sampled_from(ODD_ZONES),
    st.sampled_from([Unit.HOUR, Unit.DAY, Unit.WEEK, Unit.MONTH]),
    st.one_of(
        st.integers(us("1971-01-01T00:00:00+00:00"), us("2030-01-01T00:00:00+00:00")),
        st.sampled_from(  # around the oddest jumps
            [us("2020-10-03T15:00:00+00:00"), us("2009-11-01T02:31:00+00:00"), us("2026-04-04T15:00:00+00:00")]
        ),
    ),
)
def test_an_instant_is_in_one_bucket_and_buckets_meet(zone_name: str, unit: Unit, at: int) -> None:
    calendar = ZoneInfo(zone_name)
    period = containing(unit, at, calendar)
    assert period.start_us <= at < period.end_us
    assert containing(unit, period.start_us, calendar) == containing(unit, period.end_us - 1, calendar) == period
    assert containing(unit, period.end_us, calendar).start_us == period.end_us
    assert name(unit, period.start_us, calendar) == name(unit, at, calendar) == name(unit, period.end_us - 1, calendar)
    assert name(unit, period.end_us, calendar) != name(unit, at, calendar)


@given(st.sampled_from(ODD_ZONES), st.integers(0, 10**9), st.integers(1, 40 * 24))
def test_buckets_cover_a_period_without_gap(zone_name: str, start_s: int, hours: int) -> None:
    start = start_s * 2 * 1_000_000
    period = Period(start, start + hours * HOUR_US + 7, ZoneInfo(zone_name))
    cut = list(buckets(period, Unit.DAY))
    assert (cut[0].start_us, cut[-1].end_us) == (period.start_us, period.end_us)
    assert all(a.end_us == b.start_us for a, b in pairwise(cut))


def test_zones_are_those_of_the_wheel_unless_the_machine_is_asked_for_its_own(tmp_path):
    code = "import os; from gembill.period import zone; import zoneinfo; print(zoneinfo.TZPATH, zone().key)"
    wheel = str(Path(tzdata.__file__).parent / "zoneinfo")
    for variables, path in (({}, f"('{wheel}',)"), ({"PYTHONTZPATH": str(tmp_path)}, f"('{tmp_path}',)")):
        env = {name: value for name, value in os.environ.items() if name != "PYTHONTZPATH"} | variables
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert done.stdout == f"{path} America/Los_Angeles\n"

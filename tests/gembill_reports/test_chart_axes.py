"""Axes: short names, none of them of two bars."""

from zoneinfo import ZoneInfo

import pytest

from gembill.period import Unit, buckets, containing, instant, iso, parse
from gembill_reports.chart_axes import short, spoken, ticks


def hours(day: str, zone: str) -> list[str]:
    calendar = ZoneInfo(zone)
    whole = containing(Unit.DAY, instant(f"{day}T12:00", calendar), calendar)
    return [iso(one.start_us or 0, calendar) for one in buckets(whole, Unit.HOUR)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("2026-11-05", "11-05"),
        ("2026-11", "2026-11"),
        ("2026-11-05T09:00:00-08:00", "11-05 09:00"),
        ("gemini-3-x", "gemini-3-x"),
        ("2026-13-99", "2026-13-99"),
    ],
)
def test_axes_write_short_names(name: str, said: str) -> None:
    assert short(name) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("2026-11-05", "Thu 2026-11-05"),
        ("2026-11-05T09:00:00-08:00", "2026-11-05 09:00 -08:00"),
        ("2026-11", "2026-11"),
        ("search", "search"),
    ],
)
def test_names_are_spoken_in_full(name: str, said: str) -> None:
    assert spoken(name) == said


def test_a_day_is_named_every_three_hours() -> None:
    said = ticks(hours("2026-10-09", "UTC"))
    assert [one for one in said if one] == [f"{hour:02d}:00" for hour in range(0, 24, 3)]
    assert said[3] == "03:00"


def test_the_hour_that_comes_twice_carries_its_offset() -> None:
    said = ticks(hours("2026-10-25", "Europe/Berlin"))
    assert len(said) == 25
    assert said[3] == "02:00\n+01:00"
    assert said[2] == ""
    assert said[4] == "03:00"
    assert len(set(filter(None, said))) == len(list(filter(None, said)))


def test_the_first_hour_of_each_of_several_days_has_the_date() -> None:
    period = parse("2026-10-09", through="2026-10-11", tz="UTC")
    said = ticks([iso(one.start_us or 0, period.zone) for one in buckets(period, Unit.HOUR)])
    assert [one for one in said if "\n" in one] == ["00:00\n10-09", "00:00\n10-10", "00:00\n10-11"]
    assert len([one for one in said if one]) <= 9


def test_of_many_days_eight_are_named() -> None:
    assert len(list(filter(None, ticks([f"2026-10-{day:02d}" for day in range(1, 32)])))) == 8
    assert ticks([]) == []

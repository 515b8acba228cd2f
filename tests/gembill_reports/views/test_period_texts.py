"""A period in words and in JSON."""

import pytest

from gembill.period import Period, parse, tz_version, zone
from gembill_reports.views.period_texts import period_dict, second, words


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (parse(month="2026-11"), "2026-11"),
        (parse("2026-11-01", "2026-12-01"), "2026-11"),
        (parse("2026-11-21", "2026-11-22"), "2026-11-21"),
        (parse("2026-11-01", "2026-11-08"), "2026-11-01 through 2026-11-07"),
        (parse(since="2026-11-01"), "since 2026-11-01"),
        (parse(until="2026-11-01"), "all through 2026-10-31"),
        (parse(until="2026-11-01T12:00Z", tz="UTC"), "all until 2026-11-01T12:00:00+00:00 (not included)"),
        (parse(), "all"),
        (
            parse("2026-11-01T10:00Z", "2026-11-01T12:00Z", tz="UTC"),
            "2026-11-01T10:00:00+00:00 until 2026-11-01T12:00:00+00:00 (not included)",
        ),
        (
            parse("2026-10-01", "2026-10-28T14:55"),
            "2026-10-01 until 2026-10-28T14:55:00-07:00 (not included)",
        ),
        (parse("2026-10-01T09:00Z", "2026-10-29", tz="UTC"), "2026-10-01T09:00:00+00:00 through 2026-10-28"),
        (Period(0, None, zone("UTC")), "since 1970-01-01"),
    ],
)
def test_a_period_in_few_words(period: Period, expected: str) -> None:
    assert words(period) == expected


def test_json_has_both_ends_and_the_zone() -> None:
    assert period_dict(parse(since="2026-11-01", tz="UTC")) == {
        "start": "2026-11-01T00:00:00+00:00",
        "end": None,
        "timezone": "UTC",
        "timezone_database": tz_version(),
    }


def test_the_time_of_a_call_is_on_the_clock_of_its_zone() -> None:
    noon = 1_793_880_000_000_000  # 2026-11-05T12:00:00Z
    assert second(noon, zone("UTC")) == "2026-11-05 12:00:00"
    assert second(noon, zone("America/Los_Angeles")) == "2026-11-05 04:00:00"

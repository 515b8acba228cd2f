"""Words for periods: each means whole days of the calendar, at whatever moment it is said."""

import pytest

from gembill.errors import ConfigurationError
from gembill.period import Unit, containing, parse, zone
from gembill.period_words import WORDS, spoken
from tests.gembill.calls import us

NOW = us("2026-11-01T20:30:00+00:00")  # a Sunday, on which the clock is set back in Los Angeles
LA = zone()


@pytest.mark.parametrize(
    ("word", "start", "end"),
    [
        ("today", "2026-11-01T00:00:00-07:00", "2026-11-02T00:00:00-08:00"),
        ("yesterday", "2026-10-31T00:00:00-07:00", "2026-11-01T00:00:00-07:00"),
        ("last-7-days", "2026-10-26T00:00:00-07:00", "2026-11-02T00:00:00-08:00"),
        ("last-1-days", "2026-11-01T00:00:00-07:00", "2026-11-02T00:00:00-08:00"),
        ("last-30-days", "2026-10-03T00:00:00-07:00", "2026-11-02T00:00:00-08:00"),
        ("this-week", "2026-10-26T00:00:00-07:00", "2026-11-02T00:00:00-08:00"),
        ("last-week", "2026-10-19T00:00:00-07:00", "2026-10-26T00:00:00-07:00"),
        ("this-month", "2026-11-01T00:00:00-07:00", "2026-12-01T00:00:00-08:00"),
        ("last-month", "2026-10-01T00:00:00-07:00", "2026-11-01T00:00:00-07:00"),
        ("2026-10-31", "2026-10-31T00:00:00-07:00", "2026-11-01T00:00:00-07:00"),
        ("2026-12", "2026-12-01T00:00:00-08:00", "2027-01-01T00:00:00-08:00"),
        ("2026-Q3", "2026-07-01T00:00:00-07:00", "2026-10-01T00:00:00-07:00"),
        ("2026-Q4", "2026-10-01T00:00:00-07:00", "2027-01-01T00:00:00-08:00"),
        ("2024-02-29", "2024-02-29T00:00:00-08:00", "2024-03-01T00:00:00-08:00"),
        (" 2026 ", "2026-01-01T00:00:00-08:00", "2027-01-01T00:00:00-08:00"),
    ],
)
def test_a_word_means_whole_days(word: str, start: str, end: str) -> None:
    period = spoken(word, LA, NOW)
    assert (period.start, period.end) == (start, end)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", ["UTC", "Asia/Kolkata", "America/Havana", "Asia/Beirut"])
def test_every_word_is_whole_days_in_every_zone(word: str, name: str) -> None:
    calendar = zone(name)
    period = spoken(word, calendar, NOW)
    for at in (period.start_us, period.end_us):
        assert at is not None
        assert containing(Unit.DAY, at, calendar).start_us == at
    assert period.timezone == name


def test_a_month_is_the_same_in_both_ways_of_writing_it() -> None:
    assert spoken("2026-11", LA, 0) == parse(month="2026-11")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("last_month", "did you mean last-month?"),
        ("Yesterday", "did you mean yesterday?"),
        ("last-0-days", "did you mean last-30-days?"),
        ("2026-Q5", "2026-Q3"),
        ("2026-13", "it can be today"),
        ("2026-02-30", "it can be today"),
        ("0001", "it can be today"),
        ("9999-12", "it can be today"),
        ("", "it can be today"),
        ("2026-1٠", "it can be today"),
    ],
)
def test_another_word_is_refused_with_those_that_there_are(word: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        spoken(word, LA, NOW)
    assert says in str(refused.value)

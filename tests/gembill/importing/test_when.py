"""The time of a recorded exchange, in the order of the contract."""

from datetime import UTC, datetime

import pytest

from gembill.importing.member import RefusedLine
from gembill.importing.when import occurred

NOON = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()) * 1_000_000
ONE = int(datetime(2026, 11, 21, 13, tzinfo=UTC).timestamp()) * 1_000_000
TWO = int(datetime(2026, 11, 21, 14, tzinfo=UTC).timestamp()) * 1_000_000
DATE = [(b"date", b"Sat, 21 Nov 2026 14:00:00 GMT")]


def test_the_time_told_comes_first_then_the_recording_then_the_date_header_then_what_is_assumed():
    assert occurred("2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z", DATE, 7) == NOON
    assert occurred(None, "2026-11-21T13:00:00Z", DATE, 7) == ONE
    assert occurred(None, None, DATE, 7) == TWO
    assert occurred(None, None, [], 7) == 7


@pytest.mark.parametrize(
    "text",
    ["2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000000Z", "2026-11-21T13:00:00+01:00", "2026-11-21T12:00:00",
     "2026-11-21 12:00", "Sat, 21 Nov 2026 12:00:00 GMT"],
)  # fmt: skip
def test_instants_and_http_dates_are_read_and_utc_is_meant_where_no_offset_stands(text):
    assert occurred(text, None, [], None) == NOON


def test_microseconds_are_kept():
    assert occurred("2026-11-21T12:00:00.000001Z", None, [], None) == NOON + 1


@pytest.mark.parametrize(
    "text", ["yesterday", "", "12", "2026-13-01", "0001-01-01T00:00:00+14:00", "9999-12-31", "\ud800"]
)
def test_a_told_time_that_cannot_be_read_is_refused_and_not_passed_over(text):
    with pytest.raises(RefusedLine, match="its time is '"):
        occurred(text, "2026-11-21T13:00:00Z", DATE, 7)


@pytest.mark.parametrize("text", ["in autumn", "Fri, 99 Foo 2026", "Mon, 01 Jan 0001 00:00:00 +9999", "\0"])
def test_a_recording_time_or_date_header_that_cannot_be_read_counts_as_none(text):
    assert occurred(None, text, DATE, 7) == TWO
    assert occurred(None, None, [(b"date", text.encode())], 7) == 7


def test_an_exchange_without_any_time_is_refused():
    with pytest.raises(RefusedLine, match="--occurred-at"):
        occurred(None, None, [], None)

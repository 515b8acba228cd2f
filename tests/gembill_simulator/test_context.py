"""Visits and times."""

from datetime import UTC, datetime, timedelta, timezone

from gembill_simulator.context import stamp
from gembill_simulator.options import Options
from tests.gembill_simulator.contexts import START, ContextFactory


def test_a_header_comes_before_the_option() -> None:
    make_context = ContextFactory(Options(polls=5, pending_ms=1500))
    assert make_context("GET", "/v1/models").polls == 5
    assert make_context("GET", "/v1/models", x_simulator_polls="0").polls == 0
    assert make_context("GET", "/v1/models", second=1).ready == START + timedelta(seconds=2.5)


def test_times_are_utc_with_microseconds_or_whole_seconds() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=1)))
    assert stamp(moment) == "2026-01-02T02:04:05.678901Z"
    assert stamp(moment, seconds=True) == "2026-01-02T02:04:05Z"
    assert datetime.fromisoformat(stamp(moment)).tzinfo == UTC

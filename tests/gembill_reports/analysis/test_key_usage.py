"""Keys: their calls, refusals and last hour."""

import pytest

from gembill.ledger import Ledger, Selection
from gembill.model import ApiError, Status
from gembill.period import HOUR_US, Period, parse, zone
from gembill_reports.analysis import key_usage
from gembill_reports.analysis.key_usage import keys_in_use
from gembill_reports.analysis.report import report
from tests.gembill_reports.making import PRO, call, put, us

NOVEMBER = parse(month="2026-11")


def fill(ledger: Ledger) -> None:
    refused = {"status": Status.ERROR, "error": ApiError(code=429, status="RATE", kind="rate")}
    put(
        ledger,
        call("2026-10-02T10:00:00+00:00", (1, 0, 0), key="old"),
        call("2026-11-02T10:20:00+00:00", (100, 0, 0), key="silent"),
        call("2026-11-20T10:59:59+00:00", (10, 0, 0), key="busy"),
        call("2026-11-20T11:00:00+00:00", None, key="busy", **refused),
        call("2026-11-19T11:00:00+00:00", (5, 5, 5), PRO),
    )


def test_each_key_has_its_sums_refusals_and_last_hour(ledger: Ledger) -> None:
    fill(ledger)
    used = keys_in_use(ledger, NOVEMBER)
    assert used.report == report(ledger, NOVEMBER, ("key",))
    assert {(one.key, one.total.calls, one.refused_calls, one.last_us) for one in used.keys} == {
        ("silent", 1, 0, us("2026-11-02T10:00:00+00:00")),
        ("busy", 2, 1, us("2026-11-20T11:00:00+00:00")),
        (None, 1, 0, us("2026-11-19T11:00:00+00:00")),
    }
    assert used.refused_calls == 1


@pytest.mark.parametrize("first_look", [HOUR_US, 24 * HOUR_US, 10_000 * HOUR_US])
def test_the_last_hour_is_the_same_however_it_is_looked_for(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, first_look: int
) -> None:
    fill(ledger)
    monkeypatch.setattr(key_usage, "_FIRST_LOOK_US", first_look)
    open_ended = keys_in_use(ledger, Period(None, None, zone()))
    assert {one.key: one.last_us for one in open_ended.keys} == {
        "old": us("2026-10-02T10:00:00+00:00"),
        "silent": us("2026-11-02T10:00:00+00:00"),
        "busy": us("2026-11-20T11:00:00+00:00"),
        None: us("2026-11-19T11:00:00+00:00"),
    }


def test_a_call_after_the_period_is_not_the_last(ledger: Ledger) -> None:
    fill(ledger)
    cut = Period(NOVEMBER.start_us, us("2026-11-20T10:59:59.500000+00:00"), zone())
    assert {one.key: one.last_us for one in keys_in_use(ledger, cut).keys}["busy"] == us("2026-11-20T10:00:00+00:00")


def test_a_filter_narrows_keys_and_an_empty_ledger_has_none(ledger: Ledger) -> None:
    assert keys_in_use(ledger, NOVEMBER).keys == ()
    fill(ledger)
    assert [one.key for one in keys_in_use(ledger, NOVEMBER, selection=Selection(models=(PRO,))).keys] == [None]

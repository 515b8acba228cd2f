"""Totals: months worked out by hand, days of odd calendars, and the exact shape of the JSON."""

import json
from typing import Any

import pytest

from billing.errors import ConfigurationError
from billing.ledger import Ledger, Selection
from billing.model import Status, Tokens
from billing.money import unit_price, usd
from billing.period import parse
from reports.rows import Report, add, as_dict, groups, report
from tests.reports.calls import FAILED, FLASH, LATE, OK, PRO, call, put

IN, OUT = unit_price("0.50"), unit_price("3.00")
PRO_IN, PRO_OUT = unit_price("2.00"), unit_price("12.00")
NOVEMBER = parse(month="2026-11", tz="UTC")


def rows(found: Report, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row.group[by] for by in found.by) + tuple(getattr(row, key) for key in keys) for row in found.rows]


def test_a_month_by_model_is_what_one_works_out_by_hand(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-10-31T23:59:59.999999+00:00", (9, 9, 9)),
        call("2026-11-01T00:00:00+00:00", (147, 360, 276), outcomes=[OK]),
        call("2026-11-15T12:30:00+00:00", (100, 900, 50), outcomes=[FAILED, OK, LATE]),
        call("2026-11-30T23:59:59.999999+00:00", (10, 0, 5), PRO),
        call("2026-12-01T00:00:00+00:00", (9, 9, 9), PRO),
    )
    shape = as_dict(report(ledger, NOVEMBER, ["model"]))
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
    }
    assert list(shape) == ["schema_version", "period", "by", "rows", "total"]
    assert json.loads(json.dumps(shape)) == shape


def test_the_month_of_the_zone_is_not_the_month_of_utc(ledger: Ledger) -> None:
    put(ledger, call("2026-11-01T06:59:59+00:00", (1, 0, 0)), call("2026-12-01T07:59:59+00:00", (2, 0, 0)))
    assert report(ledger, parse(month="2026-11")).total.tokens.input == 2
    assert report(ledger, NOVEMBER).total.tokens.input == 1
    assert report(ledger, parse(month="2026-12", tz="Asia/Kolkata")).total.tokens.input == 2


def test_rows_come_dearest_first_then_by_name_and_missing_last(ledger: Ledger) -> None:
    at = "2026-11-05T10:10:00+00:00"
    put(
        ledger,
        call(at, (10_000, 0, 0), labels={}),
        *(call(at, (n, 0, 0), labels={"team": team}) for team, n in (("b", 5), ("a", 5), ("c", 7))),
        call(at, (1_000, 0, 0), "gemini-nobody-knows", labels={"team": "unpriced"}),
    )
    found = report(ledger, NOVEMBER, ["label.team"])
    assert rows(found, "cost_pico") == [
        ("c", 7 * IN),
        ("a", 5 * IN),
        ("b", 5 * IN),
        ("unpriced", None),
        (None, 10_000 * IN),
    ]
    assert as_dict(found)["rows"][-1]["label.team"] is None


def test_what_is_not_known_stays_unknown_and_is_skipped_in_sums(ledger: Ledger) -> None:
    at = "2026-11-05T10:10:00+00:00"
    put(
        ledger,
        call(at, None, "lost"),
        call(at, (5, 6, 7), "gemini-nobody-knows"),
        call(at, (1, 2, 3)),
        call(at, None, status=Status.ERROR, http_status=429),
    )
    found = report(ledger, NOVEMBER, ["model"])
    by_model = {row.group["model"]: row for row in found.rows}
    assert by_model["lost"].tokens == Tokens()
    assert (by_model["lost"].cost_pico, by_model["lost"].incomplete_calls) == (None, 1)
    assert by_model["gemini-nobody-knows"].cost_pico is None
    assert by_model["gemini-nobody-knows"].unpriced_calls == 1
    assert found.total.cost_pico == 3 * IN + 3 * OUT
    assert found.total.tokens.total == 18 + 6
    assert not found.strictly_complete
    assert as_dict(found)["total"]["unpriced_calls"] == 1


def test_a_month_without_calls_cost_nothing(ledger: Ledger) -> None:
    found = report(ledger, NOVEMBER, ["model"])
    assert found.rows == ()
    assert (found.total.calls, found.total.cost_pico, found.total.tokens.total) == (0, 0, 0)
    assert found.strictly_complete


@pytest.mark.parametrize(
    "zone", ["America/Los_Angeles", "UTC", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize("unit", ["hour", "day", "week", "month"])
def test_rows_of_time_add_up_to_the_total_in_every_zone(ledger: Ledger, zone: str, unit: str) -> None:
    instants = ("2026-11-01T06:59:59+00:00", "2026-11-01T07:00:00+00:00", "2026-11-01T08:45:00+00:00")
    put(ledger, *(call(at, (2**n, 0, 0)) for n, at in enumerate((*instants, "2026-11-01T09:15:00+00:00"))))
    found = report(ledger, parse("2026-10-20", "2026-11-20", tz=zone), [unit, "model"])
    assert sum(row.tokens.input or 0 for row in found.rows) == found.total.tokens.input == 1 + 2 + 4 + 8
    assert found.total == add({}, [report(ledger, found.period).total])
    assert [row.group[unit] for row in found.rows] == sorted(str(row.group[unit]) for row in found.rows)


def test_days_in_india_begin_at_half_past_in_utc(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-11-20T18:29:59.999999+00:00", (1, 0, 0)),
        call("2026-11-20T18:30:00+00:00", (2, 0, 0)),
        call("2026-11-21T18:29:59.999999+00:00", (4, 0, 0)),
        call("2026-11-21T18:30:00+00:00", (8, 0, 0)),
    )
    found = report(ledger, parse(month="2026-11", tz="Asia/Kolkata"), ["day"])
    assert rows(found, "cost_pico") == [("2026-11-20", IN), ("2026-11-21", 6 * IN), ("2026-11-22", 8 * IN)]


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
    found = report(ledger, parse("2026-11-05T10:15:00Z", "2026-11-06", tz="UTC"), ["day"])
    assert rows(found, "cost_pico") == [("2026-11-05", 2 * IN)]
    assert found.total.calls == 1


def test_open_ends_reach_the_first_and_the_last_call(ledger: Ledger) -> None:
    put(ledger, call("2025-01-31T10:00:00+00:00", (1, 0, 0)), call("2026-11-05T10:20:00+00:00", (2, 0, 0)))
    found = report(ledger, parse(tz="UTC"), ["month"])
    assert rows(found, "calls") == [("2025-01", 1), ("2026-11", 1)]
    assert as_dict(found)["period"]["start"] is None


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
        (["colour"], "'colour' is no group"),
        (["label."], "'label.' is no group"),
        (["model", "model"], "names a group twice"),
        (["day", "month"], "cuts time twice"),
        ([""], "'' is no group"),
    ],
)
def test_a_group_nobody_knows_is_named(by: list[str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        groups(by)

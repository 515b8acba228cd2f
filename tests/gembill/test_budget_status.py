"""What budgets ask the ledger for."""

import re

import pytest
from sqlalchemy import event

from gembill.budget_status import evaluate_budgets, hourly_usage, newest_run, selection
from gembill.ledger import Ledger, schema
from gembill.money import PICO_PER_USD, unit_price
from gembill.period import HOUR_US, zone
from gembill.rules.budgets import Budget, BudgetPeriod, HourlyUsage
from tests.gembill_reports.making import FLASH, LATE, OK, call, put, us

IN = unit_price("0.50")
NOW = us("2026-11-21T09:00:00+00:00")


def budget(**changes: object) -> Budget:
    return Budget(
        **{"name": "b", "limit_pico": PICO_PER_USD, "span": BudgetPeriod.MONTH, "zone": zone("UTC"), **changes}
    )


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    put(
        ledger,
        call("2026-10-31T23:59:59+00:00", (1000, 0, 0)),
        call("2026-11-01T00:00:00+00:00", (1, 2, 0), labels={"team": "search", "run": "20261101T1"}),
        call("2026-11-01T00:59:00+00:00", (3, 4, 0), outcomes=[OK, LATE], key="k1"),
        call("2026-11-02T10:00:00+00:00", (5, 0, 0), "gemini-9", labels={"run": "20261102T1"}),
        call("2026-11-02T10:30:00+00:00", None),
    )
    return ledger


def test_an_hour_has_what_its_calls_used(filled):
    rule = budget()
    hours = hourly_usage(filled, selection(rule, rule.period(NOW)))
    assert hours == [
        HourlyUsage(
            at_us=us("2026-11-01T00:00:00+00:00"),
            calls=2,
            costed_calls=2,
            cost_pico=10 * IN,
            tokens=10,
            failed_pico=4 * IN // 2,
        ),
        HourlyUsage(at_us=us("2026-11-02T10:00:00+00:00"), calls=2, tokens=5, unpriced_calls=1, incomplete_calls=1),
    ]


@pytest.mark.parametrize(
    ("filters", "calls"),
    [
        ({"models": ("gemini-3*",)}, 3),
        ({"models": (FLASH, "gemini-9")}, 4),
        ({"labels": {"team": "search"}}, 1),
        ({"keys": ("k1",)}, 1),
        ({"code_execution": True}, 1),
        ({"span": BudgetPeriod.TOTAL}, 5),
        ({"span": BudgetPeriod.DAY}, 0),
    ],
)
def test_a_budget_counts_the_calls_of_its_filter_and_period(filters, calls, filled):
    (status,) = evaluate_budgets(filled, [budget(**filters)], NOW)
    assert status.calls == calls


def test_a_budget_of_a_run_is_about_the_newest_or_the_one_named(filled):
    rule = budget(span=BudgetPeriod.RUN)
    assert newest_run(filled) == "20261102T1"
    (newest,), (named,) = evaluate_budgets(filled, [rule], NOW), evaluate_budgets(filled, [rule], NOW, run="20261101T1")
    assert (newest.run, newest.calls, newest.used) == ("20261102T1", 1, 0)
    assert (named.run, named.calls, named.used) == ("20261101T1", 1, 3 * IN)


def test_without_any_run_nothing_was_used(ledger):
    put(ledger, call("2026-11-01T00:00:00+00:00", (1, 2, 0)))
    (status,) = evaluate_budgets(ledger, [budget(span=BudgetPeriod.RUN)], NOW)
    assert (status.run, status.calls) == (None, 0)


def test_an_instant_of_the_past_sees_only_what_was_before(filled):
    (status,) = evaluate_budgets(filled, [budget()], us("2026-11-01T00:30:00+00:00"), past=True)
    assert status.calls == 1


def test_only_rollups_are_read(filled):
    """Days of Google's calendar begin at a whole hour, so that no hour is cut."""
    said: list[str] = []
    event.listen(filled.engine, "before_cursor_execute", lambda *a: said.append(a[2]))
    rules = [
        budget(zone=zone()),
        budget(labels={"team": "search"}),
        budget(span=BudgetPeriod.RUN),
        budget(span=BudgetPeriod.TOTAL),
    ]
    evaluate_budgets(filled, rules, NOW)
    selects = [statement for statement in said if statement.startswith("SELECT")]
    assert len(selects) == 5
    tables = {name for statement in selects for name in re.findall(r"(?:FROM|JOIN) (\w+)", statement)}
    assert tables <= {*(table.name for table in schema.ROLLUPS), "label_set", "source", "json_each"}
    assert {"rollup_narrow", "rollup_wide"} <= tables


def test_a_zone_at_half_past_the_hour_is_still_exact(filled):
    (status,) = evaluate_budgets(filled, [budget(zone=zone("Asia/Kolkata"))], NOW)  # November began at 18:30 UTC
    assert status.calls == 5
    assert status.budget.period(NOW).start_us % HOUR_US == HOUR_US // 2

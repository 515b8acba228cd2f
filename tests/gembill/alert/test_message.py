"""What is worth an alert."""

from dataclasses import replace

import pytest

from gembill.alert.message import crossings, period_name, trial
from gembill.rules.budgets import BudgetPeriod, evaluate
from tests.gembill.rules.budgets.test_status import NOW, budget, hours, stand

WARN = {"warn_at": (500_000, 800_000), "forecast_at": 1_000_000}


def crossed(*args: object, **more: object) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.threshold, one.lower) for one in crossings(stand(*args, **more))]


def test_only_the_highest_threshold_of_what_was_used_gets_a_message():
    assert crossed(hours(49), **WARN) == []
    assert crossed(hours(50), **WARN) == [("warn 0.500000 of 100 pico", ())]
    assert crossed(hours(85), **WARN) == [("warn 0.800000 of 100 pico", ("warn 0.500000 of 100 pico",))]
    assert crossed(hours(101), **WARN) == [
        ("breach of 100 pico", ("warn 0.500000 of 100 pico", "warn 0.800000 of 100 pico"))
    ]


def test_a_forecast_and_an_unknown_state_are_different_thresholds():
    both = crossed(hours(20, 10, 10, unpriced_calls=1), **WARN)
    assert [one[0] for one in both] == ["forecast 1.000000 of 100 pico", "unknown of 100 pico"]


def test_a_breached_budget_has_no_forecast_to_tell():
    assert len(crossed(hours(60, 40, 40), **WARN)) == 1


def test_another_limit_is_another_threshold():
    assert crossed(hours(101), limit=100) != crossed(hours(101), limit=99)


@pytest.mark.parametrize(
    ("span", "name"),
    [
        (BudgetPeriod.MONTH, "month 2026-11 UTC"),
        (BudgetPeriod.WEEK, "week 2026-11-09 UTC"),
        (BudgetPeriod.DAY, "day 2026-11-11 UTC"),
        (BudgetPeriod.TOTAL, "total"),
        (BudgetPeriod.RUN, "run r1"),
    ],
)
def test_a_period_has_a_name_of_its_own(span, name):
    rule = budget(span=span)
    assert (
        period_name(evaluate(rule, rule.period(NOW), [], NOW, run="r1" if span is BudgetPeriod.RUN else None)) == name
    )


def test_a_message_has_the_same_id_in_every_process():
    (first,), (second,) = crossings(stand(hours(101))), crossings(stand(hours(200)))
    assert first.message().body["id"] == second.message().body["id"]
    assert first.message().body["id"] != replace(first, threshold="warn").message().body["id"]


def test_the_body_says_what_happened_and_the_state_of_the_budget():
    (breach,) = crossings(stand(hours(101)))
    body = breach.message().body
    assert (body["event"], body["threshold"], body["budget"]["state"]) == ("budget.threshold", "breach", "BREACH")
    assert body["title"] == breach.message().title == "Budget b breached: 101%"


def test_a_forecast_is_not_a_breach_in_its_title():
    (crossing, *_) = list(crossings(stand(hours(20, 10, 10), **WARN)))
    assert crossing.message().title == "Budget b is on its way over 1 of its limit"


def test_the_trial_says_that_it_is_one():
    assert trial().body["event"] == "test"

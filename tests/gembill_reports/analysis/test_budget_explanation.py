"""Which calls and which days a budget was spent on."""

import pytest

from gembill.budget_status import evaluate_budgets
from gembill.ledger import Ledger
from gembill.money import PICO_PER_USD, unit_price
from gembill.period import zone
from gembill.rules.budgets import Budget, BudgetPeriod
from gembill_reports.analysis.budget_explanation import CALLS, explanation
from tests.gembill_reports.making import FLASH, PRO, call, put, us

IN = unit_price("0.50")
NOW = us("2026-11-21T09:00:00+00:00")
RULE = Budget(name="b", limit_pico=PICO_PER_USD, span=BudgetPeriod.MONTH, zone=zone("UTC"), labels={"team": "search"})


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    team = {"labels": {"team": "search"}}
    put(
        ledger,
        call("2026-11-05T10:00:00+00:00", (10, 0, 0), PRO, **team),
        *(call(f"2026-11-06T10:00:{n:02d}+00:00", (n, 0, 0), **team) for n in range(20)),
        call("2026-11-07T10:00:00+00:00", (999, 0, 0)),
        call("2026-10-31T10:00:00+00:00", (999, 0, 0), **team),
    )
    return ledger


def test_days_and_models_add_up_to_what_was_spent(filled):
    (status,) = evaluate_budgets(filled, [RULE], NOW)
    explained = explanation(filled, status)
    assert explained.status.used == 40 * IN + sum(range(20)) * IN
    assert [(row.group["day"], row.calls) for row in explained.days] == [("2026-11-05", 1), ("2026-11-06", 20)]
    assert {row.group["model"]: row.cost_pico for row in explained.models} == {PRO: 40 * IN, FLASH: 190 * IN}


def test_the_most_expensive_calls_come_first(filled):
    (status,) = evaluate_budgets(filled, [RULE], NOW)
    costs = [one.cost_pico for one in explanation(filled, status).most_expensive]
    assert costs == [n * IN for n in (40, 19, 18, 17, 16, 15, 14, 13, 12, 11)]
    assert len(costs) == CALLS


def test_of_a_budget_in_tokens_those_with_most_tokens_come_first(filled):
    rule = Budget(name="b", limit_tokens=5, span=BudgetPeriod.MONTH, zone=zone("UTC"), labels={"team": "search"})
    (status,) = evaluate_budgets(filled, [rule], NOW)
    assert explanation(filled, status).most_expensive[0].record.tokens.input == 19


def test_a_status_of_the_past_is_explained_by_the_calls_until_then(filled):
    (status,) = evaluate_budgets(filled, [RULE], us("2026-11-06T10:00:05+00:00"), past=True)
    assert explanation(filled, status, past=True).days.total.calls == status.calls == 6

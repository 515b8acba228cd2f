"""A budget: its limit and the period it is about."""

import pytest

from gembill.period import Unit, containing, zone
from gembill.rules.budgets import Budget, BudgetPeriod
from tests.gembill_reports.making import us

NOW = us("2026-11-21T09:00:00+00:00")
PACIFIC = zone("America/Los_Angeles")


@pytest.mark.parametrize("span", [BudgetPeriod.DAY, BudgetPeriod.WEEK, BudgetPeriod.MONTH])
def test_the_period_is_the_one_reports_have(span):
    budget = Budget(name="b", limit_pico=1, span=span, zone=PACIFIC)
    assert budget.period(NOW) == containing(Unit(span.value), NOW, PACIFIC)


@pytest.mark.parametrize("span", [BudgetPeriod.TOTAL, BudgetPeriod.RUN])
def test_total_and_run_have_open_ends(span):
    period = Budget(name="b", limit_pico=1, span=span, zone=PACIFIC).period(NOW)
    assert (period.start_us, period.end_us) == (None, None)


def test_the_limit_is_in_dollars_or_tokens():
    money = Budget(name="b", limit_pico=5, span=BudgetPeriod.DAY, zone=PACIFIC)
    tokens = Budget(name="b", limit_tokens=7, span=BudgetPeriod.DAY, zone=PACIFIC)
    assert (money.limit, money.in_tokens) == (5, False)
    assert (tokens.limit, tokens.in_tokens) == (7, True)

"""States, shares, forecasts and exit codes."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.period import HOUR_US, zone
from gembill.rules.budgets import (
    Budget,
    BudgetPeriod,
    BudgetState,
    BudgetStatus,
    HourlyUsage,
    OnUnpriced,
    evaluate,
    exit_code,
)
from tests.gembill_reports.making import us

UTC = zone("UTC")
START, END = us("2026-11-01T00:00:00+00:00"), us("2026-12-01T00:00:00+00:00")
DAY = 24 * HOUR_US
NOW = START + 10 * DAY


def budget(limit: int = 100, **changes: object) -> Budget:
    return Budget(**{"name": "b", "limit_pico": limit, "span": BudgetPeriod.MONTH, "zone": UTC, **changes})


def hours(*costs: int, **more: int) -> list[HourlyUsage]:
    """A slice a day, from the first on."""
    return [
        HourlyUsage(at_us=START + n * DAY, calls=1, costed_calls=1, cost_pico=cost, tokens=cost, **more)
        for n, cost in enumerate(costs)
    ]


def stand(costs: list[HourlyUsage], at_us: int = NOW, **changes: object) -> BudgetStatus:
    rule = budget(**changes)
    return evaluate(rule, rule.period(at_us), costs, at_us)


@pytest.mark.parametrize(
    ("used", "state"), [(0, "PASS"), (49, "PASS"), (50, "WARN"), (100, "WARN"), (101, "BREACH"), (1000, "BREACH")]
)
def test_a_limit_is_breached_when_it_is_passed_and_not_when_it_is_reached(used, state):
    assert stand(hours(used), warn_at=(500_000,)).state == state


def test_no_calls_pass_and_cost_nothing():
    status = stand([])
    assert (status.state, status.used, status.cost_pico, status.share) == (BudgetState.PASS, 0, 0, 0)


def test_calls_of_unknown_cost_have_no_cost():
    status = stand([HourlyUsage(at_us=START, calls=1, unpriced_calls=1)])
    assert (status.cost_pico, status.state) == (None, BudgetState.UNKNOWN)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "UNKNOWN"),
        ({"on_unpriced": OnUnpriced.IGNORE}, "PASS"),
        ({"limit_pico": None, "limit_tokens": 100}, "PASS"),
        ({"limit": 5}, "BREACH"),
    ],
)
def test_a_call_without_a_price_makes_a_budget_in_dollars_unknown_unless_it_is_breached(changes, state):
    assert stand(hours(10, unpriced_calls=1), **changes).state == state


def test_a_warning_counts_also_where_the_state_is_unknown():
    status = stand(hours(90, unpriced_calls=1), warn_at=(800_000,))
    assert (status.state, status.warned) == (BudgetState.UNKNOWN, True)
    assert exit_code([status], fail_on_warn=True) == 11


def test_the_hour_in_which_the_limit_was_passed():
    status = stand(hours(60, 40, 1, 5))
    assert status.breached_us == START + 2 * DAY


def test_a_forecast_goes_on_at_the_same_rate():
    status = stand(hours(10, 10, 10))  # 30 in 10 of 30 days
    assert status.forecast == 30 * 3
    assert status.expected_us is None
    over = stand(hours(20, 20, 10))  # 50 in 10 days: 100 on day 20
    assert (over.forecast, over.expected_us) == (150, START + 20 * DAY)


def test_with_calls_on_fewer_than_three_days_there_is_no_forecast():
    assert stand(hours(10, 10)).forecast is None
    assert stand(hours(10, 10, 10), span=BudgetPeriod.TOTAL).forecast is None
    same_day = [HourlyUsage(at_us=START + n * HOUR_US, calls=1, cost_pico=9) for n in range(5)]
    assert stand(same_day, forecast_at=1).forecast is None


def test_a_forecast_warns_at_its_own_threshold():
    assert stand(hours(20, 20, 10), forecast_at=1_000_000).state is BudgetState.WARN
    assert stand(hours(10, 10, 10), forecast_at=1_000_000).state is BudgetState.PASS


def test_a_limit_of_nothing_is_breached_by_anything():
    assert (stand(hours(1), limit=0).state, stand(hours(1), limit=0).share) == (BudgetState.BREACH, None)
    assert (stand([], limit=0, warn_at=(500_000,)).state, stand([], limit=0).share) == (BudgetState.PASS, 0)


def test_exit_codes_in_the_order_of_the_contract():
    passed, warned = stand(hours(1)), stand(hours(90), warn_at=(500_000,))
    unknown, cut = stand(hours(1, unpriced_calls=1)), stand(hours(1, incomplete_calls=1))
    breached, ignored = stand(hours(101)), stand(hours(1, unpriced_calls=1), on_unpriced=OnUnpriced.IGNORE)
    assert exit_code([passed, warned, unknown, cut]) == 0
    assert exit_code([passed, warned], fail_on_warn=True) == 11
    assert exit_code([warned, unknown], strict=True, fail_on_warn=True) == 12
    assert exit_code([cut], strict=True) == 12
    assert exit_code([passed], strict=True, known=False) == 12
    assert exit_code([passed], known=False) == 0
    assert exit_code([ignored, passed], strict=True) == 0
    assert exit_code([unknown, breached], strict=True, fail_on_warn=True) == 10


@given(st.lists(st.integers(0, 10**15), max_size=30), st.integers(1, 10**16), st.integers(1, 30 * 24))
def test_shares_and_forecasts_are_exact(costs, limit, elapsed):
    status = stand(hours(*costs), START + elapsed * HOUR_US, limit=limit)
    assert status.used == sum(costs)
    assert status.share == int(Fraction(sum(costs), limit) * 1_000_000)
    assert (status.state is BudgetState.BREACH) == (sum(costs) > limit) == (status.breached_us is not None)
    if status.forecast is not None:
        assert abs(status.forecast - Fraction(sum(costs) * 30 * 24, elapsed)) <= Fraction(1, 2)
        assert status.forecast >= status.used

"""A status in words and as JSON."""

from gembill.money import PICO_PER_USD
from gembill.rules.budgets import BudgetPeriod, HourlyUsage
from gembill.rules.budgets.text import as_dict, course, percent, rule_dict, sentence, title, where
from tests.gembill.rules.budgets.test_status import NOW, START, budget, evaluate, hours, stand

USD = PICO_PER_USD


def test_json_has_exact_money_and_instants_with_offset():
    row = as_dict(stand(hours(50 * USD, 40 * USD, 20 * USD), limit=100 * USD, warn_at=(500_000, 800_000)))
    assert row["state"] == "BREACH"
    assert (row["spent_usd"], row["limit_usd"]) == ("110.000000000000", "100.000000000000")
    assert (row["used_ratio"], row["warnings"]) == ("1.100000", ["0.500000", "0.800000"])
    assert row["forecast_usd"] == "330.000000000000"
    assert row["breached_at"] == "2026-11-03T00:00:00+00:00"
    assert row["period"] == {
        "unit": "month",
        "start": "2026-11-01T00:00:00+00:00",
        "end": "2026-12-01T00:00:00+00:00",
        "timezone": "UTC",
    }


def test_what_is_unknown_is_null():
    row = as_dict(stand([HourlyUsage(at_us=START, calls=1, unpriced_calls=1)]))
    assert (row["spent_usd"], row["forecast_usd"], row["limit_tokens"]) == (None, None, None)


def test_a_budget_in_tokens_forecasts_tokens():
    row = as_dict(stand(hours(1, 1, 1), limit_pico=None, limit_tokens=100))
    assert (row["forecast_tokens"], row["forecast_usd"], row["spent_tokens"]) == (9, None, 3)


def test_the_sentence_says_all_there_is_to_say():
    status = stand(
        hours(50 * USD, 40 * USD, 20 * USD, failed_pico=USD, unpriced_calls=1, incomplete_calls=2), limit=100 * USD
    )
    assert sentence(status) == (
        "$110.00 of $100.00 (110%); since 2026-11-03 00:00; of 3 calls 3 without a price and 6 may lack tokens; "
        "failed runs cost $3.00 of it (estimate). The month from 2026-11-01, UTC."
    )
    assert title(status) == "Budget b breached: 110%"


def test_a_forecast_over_the_limit_names_the_day():
    status = stand(hours(20 * USD, 20 * USD, 10 * USD), limit=100 * USD)
    assert course(status) == "forecast $150.00, over by $50.00, on 2026-11-21"


def test_a_share_that_is_not_nothing_is_not_called_so():
    assert percent(stand(hours(1), limit=1000)) == "<1%"
    assert percent(stand([], limit=1000)) == "0%"
    assert percent(stand(hours(1), limit=0)) == "over nothing"


def test_a_run_is_called_by_its_id():
    rule = budget(span=BudgetPeriod.RUN)
    assert where(evaluate(rule, rule.period(NOW), [], NOW, run="r1")) == "Run r1"
    assert where(evaluate(rule, rule.period(NOW), [], NOW)) == "No run was recorded yet"
    assert where(stand([], span=BudgetPeriod.TOTAL)) == "All calls"


def test_a_rule_has_the_keys_of_the_file():
    row = rule_dict(budget(warn_at=(500_000,)))
    assert (row["period"], row["warn_at"], row["timezone"], row["on_unpriced"]) == (
        "month",
        ["0.500000"],
        "UTC",
        "unknown",
    )

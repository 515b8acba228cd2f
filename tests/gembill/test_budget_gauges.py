"""Budgets as Prometheus reads them."""

from prometheus_client.parser import text_string_to_metric_families

from gembill.budget_gauges import BudgetGauge, lines


def scraped(*budgets: BudgetGauge) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families("\n".join(lines(budgets)) + "\n")
    return {(one.name, one.labels["budget"]): one.value for family in families for one in family.samples}


def test_each_number_that_is_known_has_its_gauge():
    money = BudgetGauge(name="team", limit_usd=10.0, spent_usd=2.5, forecast_usd=12.0, used_ratio=0.25)
    tokens = BudgetGauge(name="tokens", used_ratio=1.5)
    assert scraped(money, tokens) == {
        ("gembill_budget_limit_usd", "team"): 10,
        ("gembill_budget_spent_usd", "team"): 2.5,
        ("gembill_budget_forecast_usd", "team"): 12,
        ("gembill_budget_used_ratio", "team"): 0.25,
        ("gembill_budget_used_ratio", "tokens"): 1.5,
    }


def test_a_name_cannot_break_the_text():
    assert scraped(BudgetGauge(name='a"b\n\\c', used_ratio=0.0)) == {("gembill_budget_used_ratio", "a_b__c"): 0}


def test_without_budgets_there_is_no_text():
    assert list(lines([])) == []

"""The demo has budgets to look at."""

from gembill.demo.budgets import budgets


def test_the_demos_budgets_can_be_read_and_differ() -> None:
    read = budgets()
    assert len({budget.name for budget in read}) == len(read) == 4
    assert {budget.in_tokens for budget in read} == {True, False}

"""Budgets as they are written."""

import pytest

from gembill.errors import ConfigurationError
from gembill.money import PICO_PER_USD
from gembill.period import zone
from gembill.rules.budgets import Budget, BudgetPeriod, OnUnpriced
from gembill.rules.budgets.toml import budgets

CONTRACT = """
[[budget]]
name = "search-team"
limit_usd = "150"
period = "month"
timezone = "Europe/Berlin"
models = ["gemini-3*"]
labels = {team = "search"}
keys = ["k_1"]
code_execution = true
warn_at = [0.8, 0.5]
forecast_at = 1.0
on_unpriced = "ignore"
"""


def one(**changes: str) -> str:
    fields = {"name": '"x"', "limit_usd": '"1"', "period": '"day"', **changes}
    return "[[budget]]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items() if value)


def refused(text: str, **more: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        budgets(text, "gembill.toml", **more)
    return str(caught.value).splitlines()


def test_the_form_of_the_contract_is_understood_whole():
    assert budgets(CONTRACT, "f") == [
        Budget(
            name="search-team",
            limit_pico=150 * PICO_PER_USD,
            span=BudgetPeriod.MONTH,
            zone=zone("Europe/Berlin"),
            models=("gemini-3*",),
            labels={"team": "search"},
            keys=("k_1",),
            code_execution=True,
            warn_at=(500_000, 800_000),
            forecast_at=1_000_000,
            on_unpriced=OnUnpriced.IGNORE,
        )
    ]


def test_what_is_left_out_is_every_call_on_googles_calendar():
    assert budgets(one(), "f") == [Budget(name="x", limit_pico=PICO_PER_USD, span=BudgetPeriod.DAY, zone=zone())]


def test_pyproject_has_them_in_its_own_table():
    text = one().replace("[[budget]]", "[[tool.gembill.budget]]")
    assert [budget.name for budget in budgets(text, "pyproject.toml", ("tool", "gembill"))] == ["x"]
    assert budgets("", "pyproject.toml", ("tool", "gembill")) == []


@pytest.mark.parametrize("written", ['"0.50"', "0.5", "0.50", "5e-1"])
def test_dollars_are_exact_however_they_are_written(written):
    assert budgets(one(limit_usd=written), "f")[0].limit_pico == PICO_PER_USD // 2


def test_tokens_are_a_whole_number():
    assert budgets(one(limit_usd="", limit_tokens="5_000_000"), "f")[0].limit_tokens == 5_000_000


def test_every_mistake_is_named_with_its_line():
    text = (
        '[[budget]]\nname = "x"\nlimit_usd = "ten"\nperiod = "fortnight"\n\n[[budget]]\nname = "x"\nlimit_usd = "1"\n'
    )
    said = refused(text)
    assert [line.split(": ")[0] for line in said] == [f"gembill.toml:{n}" for n in (3, 4, 6, 7)]
    assert "'ten'" in said[0]
    assert "$.budget[0].period is 'fortnight'; it must be one of day, week, month, total, run" in said[1]
    assert "$.budget[1]: the budget 'x' has no period" in said[2]
    assert "$.budget[1].name is 'x', as is that on line 2" in said[3]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": '""'}, "a text of 1 to 100"),
        ({"name": '"a\\nb"'}, "visible characters"),
        ({"name": f'"{"n" * 101}"'}, "1 to 100 visible"),
        ({"limit_usd": '"-1"'}, "is not negative"),
        ({"limit_usd": "true"}, "is true"),
        ({"limit_usd": "nan"}, "must be an amount"),
        ({"limit_usd": ""}, "neither limit_usd nor limit_tokens"),
        ({"limit_tokens": "5"}, "both limit_usd and limit_tokens"),
        ({"limit_usd": "", "limit_tokens": "5.0"}, "whole number of tokens"),
        ({"limit_usd": "", "limit_tokens": "-5"}, "whole number of tokens"),
        ({"period": "3"}, "it must be one of day"),
        ({"timezone": '"Mars"'}, "a known time zone"),
        ({"models": '"gemini"'}, "list of texts"),
        ({"models": "[]"}, "list of texts"),
        ({"keys": '["AIza-canary", 5]'}, "keys is not shown, because it may be a secret; it must be a list of texts"),
        ({"labels": '["team"]'}, "table of texts"),
        ({"labels": "{team = 5}"}, "table of texts"),
        ({"code_execution": '"yes"'}, "true or false"),
        ({"warn_at": "0.5"}, "list of shares"),
        ({"warn_at": "[0.5, 0.5]"}, "each once"),
        ({"warn_at": "[1.5]"}, "at most 1"),
        ({"warn_at": '["50%"]'}, "shares of the limit"),
        ({"forecast_at": "0"}, "above 0"),
        ({"forecast_at": '"0.8"'}, "a share of the limit above 0"),
        ({"forecast_at": "inf"}, "above 0"),
        ({"forecast_at": "0.1234567"}, "6 decimals"),
        ({"on_unpriced": '"guess"'}, "unknown, ignore"),
        ({"warnat": "[1]"}, "is 'warn_at' meant?"),
        ({"zzz": "1"}, "known are name"),
    ],
)
def test_a_value_nobody_understands_is_refused(changes, words):
    (said,) = refused(one(**changes))
    assert words in said


def test_text_that_is_no_toml_is_named_with_its_line():
    assert "line 2" in refused("[[budget]]\nname = \n")[0]


@pytest.mark.parametrize("text", ["budget = 3", "[budget]\nname = 'x'", "budget = [1]"])
def test_budgets_that_are_no_list_of_tables_are_refused(text):
    assert "begin each budget with [[budget]]" in refused(text)[0]

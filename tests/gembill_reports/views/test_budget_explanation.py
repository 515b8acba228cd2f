"""Which calls and which days a budget was spent on, as tables and JSON."""

import json
from collections.abc import Sequence

import pytest

from gembill.budget_status import evaluate_budgets
from gembill.ledger import Ledger
from gembill.money import PICO_PER_USD, unit_price, usd
from gembill.period import zone
from gembill.rules.budgets import Budget, BudgetPeriod
from gembill_reports.analysis.budget_explanation import CALLS, Explanation, explanation
from gembill_reports.layout.sheet import Sheet
from gembill_reports.views.budget_explanation import ExplanationView
from tests.gembill_reports.conftest import Snapshots
from tests.gembill_reports.making import FAILED, FLASH, PRO, call, put, us

IN = unit_price("0.50")
ID = "019aa5e0-4b71-7f3a-8c2d-00000000000"
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


def shown(explained: Explanation) -> Sequence[Sheet]:
    return ExplanationView(explained).sheets()


def test_days_and_models_add_up_to_what_was_spent(filled):
    (status,) = evaluate_budgets(filled, [RULE], NOW)
    shape = ExplanationView(explanation(filled, status)).json()
    assert shape["budget"]["spent_usd"] == usd(40 * IN + sum(range(20)) * IN)
    assert [(row["day"], row["calls"]) for row in shape["days"]] == [("2026-11-05", 1), ("2026-11-06", 20)]
    assert {row["model"]: row["cost_usd"] for row in shape["models"]} == {PRO: usd(40 * IN), FLASH: usd(190 * IN)}
    json.dumps(shape)


def test_the_most_expensive_calls_come_first(filled):
    (status,) = evaluate_budgets(filled, [RULE], NOW)
    calls = ExplanationView(explanation(filled, status)).json()["dearest_calls"]
    assert [call["cost_usd"] for call in calls] == [usd(n * IN) for n in (40, 19, 18, 17, 16, 15, 14, 13, 12, 11)]
    assert len(calls) == CALLS


def test_of_a_budget_in_tokens_those_with_most_tokens_come_first(filled):
    rule = Budget(name="b", limit_tokens=5, span=BudgetPeriod.MONTH, zone=zone("UTC"), labels={"team": "search"})
    (status,) = evaluate_budgets(filled, [rule], NOW)
    explained = explanation(filled, status)
    assert explained.most_expensive[0].record.tokens.input == 19
    assert "95%" in ExplanationView(explained).sheets()[0].terminal(140)  # 190 of 200 tokens


def test_people_read_it_as_three_tables(filled):
    (status,) = evaluate_budgets(filled, [RULE], us("2026-11-06T10:00:05+00:00"), past=True)
    days, models, calls = (sheet.terminal(160) for sheet in shown(explanation(filled, status, past=True)))
    assert "calls: team=search" in days
    assert "2026-11-06" in days
    assert PRO in models
    assert "6 of 6 calls" in calls


def test_a_share_of_what_is_not_known_is_not_called_nothing(ledger):
    team = {"labels": {"team": "search"}}
    put(
        ledger,
        call("2026-11-06T10:00:00+00:00", (9, 0, 0), **team),
        call("2026-11-07T10:00:00+00:00", (9, 0, 0), "nobody-knows", **team),
    )
    (status,) = evaluate_budgets(ledger, [RULE], NOW)
    table = shown(explanation(ledger, status))[0].table
    assert [row[-1] for row in (*table.rows, table.total)] == ["100%", "unknown", "100%"]


def test_explanations_look_as_they_did(ledger, snapshot: Snapshots):
    (empty,) = evaluate_budgets(ledger, [RULE], NOW)
    snapshot("budget-explain-nothing", *shown(explanation(ledger, empty)))
    about = {"labels": {"team": "search", "stage": "nightly"}, "outcomes": [FAILED]}
    put(
        ledger,
        call("2026-11-05T10:00:00+00:00", (1_210_000, 17_410_002, 65_003), PRO, id=f"{ID}1", **about),
        call("2026-11-06T10:00:00+00:00", (147, 360, 276), id=f"{ID}2", **about),
        call("2026-11-07T10:00:00+00:00", (30, 0, 1), "gemini-9-nobody-knows", id=f"{ID}3", **about),
        call("2026-11-07T10:00:01+00:00", None, None, id=f"{ID}4", **about),
    )
    tokens = Budget(name="b", limit_tokens=5, span=BudgetPeriod.TOTAL, zone=zone("UTC"))
    for name, rule in (("budget-explain", RULE), ("budget-explain-tokens", tokens)):
        (status,) = evaluate_budgets(ledger, [rule], NOW)
        snapshot(name, *shown(explanation(ledger, status)))

"""Budgets as tables, JSON and CSV."""

import json
from collections.abc import Sequence

from gembill.money import PICO_PER_USD
from gembill.period import Period, zone
from gembill.rules.budgets import BudgetPeriod, BudgetState, BudgetStatus, ordered, overall_state
from gembill_reports.analysis.report import report
from gembill_reports.layout.sheet import Sheet
from gembill_reports.views.budgets import (
    BudgetCheckView,
    BudgetListView,
    filters,
    run_sheet,
    summed_up,
)
from tests.gembill.rules.budgets.test_status import NOW, budget, hours, stand
from tests.gembill_reports.conftest import Snapshots
from tests.gembill_reports.making import FAILED, FLASH, PRO, call, put

USD = PICO_PER_USD
PASS, WARN = (
    stand(hours(1 * USD), name="p", limit=100 * USD),
    stand(hours(90 * USD), name="w", limit=100 * USD, warn_at=(500_000,)),
)
BREACH = stand(hours(10 * USD, 10 * USD, 100 * USD, failed_pico=USD), name="b|x", limit=100 * USD)
UNKNOWN = stand(hours(1 * USD, unpriced_calls=1), name="u", limit=100 * USD)
ALL = [PASS, UNKNOWN, WARN, BREACH]


def check_sheet(statuses: Sequence[BudgetStatus], *, demo: bool = False) -> Sheet:
    (only,) = BudgetCheckView(statuses=statuses, at_us=NOW, demo=demo).sheets()
    return only


def check_dict(statuses: Sequence[BudgetStatus], *, demo: bool = False) -> dict:
    return BudgetCheckView(statuses=statuses, at_us=NOW, demo=demo).json()


def test_the_most_severe_comes_first():
    assert [one.state for one in ordered(ALL)] == ["BREACH", "UNKNOWN", "WARN", "PASS"]
    assert overall_state(ALL) is BudgetState.BREACH
    assert summed_up(ALL) == "1 breached, 1 unknown, 1 warned, 1 passed"
    assert overall_state([]) is BudgetState.PASS


def test_the_table_has_a_line_a_budget_with_spent_limit_share_and_course():
    text = check_sheet(ALL).terminal(140)
    line = next(line for line in text.splitlines() if line.startswith("BREACH ") and "b|x" in line)
    for part in ("$120.00", "$100.00", "120%", "since 2026-11-03 00:00", "$3.00"):
        assert part in line


def test_unknown_is_loud():
    text = check_sheet([UNKNOWN]).terminal(140)
    assert "UNKNOWN COST" in text
    assert "may have spent more than is shown of u" in text
    assert "UNKNOWN COST" not in check_sheet([PASS]).terminal(140)


def test_markdown_escapes_names():
    assert "b\\|x" in check_sheet(ALL).markdown()


def test_made_up_calls_are_called_so():
    assert check_sheet(ALL, demo=True).heading.startswith("DEMO DATA")
    assert check_dict(ALL, demo=True)["demo_data"] is True
    assert "demo_data" not in check_dict(ALL)


def test_json_has_its_version_the_most_severe_state_and_a_row_a_budget():
    shape = json.loads(json.dumps(check_dict(ALL)))
    assert (shape["schema_version"], shape["status"], shape["at"]) == (1, "BREACH", "2026-11-11T00:00:00+00:00")
    assert [row["name"] for row in shape["budgets"]] == ["b|x", "u", "w", "p"]


def test_rules_are_listed_with_their_filters():
    rule = budget(
        150 * USD,
        models=("gemini-3*", "x"),
        labels={"team": "search"},
        keys=("k",),
        code_execution=True,
        warn_at=(500_000,),
        forecast_at=1_000_000,
    )
    assert filters(rule) == "models gemini-3* or x, team=search, keys k, code execution only"
    assert filters(budget()) == "all"
    assert "0.5, forecast 1" in BudgetListView([rule], "gembill.toml").sheets()[0].terminal(200)
    assert BudgetListView([rule], "gembill.toml").json()["budgets"][0]["limit_usd"] == "150.000000000000"


def test_a_run_is_summed_up_by_model_and_its_budgets_are_below(ledger):
    put(
        ledger, call("2026-11-01T00:00:00+00:00", (1_000_000, 0, 0)), call("2026-11-01T00:00:01+00:00", (1, 0, 0), None)
    )
    rows = report(ledger, Period(None, None, zone()), ("model",))
    text = run_sheet(rows, [BREACH]).terminal(140)
    assert f"{FLASH}" in text
    assert "(unknown)" in text
    assert "$0.50" in text
    assert "BREACH: b|x: $120.00 of $100.00" in text
    assert "Unpriced: 1 call ((unknown): 1)" in text


def test_checks_of_budgets_look_as_they_did(snapshot: Snapshots):
    tokens = stand(hours(4_000_000, 5_000_000, 7_000_000), name="tokens-of-search", limit=None, limit_tokens=10_000_000)
    total = stand(hours(USD // 3000), name="ever", limit=4_000 * USD, span=BudgetPeriod.TOTAL)
    nightly = stand(hours(USD), name="nightly", limit=2 * USD, span=BudgetPeriod.RUN)
    near = stand(hours(9 * USD, 9 * USD, 9 * USD), name="data-science-and-experiments", limit=30 * USD, forecast_at=1)
    snapshot("budget-check", check_sheet([*ALL, tokens, total, nightly, near]))
    snapshot("budget-check-passed", check_sheet([PASS], demo=True))


def test_rules_look_as_they_did(snapshot: Snapshots):
    one = {"models": ("gemini-3*", "gemini-2.5-pro"), "labels": {"team": "search"}, "keys": ("k_7f3a",)}
    rules = [
        budget(150 * USD, name="search-team", code_execution=True, warn_at=(500_000, 900_000), **one),
        budget(None, limit_tokens=10_000_000, span=BudgetPeriod.WEEK, forecast_at=1_000_000),
        budget(USD // 2, name="nightly", span=BudgetPeriod.RUN),
    ]
    snapshot("budget-list", *BudgetListView(rules, "gembill.toml").sheets())


def test_runs_look_as_they_did(ledger, snapshot: Snapshots):
    span = Period(None, None, zone())
    snapshot("run-without-calls", run_sheet(report(ledger, span, ("model",)), []))
    put(
        ledger,
        call("2026-11-01T00:00:00+00:00", (1_000_000, 12_345_678, 9), PRO, outcomes=[FAILED]),
        call("2026-11-01T00:00:01+00:00", (1, 0, 0)),
        call("2026-11-01T00:00:02+00:00", (1, 0, 0), None),
    )
    snapshot("run", run_sheet(report(ledger, span, ("model",)), [BREACH, UNKNOWN, PASS]))

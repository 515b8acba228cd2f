"""Budgets and their earlier periods for scripts."""

from gembill.ledger import Ledger
from gembill.rules.budgets.toml import budgets
from gembill_reports.analysis.budget_history import budget_histories
from gembill_reports.views.budget_history import csv_rows, histories_dict
from tests.gembill_reports.making import call, put, us

TEXT = '[[budget]]\nname = "b"\nlimit_usd = "0.70"\nperiod = "month"\n'


def test_every_period_is_there_the_present_one_first(ledger: Ledger) -> None:
    put(
        ledger, *(call(f"2026-{month}-05T10:00:00+00:00", (1_000_000 * n, 0, 0)) for n, month in ((2, "11"), (1, "10")))
    )
    histories = budget_histories(ledger, budgets(TEXT, "test"), us("2026-11-21T09:00:00+00:00"))
    (one,) = histories_dict(histories, "2026-11-21T01:00:00-08:00")["budgets"]
    assert one["state"] == "BREACH"
    assert one["turns"] == [{"at": "2026-11-05T02:00:00-08:00", "state": "BREACH"}]
    assert [past["state"] for past in one["history"]] == ["PASS"]
    csv = csv_rows(histories)
    rows = list(csv.rows)
    assert [set(row) == set(csv.header) for row in rows] == [True, True]
    assert [(row["present"], row["spent_usd"]) for row in rows] == [(True, "1.000000000000"), (False, "0.500000000000")]
    assert csv_rows([]).rows == []

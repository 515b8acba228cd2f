"""Executions for scripts."""

from gembill.ledger import Ledger
from gembill.money import unit_price, usd
from gembill.period import parse
from gembill_reports.analysis.executions import executions
from gembill_reports.views.executions import csv_rows, executions_dict
from tests.gembill_reports.making import FAILED, FLASH, call, put


def test_every_row_is_in_json_and_csv(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", (0, 9, 0), outcomes=[FAILED], conversation="c_a", turns=2))
    ran = executions(ledger, parse(month="2026-11"), "day", ["team"])
    data = executions_dict(ran)
    assert [one["by"] for one in data["groups"]] == ["model", "label.team"]
    waste = usd(9 * unit_price("0.50"))
    assert data["conversations"][0]["failed_execution_cost_usd_estimate"] == waste
    csv = csv_rows(ran)
    rows = list(csv.rows)
    assert [(row["by"], row["value"]) for row in rows] == [
        ("day", "2026-11-05"),
        ("model", FLASH),
        ("label.team", None),
        ("conversation", "c_a"),
    ]
    assert {row["failed_execution_cost_usd_estimate"] for row in rows} == {waste}
    assert all(set(csv.header) <= set(row) for row in rows)

"""Tips: the numbers of the row, with shares that add up in the reader's head."""

from gembill.ledger import Ledger
from gembill.period import parse
from gembill_reports.analysis.report import report
from gembill_reports.chart_tips import cost_tip, outcome_tip, ratio_tip, share, step_tip
from tests.gembill_reports.making import FAILED, OK, PRO, call, put

LOOKS = [("input", "#1", "input"), ("intermediate", "#2", "intermediate"), ("output", "#3", "output")]


def test_a_row_is_told_meter_by_meter(ledger: Ledger) -> None:
    put(ledger, call("2026-11-02T10:00:00+00:00", (100, 300, 0)), call("2026-11-02T10:00:00+00:00", (100, 0, 0), PRO))
    made = report(ledger, parse(month="2026-11"), ("model",))
    row = next(one for one in made if one.tokens.intermediate)
    said = cost_tip("flash", row, made.total.cost_pico, LOOKS)
    assert [(one.name, one.count, one.share) for one in said.rows[:3]] == [
        ("input", "100", "25%"),
        ("intermediate", "300", "75%"),
        ("output", "0", "0%"),
    ]
    assert said.note == "1 call, 50% of the cost of all."
    assert said.text.splitlines()[:2] == ["flash", f"input: 100 {said.rows[0].cost} 25%"]


def test_what_is_not_known_is_called_unknown(ledger: Ledger) -> None:
    put(ledger, call("2026-11-02T10:00:00+00:00", (5, 5, 5), "nobody-knows"))
    row = report(ledger, parse(month="2026-11"), ("model",)).rows[0]
    said = cost_tip("x", row, None, LOOKS)
    assert {one.cost for one in said.rows} == {"unknown"}
    assert {one.share for one in said.rows} == {""}
    assert said.note == "1 call."


def test_executions_are_told_by_their_end(ledger: Ledger) -> None:
    put(ledger, call("2026-11-02T10:00:00+00:00", (10, 300, 5), outcomes=[OK, FAILED, OK, OK]))
    row = report(ledger, parse(month="2026-11"), ("day",)).rows[0]
    said = outcome_tip("day", row, [("ran", "#1", "ran"), ("failed", "#2", "failed")])
    assert [(one.count, one.share) for one in said.rows] == [("3", "75%"), ("1", "25%")]
    assert said.rows[1].cost
    assert said.heads[0] == "Executions"
    assert outcome_tip("day", None, []).note == "No call."


def test_a_ratio_is_told_by_both_its_sides(ledger: Ledger) -> None:
    put(ledger, call("2026-11-02T10:00:00+00:00", (100, 300, 0)))
    row = report(ledger, parse(month="2026-11"), ("model",)).rows[0]
    said = ratio_tip("m", row, LOOKS[:2], "3.00")
    assert [one.share for one in said.rows] == ["25%", "75%"]
    assert "3.00 intermediate tokens" in said.note


def test_a_step_is_told_with_its_share_of_the_call() -> None:
    (row,) = step_tip("round 1", LOOKS[1], 20, 80, "$0.01").rows
    assert (row.count, row.cost, row.share) == ("20", "$0.01", "25%")


def test_a_share_of_nothing_is_not_said() -> None:
    assert share(1, 0) == share(None, 5) == share(1, None) == ""
    assert share(0, 5) == "0%"

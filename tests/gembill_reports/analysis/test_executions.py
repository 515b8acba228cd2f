"""Executions by time, model, label and conversation have the numbers of reports."""

from gembill.ledger import Ledger, Selection
from gembill.money import unit_price
from gembill.period import parse
from gembill_reports.analysis.executions import executions, groups_before
from gembill_reports.analysis.report import report
from tests.gembill_reports.making import FAILED, FLASH, LATE, OK, PRO, call, put, us

NOVEMBER = parse(month="2026-11")
TURNS = {"turns": 2}


def fill(ledger: Ledger) -> None:
    put(
        ledger,
        call(
            "2026-11-05T10:00:00+00:00",
            (0, 1000, 0),
            outcomes=[OK, FAILED],
            labels={"team": "a"},
            conversation="c_one",
            **TURNS,
        ),
        call(
            "2026-11-06T10:00:00+00:00",
            (0, 300, 0),
            PRO,
            outcomes=[FAILED, LATE],
            labels={"team": "b"},
            conversation="c_two",
            **TURNS,
        ),
        call("2026-11-07T10:00:00+00:00", (50, 0, 0), PRO, labels={"team": "c"}, conversation="c_two", **TURNS),
        call("2026-11-08T10:00:00+00:00", (0, 50, 0), "nobody-knows", outcomes=[FAILED]),
        call("2026-10-08T10:00:00+00:00", (0, 9_000, 0), outcomes=[FAILED], conversation="c_old", **TURNS),
    )


def test_groups_are_those_in_which_code_ran_the_most_wasteful_first(ledger: Ledger) -> None:
    fill(ledger)
    by_model, by_team = executions(ledger, NOVEMBER, "day", ["team"]).groups
    assert [row.group["model"] for row in by_model.rows] == [PRO, FLASH, "nobody-knows"]
    assert [row.group["label.team"] for row in by_team.rows] == ["b", "a", None]
    assert (by_model.total.executions, by_model.total.executions_failed) == (5, 4)


def test_times_and_totals_are_those_of_a_report(ledger: Ledger) -> None:
    fill(ledger)
    ran = executions(ledger, NOVEMBER, "day", selection=Selection(models=(PRO,)))
    assert ran.times == report(ledger, NOVEMBER, ("day",), selection=Selection(models=(PRO,)))
    assert ran.total.calls == 2


def test_conversations_are_of_the_period_and_whole(ledger: Ledger) -> None:
    fill(ledger)
    first, second = executions(ledger, NOVEMBER, "day").conversations
    assert (first.conversation.id, first.conversation.calls) == ("c_two", 2)
    assert first.failed_execution_cost_pico == 300 * unit_price("2.00")
    assert second.failed_execution_cost_pico == 500 * unit_price("0.50")


def test_nothing_ran_in_an_empty_ledger(ledger: Ledger) -> None:
    ran = executions(ledger, NOVEMBER, "day", ["team"])
    assert (ran.total.executions, ran.conversations) == (0, ())
    assert [group.rows for group in ran.groups] == [(), ()]


def test_groups_before_are_those_of_the_month_before_with_rows_in_which_nothing_ran(ledger: Ledger) -> None:
    fill(ledger)
    put(ledger, call("2026-10-15T10:00:00+00:00", (3, 0, 0)))
    ran = executions(ledger, NOVEMBER, "day", ["team"])
    by_model, by_team = groups_before(ledger, ran, us("2027-01-01T00:00:00+00:00"))
    assert [row.group["model"] for row in by_model.report.rows] == [FLASH]
    assert (by_team.report.by, by_team.report.total.calls) == (("label.team",), 2)
    assert by_model.waste_of(ran.groups[0].rows[0]) == 0

"""The page of executions."""

from gembill.ledger import Ledger
from gembill_reports.dashboard import execution_pages
from gembill_reports.dashboard.conversation_pages import ONE_CONVERSATION
from gembill_reports.dashboard.query import PageQuery, view
from tests.gembill_reports.making import FAILED, FLASH, OK, call, put

WASTE = "failed_execution_cost_usd_estimate"


def test_it_has_outcomes_failures_and_the_most_wasteful_conversations(ledger: Ledger, november: PageQuery) -> None:
    put(ledger, call("2026-11-09T10:00:00+00:00", (0, 70, 0), outcomes=[OK, FAILED], conversation="c_chat", turns=3))
    page = execution_pages.executions(ledger, november)
    cards = {card.name: card.figure for card in page.cards}
    assert (cards["Executions"], cards["Went well"], cards["Failed"]) == ("5", "2", "3")
    assert [chart.key for chart in page.charts] == ["outcomes", "waste_by_group"]
    by_model, by_env, by_team, conversations = page.grids
    captions = ["Failures by model", "Failures by env", "Failures by team"]
    assert [grid.caption for grid in (by_model, by_env, by_team)] == captions
    assert by_model.rows[0][0].link == "/calls?month=2026-11&model=gemini-3-flash-preview&trouble=failed"
    (line,) = conversations.rows
    assert line[0].link == "/calls?month=2026-11&conversation=c_chat&dir=up"


def test_a_period_without_code_says_so(ledger: Ledger) -> None:
    page = execution_pages.executions(ledger, view([("month", "2026-09")], 0, None))
    assert {card.figure for card in page.cards} == {"0", "$0.00"}
    assert [grid.empty for grid in page.grids] == [
        "No code ran in this period.",
        f"In no conversation of this period did code fail. {ONE_CONVERSATION}",
    ]


def test_a_label_of_one_value_has_no_table(ledger: Ledger) -> None:
    put(ledger, *(call("2026-08-09T10:00:00+00:00", (0, 70, 0), outcomes=[FAILED], labels={"team": "a"}) for _ in "12"))
    page = execution_pages.executions(ledger, view([("month", "2026-08")], 0, None))
    assert [grid.caption for grid in page.grids] == ["Failures by model", "Most wasteful conversations"]


def test_failures_are_beside_those_of_the_period_before_and_days_are_not(ledger: Ledger, november: PageQuery) -> None:
    put(ledger, call("2026-10-05T10:00:00+00:00", (0, 70, 0), outcomes=[OK, FAILED]))
    page = execution_pages.executions(ledger, november)
    (failed,) = (card for card in page.cards if card.name == "Failed")
    assert failed.change == "50.0% before"
    by_model = page.grids[0]
    place = [head.text for head in by_model.heads].index("Before")
    assert by_model.rows[0][place].text == "$0.000018"
    assert "Before" not in [head.text for head in page.grids[-1].heads]
    lines = {line["by"]: line for line in page.rows if line["value"] in (FLASH, "2026-11-05")}
    assert lines["day"][f"previous_{WASTE}"] is None
    assert lines["model"][f"previous_{WASTE}"] == page.data["previous"]["groups"][0]["rows"][0][WASTE]


def test_executions_of_a_period_without_an_end_are_beside_nothing(ledger: Ledger) -> None:
    page = execution_pages.executions(ledger, view([("since", "2026-11-01")], 0, None))
    assert page.data["previous"] is None
    assert not any("previous" in key for key in page.header)

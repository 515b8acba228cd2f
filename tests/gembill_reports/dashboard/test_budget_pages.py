"""The page of budgets."""

from urllib.parse import parse_qsl

from gembill.ledger import Ledger, read_records
from gembill.rules.budgets import Budget
from gembill.rules.budgets.toml import budgets
from gembill_reports.dashboard import budget_pages
from gembill_reports.dashboard.query import PageQuery, view
from gembill_reports.dashboard.render import bare_frame, render
from tests.gembill_reports.making import call, put, us

NOW = us("2026-11-21T09:00:00+00:00")


def made(more: str = "", limit: str = "1.00", period: str = "month") -> list[Budget]:
    return budgets(f'[[budget]]\nname = "b"\nlimit_usd = "{limit}"\nperiod = "{period}"\n{more}', "test")


def fill(ledger: Ledger) -> None:
    days = ("2026-11-02", "2026-11-08", "2026-11-14")
    put(ledger, *(call(f"{day}T10:00:00+00:00", (500_000, 0, 0), labels={"team": "z"}, key="k") for day in days))


def test_a_bar_has_one_scale_for_what_was_spent_the_limit_and_the_forecast(ledger: Ledger, november: PageQuery) -> None:
    fill(ledger)
    (bar,) = budget_pages.budget_page(ledger, november, made("labels = { team = 'z' }")).more["bars"]
    assert bar.state == "PASS"
    assert (bar.spent, bar.of) == ("$0.75", "75% of $1.00")
    used, ahead, limit = (float(part) for part in (bar.used, bar.ahead, bar.limit))
    assert abs(used + ahead - 100) < 0.1
    assert abs(used / limit - 0.75) < 0.01
    assert bar.rule == "$1.00 a month, team=z"


def test_a_period_that_is_over_has_no_forecast(ledger: Ledger) -> None:
    fill(ledger)
    shown = view([("month", "2026-11")], us("2026-12-21T09:00:00+00:00"), None)
    (bar,) = budget_pages.budget_page(ledger, shown, made("labels = { team = 'z' }")).more["bars"]
    assert (bar.used, bar.ahead, bar.limit) == ("75.00", "0.00", "100.00")


def test_a_limit_of_nothing_is_drawn_too(ledger: Ledger, november: PageQuery) -> None:
    (bar,) = budget_pages.budget_page(ledger, november, made("keys = ['nobody']", "0")).more["bars"]
    assert (bar.used, bar.limit, bar.link) == ("0.00", "0.00", None)


def test_a_budget_leads_to_its_calls(ledger: Ledger, november: PageQuery) -> None:
    fill(ledger)
    for made_ in (made("labels = { team = 'z' }\nkeys = ['k']"), made("models = ['gemini-3-f*']", period="total")):
        page = budget_pages.budget_page(ledger, november, made_)
        (bar,) = page.more["bars"]
        _, _, query = bar.link.partition("?")
        calls = list(read_records(ledger, view(parse_qsl(query), NOW, None).selection))
        assert page.data["budgets"][0]["calls"] == len(calls)


def test_earlier_periods_are_in_the_table(ledger: Ledger, november: PageQuery) -> None:
    (grid,) = budget_pages.budget_page(ledger, november, made(limit="0.00001")).grids
    assert [(row[1].text, row[2].text) for row in grid.rows] == [("2026-11", "BREACH"), ("2026-10", "PASS")]


def test_without_a_budget_it_says_how_one_is_written(ledger: Ledger, november: PageQuery) -> None:
    page = budget_pages.budget_page(ledger, november, [])
    text = render("budgets.html", bare_frame("Budgets") | {"more": page.more, "grids": page.grids})
    assert "[[budget]]" in text
    assert "<table>" not in text
    assert page.notes == []


def test_the_form_keeps_all_but_the_period(ledger: Ledger) -> None:
    shown = view([("month", "2026-11"), ("since", "2026-11-02"), ("tz", "UTC"), ("history.sort", "of.up")], NOW, None)
    page = budget_pages.budget_page(ledger, shown, made())
    assert page.more["kept"] == [("tz", "UTC"), ("history.sort", "of.up")]

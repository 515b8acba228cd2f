"""Prices and data quality."""

from datetime import date

from gembill.ledger import Ledger
from gembill.rules.prices import bundled
from gembill_reports.dashboard import quality_pages
from gembill_reports.dashboard.query import PageQuery, view
from tests.gembill_reports.making import us

NOW = us("2026-11-21T09:00:00+00:00")


def test_prices_are_the_books_rows_in_force(november: PageQuery) -> None:
    page = quality_pages.prices(bundled(), november)
    assert len(page.data["prices"]) == len(list(page.rows)) > 50
    assert not any("https://" in cell.text for grid in page.grids for row in grid.rows for cell in row)
    one = quality_pages.prices(bundled(), view([("priced", "gemini-2.5-flash"), ("at", "2026-01-01")], NOW, None))
    assert {row["model"] for row in one.data["prices"]} == {"gemini-2.5-flash"}


def test_the_prices_page_announces_which_models_will_be_shut_down(november: PageQuery) -> None:
    page = quality_pages.prices(bundled(), november)
    ends = {row[0].text: row[1].text for row in page.grids[0].rows}
    assert ends["gemini-2.5-pro"] == "2026-12-01"
    assert {"model": "gemini-2.5-pro", "date": "2026-12-01"} in page.data["shut_downs"]


def test_what_is_missing_is_named(ledger: Ledger, november: PageQuery) -> None:
    page = quality_pages.quality_page(ledger, november, bundled())
    cards = {card.name: card.figure for card in page.cards}
    assert (cards["Unpriced"], cards["Incomplete"], cards["Calls"]) == ("1", "1", "6")
    assert page.data["unpriced"][0]["model"] == "nobody-knows"
    assert page.data["errors"] == [{"code": "429", "status": "RATE", "class": "rate", "calls": 1}]
    assert page.data["outcomes"] == {"ok": 1, "failed": 1, "deadline_exceeded": 1}
    assert {row["what"] for row in page.rows} >= {"unpriced", "statuses", "errors", "outcomes", "dead_letters"}


def test_the_age_of_prices_is_that_of_the_newest_check() -> None:
    assert quality_pages.newest_check(bundled().rows) == max(
        date.fromisoformat(row.checked_on) for row in bundled().rows
    )
    assert quality_pages.newest_check([]) is None

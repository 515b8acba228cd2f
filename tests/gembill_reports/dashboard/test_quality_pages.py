"""Data quality."""

from datetime import date

from gembill.ledger import Ledger
from gembill.rules.prices import bundled
from gembill_reports.dashboard import quality_pages
from gembill_reports.dashboard.query import PageQuery


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

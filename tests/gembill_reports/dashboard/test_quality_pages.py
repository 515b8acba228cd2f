"""Data quality."""

from datetime import date
from pathlib import Path

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


def test_dead_letters_and_missing_events_are_on_the_page(ledger: Ledger, november: PageQuery, tmp_path: Path) -> None:
    ledger.add_dead_letter(5, 3, "x", b"{}", "it has no id")
    page = quality_pages.quality_page(ledger, november, bundled(), tmp_path)
    cards = {card.name: card for card in page.cards}
    assert (cards["Missing events"].figure, cards["Missing events"].kind) == ("2", "failed")
    assert page.data["dead_letter_reasons"] == [{"source": "0000000000000005", "reason": "it has no id", "events": 1}]
    assert {"what": "missing_events", "name": "0000000000000005", "detail": None, "count": 2} in [
        {**row, "detail": None} for row in page.rows
    ]


def test_calls_that_may_lack_tokens_are_named_by_model(ledger: Ledger, november: PageQuery) -> None:
    grids = {grid.caption: grid for grid in quality_pages.quality_page(ledger, november, bundled()).grids}
    (row,) = grids["Calls that may lack tokens"].rows
    assert [cell.text for cell in row] == ["gemini-3-flash-preview", "unknown", "1"]
    assert row[0].link == "/calls?month=2026-11&model=gemini-3-flash-preview&status=unknown"


def test_spools_that_are_not_ours_to_look_into_are_none(tmp_path: Path) -> None:
    assert quality_pages.survey(None) == []
    assert quality_pages.survey(tmp_path / "nowhere") == []
    made = tmp_path / f"{7:016x}"
    made.mkdir()
    assert [one.source_id for one in quality_pages.survey(tmp_path)] == [7]

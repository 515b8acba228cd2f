"""Data quality."""

from datetime import date
from pathlib import Path

from gembill.ledger import Ledger
from gembill.rules.prices import bundled
from gembill_reports.dashboard import quality_pages
from gembill_reports.dashboard.query import PageQuery, view
from tests.gembill_reports.making import LATE, OK, call, put, us


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
    (missing,) = (row for row in page.rows if row["what"] == "missing_events" and row["name"] == "0000000000000005")
    assert (missing["count"], missing["previous_count"]) == (2, None)


def test_calls_that_may_lack_tokens_are_named_by_model(ledger: Ledger, november: PageQuery) -> None:
    grids = {grid.caption: grid for grid in quality_pages.quality_page(ledger, november, bundled()).grids}
    (row,) = grids["Calls that may lack tokens"].rows
    assert [cell.text for cell in row] == ["gemini-3-flash-preview", "unknown", "1", "0", "new"]
    assert row[0].link == "/calls?month=2026-11&model=gemini-3-flash-preview&status=unknown"


def test_spools_that_are_not_ours_to_look_into_are_none(tmp_path: Path) -> None:
    assert quality_pages.survey(None) == []
    assert quality_pages.survey(tmp_path / "nowhere") == []
    made = tmp_path / f"{7:016x}"
    made.mkdir()
    assert [one.source_id for one in quality_pages.survey(tmp_path)] == [7]


def test_what_is_wrong_is_beside_what_was_wrong_in_the_period_before(ledger: Ledger, november: PageQuery) -> None:
    put(ledger, *(call(f"2026-10-1{day}T10:00:00+00:00", None, outcomes=[LATE, OK]) for day in range(4)))
    page = quality_pages.quality_page(ledger, november, bundled())
    changes = {card.name: card.change for card in page.cards if card.change}
    assert changes == {"Calls": "+20% against 5", "Unpriced": "none before", "Incomplete": "-75% against 4"}
    grids = {grid.caption: grid for grid in page.grids}
    lines = {row[0].text: [cell.text for cell in row[1:]] for row in grids["Executions by outcome"].rows}
    assert lines == {"ok": ["1", "4", "-75%"], "failed": ["1", "0", "new"], "deadline exceeded": ["1", "4", "-75%"]}
    (line,) = grids["Calls that may lack tokens"].rows
    assert [cell.text for cell in line[2:]] == ["1", "4", "-75%"]
    (row,) = (row for row in page.rows if row["name"] == "deadline_exceeded")
    assert (row["count"], row["previous_count"]) == (1, page.data["previous"]["outcomes"]["deadline_exceeded"])


def test_quality_of_a_period_without_an_end_is_beside_nothing(ledger: Ledger) -> None:
    page = quality_pages.quality_page(ledger, view([("since", "2026-11-01")], 0, None), bundled())
    assert page.data["previous"] is None
    assert page.header == ("what", "name", "detail", "count")
    assert not any(card.change for card in page.cards)


def test_tables_are_beside_nothing_where_nothing_was_recorded_before(ledger: Ledger) -> None:
    october = view([("month", "2026-10")], us("2026-11-21T09:00:00+00:00"), None)
    page = quality_pages.quality_page(ledger, october, bundled())
    assert all("Before" not in [head.text for head in grid.heads] for grid in page.grids)
    assert page.data["previous"]["calls"] == 0

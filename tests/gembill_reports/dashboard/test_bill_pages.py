"""The page of Google's bill."""

import pytest
from msgspec.structs import replace

from gembill.errors import ConfigurationError
from gembill.ledger import DEMO_IMPORT, DEMO_SOURCE, BillFile, Ledger, add_bill
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.synthetic import BillOptions, make_bill
from gembill.rules.prices import bundled
from gembill_reports.analysis.reconciliation import charged
from gembill_reports.dashboard.bill_pages import Comparisons, bill_card, bill_page
from gembill_reports.dashboard.query import PageQuery, view
from gembill_reports.dashboard.render import bare_frame, render
from tests.gembill_reports.making import FLASH, PRO, call, put, us

BOOK = bundled()
LATER = us("2026-12-21T09:00:00+00:00")


def billed(ledger: Ledger, name: str = "bill", **options: object) -> None:
    put(ledger, *(call(f"2026-11-1{day}T10:00:00+00:00", (5000, 70, 300), FLASH) for day in range(4)))
    given = BillOptions(**options)  # type: ignore[arg-type]
    lines = [
        replace(line, number=number)
        for number, line in enumerate(make_bill(charged(ledger, "2026-11").usages, [], BOOK, given), 1)
    ]
    add_bill(ledger, BillFile(digest=name, name=name, form=BillForm.BIGQUERY), lambda: lines)


def november(**rest: str) -> PageQuery:
    return view([("month", "2026-11"), *rest.items()], LATER, None)


def test_a_bill_is_beside_the_ledger_with_names_for_what_is_between(ledger: Ledger) -> None:
    billed(ledger, bypass=1)
    page = bill_page(ledger, november(), BOOK, Comparisons())
    names, lines, days = page.grids
    assert names.rows[0][0].text == "unrecorded"
    assert names.total is not None
    assert names.total[2].order == sum(row[2].order or 0 for row in names.rows)
    assert page.data["reconciled"] is True
    assert "reconciled" in page.more["sentence"]
    assert {row[0].text for row in lines.rows} >= {FLASH, PRO}
    assert "2026-11-10" in {row[0].text for row in days.rows}
    assert len(list(page.rows)) == len(page.data["lines"])


def test_projects_that_both_sides_name_have_a_column_and_rows(ledger: Ledger) -> None:
    for name in ("shop-prod", "shop-test"):
        put(ledger, call("2026-08-10T10:00:00+00:00", (5000, 70, 300), PRO, project=name))
    made = make_bill(charged(ledger, "2026-08").usages, [], BOOK, BillOptions())
    lines = [replace(line, number=number) for number, line in enumerate(made, 1)]
    add_bill(ledger, BillFile(digest="x", name="x", form=BillForm.BIGQUERY), lambda: lines)
    page = bill_page(ledger, view([("month", "2026-08")], LATER, None), BOOK, Comparisons())
    _, grid, _ = page.grids
    assert [head.text for head in grid.heads[:4]] == ["Model", "Tier", "Project", "Meter"]
    assert {row[2].text for row in grid.rows} == {"shop-prod", "shop-test"}
    assert all(len(row) == len(grid.heads) for row in grid.rows)
    assert list(page.header)[-1] == "project"
    assert page.data["reconciled"] is True


def test_a_line_leads_to_its_calls(ledger: Ledger) -> None:
    billed(ledger)
    _, lines, days = bill_page(ledger, november(), BOOK, Comparisons()).grids
    flash = next(row[0].link for row in lines.rows if row[0].text == FLASH)
    assert flash == f"/calls?month=2026-11&model={FLASH}&tier=standard"
    day = next(row[0].link for row in days.rows if row[0].text == "2026-11-10")
    assert day is not None
    assert day.startswith("/calls?since=2026-11-10&until=2026-11-11")


def test_without_a_bill_of_the_period_it_says_how_to_get_one(ledger: Ledger) -> None:
    for shown in (november(), view([("month", "2026-09")], LATER, None)):
        page = bill_page(ledger, shown, BOOK, Comparisons())
        text = render("bill.html", bare_frame("Bill") | {"more": page.more, "grids": page.grids, "cards": page.cards})
        assert "gembill reconcile FILE" in text
        assert page.data == {"schema_version": 1, "form": None}
        assert bill_card(ledger, shown, BOOK, Comparisons()) is None
        if shown.month == "2026-11":
            billed(ledger)


def test_the_overview_says_how_far_apart_they_are_and_until_when(ledger: Ledger) -> None:
    billed(ledger, policies=frozenset(), rate="0.92", currency="EUR")
    card = bill_card(ledger, november(), BOOK, Comparisons())
    assert card is not None
    assert (card.name, card.link) == ("Google's bill", "/bill?month=2026-11")
    assert card.figure.startswith("ours ")
    assert card.note == "until 2026-11-13: reconciled"
    assert bill_card(ledger, november(model=FLASH), BOOK, Comparisons()) is None


def test_young_days_are_open_and_nothing_is_said_on_the_overview(ledger: Ledger) -> None:
    billed(ledger)
    shown = view([("month", "2026-11")], us("2026-11-06T09:00:00+00:00"), None)
    assert bill_card(ledger, shown, BOOK, Comparisons()) is None
    assert "still open" in bill_page(ledger, shown, BOOK, Comparisons()).more["sentence"]


def test_a_comparison_is_remembered_until_a_bill_or_a_call_comes(ledger: Ledger) -> None:
    billed(ledger)
    comparisons = Comparisons()
    first = comparisons.of(ledger, BOOK, november())
    assert first is not None
    again = comparisons.of(ledger, BOOK, november())
    assert again is not None
    assert again[1] is first[1]
    billed(ledger, name="other", bypass=2)
    changed = comparisons.of(ledger, BOOK, november())
    assert changed is not None
    assert changed[1].billed != first[1].billed
    assert len(comparisons.known) == 2


def test_a_bill_in_several_currencies_asks_for_one(ledger: Ledger) -> None:
    billed(ledger)
    billed(ledger, name="euro", currency="EUR", rate="0.92")
    with pytest.raises(ConfigurationError, match="several currencies"):
        bill_page(ledger, november(), BOOK, Comparisons())
    card = bill_card(ledger, november(), BOOK, Comparisons())
    assert card is not None
    assert card.figure == "several"
    assert bill_page(ledger, november(currency="EUR"), BOOK, Comparisons()).data["currency"] == "EUR"


def test_on_a_phone_a_line_is_headed_by_what_was_billed_and_differences_have_their_name(ledger: Ledger) -> None:
    billed(ledger)
    _, lines, days = bill_page(ledger, november(), BOOK, Comparisons()).grids
    for grid in (lines, days):
        assert [head.text for head in grid.heads if head.money] == ["Billed cost"]


def test_the_json_of_a_ledger_with_made_up_calls_says_so(ledger: Ledger) -> None:
    billed(ledger)
    assert "demo_data" not in bill_page(ledger, november(), BOOK, Comparisons()).data
    ledger.announce(DEMO_IMPORT, DEMO_SOURCE)
    assert bill_page(ledger, november(), BOOK, Comparisons()).data["demo_data"] is True

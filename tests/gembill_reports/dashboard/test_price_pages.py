"""The page of prices: one row a model, tiers to unfold, history, shut-downs."""

from gembill.rules.prices import bundled
from gembill_reports.dashboard import price_pages
from gembill_reports.dashboard.grids import arranged
from gembill_reports.dashboard.query import PageQuery, view
from tests.gembill_reports.making import us

NOW = us("2026-11-21T09:00:00+00:00")


def test_prices_are_the_books_rows_in_force(november: PageQuery) -> None:
    page = price_pages.prices(bundled(), november)
    assert len(page.data["prices"]) == len(list(page.rows)) > 50
    one = price_pages.prices(bundled(), view([("priced", "gemini-2.5-flash"), ("at", "2026-01-01")], NOW, None))
    assert {row["model"] for row in one.data["prices"]} == {"gemini-2.5-flash"}
    for shown in (page, one):
        assert not any("https://" in cell.text for grid in shown.grids for row in grid.rows for cell in row)


def test_a_model_has_one_row_and_its_tiers_can_be_unfolded(november: PageQuery) -> None:
    grid = price_pages.prices(bundled(), november).grids[0]
    rows = {row[0].text: row for row in grid.rows}
    assert len(rows) == len(grid.rows)
    pro = rows["gemini-2.5-pro"]
    assert [cell.text for cell in pro[1:4]] == ["1.25", "0.125", "10.00"]
    assert pro[4].text == "above 200,000: 2.50, 15.00"
    assert pro[5].text == f"{len(pro[5].more)} more tiers"
    assert any(said.startswith("batch: input 0.625") for said in pro[5].more)
    assert pro[7].text == "2026-12-01"
    assert [cell.text for cell in rows["imagen-3.0-generate-001"][1:5]] == ["", "", "", "by other meters"]
    assert pro[0].link == "/prices?month=2026-11&priced=gemini-2.5-pro"


def test_the_prices_page_announces_which_models_will_be_shut_down(november: PageQuery) -> None:
    page = price_pages.prices(bundled(), november)
    ends = {row[0].text: row[1].text for row in page.grids[1].rows}
    assert ends["gemini-2.5-pro"] == "2026-12-01"
    assert {"model": "gemini-2.5-pro", "date": "2026-12-01"} in page.data["shut_downs"]


def test_one_model_has_its_rows_in_force_and_their_history(november: PageQuery) -> None:
    page = price_pages.prices(bundled(), view([("priced", "gemini-2.5-pro")], NOW, None))
    in_force, history = page.grids
    assert len(in_force.rows) > 2
    assert len(history.rows) == sum(row.model == "gemini-2.5-pro" for row in bundled().rows)
    assert page.title == "Prices of gemini-2.5-pro"
    nothing = price_pages.prices(bundled(), view([("priced", "nobody")], NOW, None))
    assert [grid.rows for grid in nothing.grids] == [[], []]


def test_the_rows_in_force_are_sorted_by_figure_and_day() -> None:
    shown = view([("priced", "gemini-2.5-pro"), ("in-force.sort", "usd-per-1m.down")], NOW, None)
    grid = arranged(price_pages.prices(bundled(), shown).grids[0], shown, "/prices")
    figures = [float(row[3].text.split()[0]) for row in grid.rows]
    assert figures == sorted(figures, reverse=True)
    assert grid.rows[0][4].order == 20250617

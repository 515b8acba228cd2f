"""The page of keys."""

from gembill.ledger import Ledger
from gembill_reports.dashboard import key_pages
from gembill_reports.dashboard.page import Grid
from gembill_reports.dashboard.query import PageQuery, view
from tests.gembill_reports.making import call, put, us


def test_a_key_leads_to_its_calls_and_says_when_it_was_seen(ledger: Ledger, november: PageQuery) -> None:
    put(ledger, call("2026-11-20T10:59:59+00:00", (10, 0, 0), key="k_1"))
    (grid,) = key_pages.keys(ledger, november).grids
    rows = {row[0].text: row for row in grid.rows}
    assert rows["k_1"][0].link == "/calls?month=2026-11&key=k_1"
    assert rows["k_1"][-1].text == "2026-11-20 02:00"
    assert rows["(unknown)"][0].link is None
    refused = rows["(unknown)"][_place(grid, "Refused")]
    assert (refused.text, refused.mark) == ("1", "error")
    assert grid.total is not None
    assert grid.total[_place(grid, "Calls")].text == "7"


def test_a_key_is_beside_its_cost_in_the_period_before(ledger: Ledger, november: PageQuery) -> None:
    put(ledger, call("2026-10-05T10:00:00+00:00", (3, 0, 0), key="k_1"))
    put(ledger, call("2026-11-05T10:00:00+00:00", (6, 0, 0), key="k_1"))
    page = key_pages.keys(ledger, november)
    (grid,) = page.grids
    (row,) = (row for row in grid.rows if row[0].text == "k_1")
    assert (row[_place(grid, "Before")].text, row[_place(grid, "Change")].text) == ("$0.0000015", "+100%")
    (line,) = (line for line in page.rows if line["key"] == "k_1")
    assert line["previous_cost_usd"] == line["change_usd"] == page.data["previous"]["rows"][0]["cost_usd"]
    assert [key for key in page.header if key in ("previous_cost_usd", "change_usd")] == [*page.header][-2:]


def test_a_fingerprint_is_shown_with_how_to_name_it(ledger: Ledger, november: PageQuery) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", (6, 0, 0), key="search-team"))
    assert "the setting keys" not in " ".join(key_pages.keys(ledger, november).notes)
    put(ledger, call("2026-11-05T10:00:00+00:00", (6, 0, 0), key="k_0123456789ab"))
    assert "the setting keys" in " ".join(key_pages.keys(ledger, november).notes)


def test_a_period_without_an_end_is_beside_nothing(ledger: Ledger) -> None:
    page = key_pages.keys(ledger, view([("since", "2026-11-01")], us("2026-11-21T09:00:00+00:00"), None))
    assert page.data["previous"] is None
    assert "Before" not in [head.text for head in page.grids[0].heads]


def _place(grid: Grid, title: str) -> int:
    return [head.text for head in grid.heads].index(title)

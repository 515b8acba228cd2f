"""The page of keys."""

from gembill.ledger import Ledger
from gembill_reports.dashboard import key_pages
from gembill_reports.dashboard.query import PageQuery
from tests.gembill_reports.making import call, put


def test_a_key_leads_to_its_calls_and_says_when_it_was_seen(ledger: Ledger, november: PageQuery) -> None:
    put(ledger, call("2026-11-20T10:59:59+00:00", (10, 0, 0), key="k_1"))
    (grid,) = key_pages.keys(ledger, november).grids
    rows = {row[0].text: row for row in grid.rows}
    assert rows["k_1"][0].link == "/calls?month=2026-11&key=k_1"
    assert rows["k_1"][-1].text == "2026-11-20 02:00"
    assert rows["(unknown)"][0].link is None
    assert (rows["(unknown)"][7].text, rows["(unknown)"][7].mark) == ("1", "error")
    assert grid.total is not None
    assert grid.total[2].text == "7"

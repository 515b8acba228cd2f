"""The HTML file holds everything it shows and asks nobody for anything."""

import re

from gembill.ledger import Ledger, Selection
from gembill.money import display, unit_price
from gembill.period import parse
from gembill.rules.prices import bundled
from gembill_reports.analysis.report import report
from gembill_reports.dashboard.html_report import page, unlinked
from gembill_reports.dashboard.query import PageQuery
from tests.gembill_reports.making import FLASH, OK, call, put, us

NOW = us("2026-12-21T09:00:00+00:00")


def written(ledger: Ledger, by: tuple[str, ...] = ("model",)) -> str:
    period = parse(month="2026-11")
    selection = Selection(start_us=period.start_us, end_us=period.end_us)
    view = PageQuery(period=period, selection=selection, now_us=NOW)
    return page(ledger, report(ledger, period, by), view, bundled())


def test_it_is_small_and_self_contained(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", (100_000, 20_000, 3), outcomes=[OK]))
    text = written(ledger)
    assert len(text) < 6_000_000
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|https?://|@import", text)
    assert display(120_000 * unit_price("0.50") + 3 * unit_price("3.00")) in text
    assert FLASH in text
    assert "@media print" in text


def test_foreign_text_is_escaped(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", (1, 2, 3), "<script>x</script>", labels={"team": "<b>"}))
    text = written(ledger, ("label.team",))
    assert "<script>" not in text
    assert "&lt;b&gt;" in text


def test_links_are_taken_out() -> None:
    from gembill_reports.charts import waterfall

    assert unlinked(waterfall([("a", "input", 1)])).links == (None,)

"""The HTML file holds everything it shows and asks nobody for anything."""

import re

from gembill.ledger import Ledger, Selection
from gembill.money import display, unit_price
from gembill.period import parse
from gembill.rules.prices import bundled
from gembill_reports.analysis import previous_period
from gembill_reports.analysis.report import report
from gembill_reports.dashboard.html_report import page, unlinked
from gembill_reports.dashboard.query import PageQuery
from tests.gembill_reports.making import FLASH, OK, call, put, us

NOW = us("2026-12-21T09:00:00+00:00")


def written(ledger: Ledger, by: tuple[str, ...] = ("model",), *, month: str = "2026-11", compared: bool = False) -> str:
    period = parse(month=month)
    selection = Selection(start_us=period.start_us, end_us=period.end_us)
    view = PageQuery(period=period, selection=selection, now_us=NOW)
    result = report(ledger, period, by)
    before = previous_period.predecessor(ledger, result, NOW) if compared else None
    return page(ledger, result, view, bundled(), before)


def rows(text: str) -> list[list[str]]:
    """The cells of the first table, row by row, headings first."""
    table = text.partition('<section class="panel table">')[2].partition("<table>")[2].partition("</table>")[0]
    lines = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [
        [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL)]
        for line in lines
    ]


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


def test_several_groups_are_all_in_its_table(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-08-05T10:00:00+00:00", (100_000, 0, 0), labels={"team": "a"}),
        call("2026-08-05T10:00:00+00:00", (200_000, 0, 0), labels={"team": "b"}),
    )
    head, *cells, total = rows(written(ledger, ("model", "label.team"), month="2026-08"))
    assert head[:3] == ["Model", "Team", "Calls"]
    assert [row[:3] + row[-1:] for row in cells] == [[FLASH, "b", "1", "$0.10"], [FLASH, "a", "1", "$0.05"]]
    assert total[:3] == ["Total", "", "2"]


def test_the_period_before_is_beside_its_rows(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-07-05T10:00:00+00:00", (400_000, 0, 0)),
        call("2026-08-05T10:00:00+00:00", (200_000, 0, 0)),
    )
    text = written(ledger, month="2026-08", compared=True)
    head, row, total = rows(text)
    assert head[-3:] == ["Cost", "Before", "Change"]
    assert row[-3:] == total[-3:] == ["$0.10", "$0.20", "-50%"]
    assert text.count("<table>") == written(ledger, month="2026-08").count("<table>")


def test_links_are_taken_out() -> None:
    from gembill_reports.charts import waterfall

    assert unlinked(waterfall([("a", "input", 1)])).links == (None,)

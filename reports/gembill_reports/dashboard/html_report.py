"""A report as one HTML file, for mail and archives.

Owns: what is in the file. Not here: sums, and the style (the dashboard's). Invariant: the file holds all it shows: no
script, no address of another place; its charts are plain HTML, which mail programs and printers show too.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from gembill import __version__
from gembill.ledger import Ledger
from gembill.rules.prices import PriceBook
from gembill_reports.analysis.previous_period import PreviousPeriod
from gembill_reports.analysis.report import Report
from gembill_reports.charts import Chart
from gembill_reports.dashboard.assets import asset
from gembill_reports.dashboard.page import Card, Cell, Grid
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.dashboard.render import render
from gembill_reports.dashboard.summary_pages import overview, sums_grid
from gembill_reports.layout.sheet import DEMO, Sheet
from gembill_reports.views.period_texts import words


def page(
    ledger: Ledger,
    result: Report,
    view: PageQuery,
    book: PriceBook,
    before: PreviousPeriod | None = None,
    more: Sequence[str] = (),
) -> str:
    """The report's own table, if wanted beside the period before, and the overview of its period and calls, as one
    HTML document; `more` are further notes."""
    shown = overview(ledger, view, book)
    caption = f"By {', '.join(by.removeprefix('label.').replace('_', ' ') for by in result.by)}"
    own = sums_grid(result, view, caption, before)
    grids = (own, *(grid for grid in shown.grids if len(result.by) > 1 or grid.heads[0].text != own.heads[0].text))
    heading = f"Gemini calls · {words(view.period)} · {view.period.timezone} · US dollars, estimate at list price"
    return _document(
        f"{DEMO if result.demo else ''}{heading}",
        grids=[_unlinked_grid(grid) for grid in grids],
        notes=[*shown.notes, *more],
        now_us=view.now_us,
        demo=result.demo,
        cards=[replace(card, link=None) for card in shown.cards],
        charts=[unlinked(chart) for chart in shown.charts],
    )


def sheets_page(sheets: Sequence[Sheet], now_us: int, *, demo: bool) -> str:
    """Sheets, such as a statement, as one HTML document."""
    first = sheets[0]
    return _document(
        first.heading,
        grids=[sheet_grid(sheet, "Amounts" if sheet is first else sheet.heading) for sheet in sheets],
        notes=[note for sheet in sheets for note in sheet.notes],
        now_us=now_us,
        demo=demo,
    )


def sheet_grid(sheet: Sheet, caption: str) -> Grid:
    """The table of a sheet."""
    numbers = [not column.text for column in sheet.table.columns]
    heads = [Cell(column.title, number=number) for column, number in zip(sheet.table.columns, numbers, strict=True)]

    def cells(row: Sequence[str]) -> list[Cell]:
        return [Cell(cell, number=number) for cell, number in zip(row, numbers, strict=False)]

    return Grid(caption, heads, [cells(row) for row in sheet.table.rows], cells(sheet.table.total or ()) or None)


def _document(
    heading: str,
    *,
    grids: Sequence[Grid],
    notes: Sequence[str],
    now_us: int,
    demo: bool,
    cards: Sequence[Card] = (),
    charts: Sequence[Chart] = (),
) -> str:
    return render(
        "report.html",
        {
            "heading": heading,
            "demo": demo,
            "style": asset("style.css").plain.decode(),
            "cards": cards,
            "charts": charts,
            "grids": grids,
            "notes": notes,
            "version": __version__,
            "written": datetime.fromtimestamp(now_us // 1_000_000, UTC).isoformat(),
        },
    )


def unlinked(chart: Chart) -> Chart:
    """The chart without its links, which lead nowhere outside the dashboard."""
    return replace(chart, links=(None,) * len(chart.links))


def _unlinked_grid(grid: Grid) -> Grid:
    return replace(
        grid, heads=_plain(grid.heads), rows=[_plain(row) for row in grid.rows], total=_plain(grid.total or ()) or None
    )


def _plain(cells: Sequence[Cell]) -> list[Cell]:
    return [replace(cell, link=None) for cell in cells]

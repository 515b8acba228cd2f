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
from gembill_reports.dashboard.page import Cell, Grid
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.dashboard.render import render
from gembill_reports.dashboard.summary_pages import overview, sums_grid
from gembill_reports.layout.sheet import DEMO
from gembill_reports.views.period_texts import words


def page(ledger: Ledger, result: Report, view: PageQuery, book: PriceBook, before: PreviousPeriod | None = None) -> str:
    """The report's own table, if wanted beside the period before, and the overview of its period and calls, as one
    HTML document."""
    shown = overview(ledger, view, book)
    caption = f"By {', '.join(by.removeprefix('label.').replace('_', ' ') for by in result.by)}"
    own = sums_grid(result, view, caption, before)
    grids = (own, *(grid for grid in shown.grids if len(result.by) > 1 or grid.heads[0].text != own.heads[0].text))
    heading = f"Gemini calls · {words(view.period)} · {view.period.timezone} · US dollars, estimate at list price"
    return render(
        "report.html",
        {
            "heading": f"{DEMO if result.demo else ''}{heading}",
            "demo": result.demo,
            "style": asset("style.css").plain.decode(),
            "cards": [replace(card, link=None) for card in shown.cards],
            "charts": [unlinked(chart) for chart in shown.charts],
            "grids": [_unlinked_grid(grid) for grid in grids],
            "notes": shown.notes,
            "version": __version__,
            "written": datetime.fromtimestamp(view.now_us // 1_000_000, UTC).isoformat(),
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

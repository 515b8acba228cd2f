"""The page of prices: one row a model, and of one model all its rows and their history.

Owns: its tables. Not here: prices, and the words of a price row (`gembill_reports.views.price_list`). Invariant: JSON
and CSV hold every price row in force with its exact figure, whatever the tables leave to be unfolded.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from gembill.model import Price
from gembill.money import usd_per_million
from gembill.period import DEFAULT_ZONE, instant, local, zone
from gembill.rules.prices import PriceBook
from gembill_reports.analysis.price_check import coming_shut_downs
from gembill_reports.analysis.price_list import price_list
from gembill_reports.analysis.price_table import ModelPrices, TierFigures, price_history, price_table
from gembill_reports.dashboard.call_pages import plain
from gembill_reports.dashboard.page import Cell, Grid, Page, counted, number, text
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.tables import clean
from gembill_reports.views.price_list import PriceListView
from gembill_reports.views.unit_prices import quoted


def prices(book: PriceBook, view: PageQuery) -> Page:
    """The prices in force now or on the day that the address names, of all models or of the one it names."""
    named = view.rest.get("at")
    at_us = view.now_us if named is None else instant(named, view.period.zone, name="at")
    model = view.rest.get("priced", "")
    listed = PriceListView(price_list(book, at_us, (model,) if model else ()))
    csv = listed.csv()
    (sheet,) = listed.sheets()
    return Page(
        name="prices",
        title=f"Prices of {clean(model)}" if model else "Prices",
        template="prices.html",
        data={
            "schema_version": 1,
            "prices": listed.json()["prices"],
            "shut_downs": [
                {"model": one.model, "date": str(one.day)} for one, _ in coming_shut_downs(book, view.now_us)
            ],
        },
        header=csv.header,
        rows=csv.rows,
        grids=_one_model(listed, book, model) if model else _all_models(book, view, at_us),
        notes=[plain(sheet.heading), *map(plain, sheet.notes)],
        more={"at": named or "", "priced": model, "known": book.models, "every": view.to("/prices") if model else ""},
        dated=f"in force on {local(at_us, view.period.zone).date()}",
    )


def _all_models(book: PriceBook, view: PageQuery, at_us: int) -> tuple[Grid, Grid]:
    heads = [text("Model"), *map(number, ("Input", "Cached", "Output")), text("Long prompts"), text("Tiers")]
    heads += [number("Next change"), number("Shut down"), number("Checked")]
    rows = [_model(one, view) for one in price_table(book, at_us)]
    grid = Grid(
        "Text, US dollars per million tokens, standard tier",
        heads,
        rows,
        empty="No price.",
        name="models",
        noun="models",
    )
    return grid, _shut_downs(book, view)


def _model(one: ModelPrices, view: PageQuery) -> list[Cell]:
    figures = one.standard
    others = [tier for tier in one.tiers if tier is not figures]
    change = one.next_change_us
    return [
        text(one.model, view.to("/prices", ("priced", one.model))),
        *(_figure(pico) for pico in (figures.input, figures.cached, figures.output)),
        text(_long(figures) if _has_figures(figures) else "by other meters"),
        Cell(_tiers(len(others)), more=[_tier(tier) for tier in others]),
        Cell(_day(change), number=True, order=change, mark="soon" if change else ""),
        Cell(
            str(one.shut_down or ""),
            number=True,
            order=one.shut_down.toordinal() if one.shut_down else None,
            mark="failed" if one.shut_down else "",
        ),
        Cell(one.checked_on, number=True, order=int(one.checked_on.replace("-", ""))),
    ]


def _tiers(others: int) -> str:
    return f"{others} more {'tier' if others == 1 else 'tiers'}" if others else ""


def _tier(figures: TierFigures) -> str:
    """A tier that was unfolded: `batch: input 0.25, cached 0.025, output 1.50`."""
    parts = (("input", figures.input), ("cached", figures.cached), ("output", figures.output))
    said = ", ".join(f"{name} {usd_per_million(pico)}" for name, pico in parts if pico is not None)
    long = _long(figures)
    return f"{figures.tier}: {said or 'by other meters'}{f'; {long}' if long else ''}"


def _has_figures(figures: TierFigures) -> bool:
    return (figures.input, figures.cached, figures.output) != (None, None, None)


def _long(figures: TierFigures) -> str:
    """What a long prompt costs, where it is more: `above 200,000: 2.50, 15.00`."""
    pair = (figures.long_input, figures.long_output)
    if figures.long_above is None or None in pair or pair == (figures.input, figures.output):
        return ""
    return f"above {figures.long_above:,}: {', '.join(str(usd_per_million(pico)) for pico in pair)}"


def _figure(pico: int | None) -> Cell:
    return Cell(usd_per_million(pico) or "", number=True, order=pico)


def _shut_downs(book: PriceBook, view: PageQuery) -> Grid:
    heads = [text("Model"), number("No longer served from"), number("Days left"), text("According to")]
    rows = [
        [text(one.model), Cell(str(one.day), number=True, order=one.day.toordinal()), counted(days), text(one.source)]
        for one, days in coming_shut_downs(book, view.now_us)
    ]
    return Grid("Models that will be shut down", heads, rows, empty="None is announced.", name="ends", noun="models")


def _one_model(listed: PriceListView, book: PriceBook, model: str) -> tuple[Grid, Grid]:
    """The lines of a model in force, and all its rows."""
    (sheet,) = listed.sheets()
    titles = sheet.table.columns
    heads = [Cell(column.title, number=not column.text) for column in titles]
    rows = [
        [Cell(plain(cell), number=not titles[at].text, order=_order(cell)) for at, cell in enumerate(row)]
        for row in sheet.table.rows
    ]
    stands_for = {row.model for row in listed.prices.rows} or {model}
    in_force = Grid("In force", heads, rows, empty="No price row fits.", name="in-force", noun="rows")
    return in_force, _history([row for name in sorted(stands_for) for row in price_history(book, name)])


def _order(cell: str) -> int | None:
    """What a day or a figure is sorted by: `2026-11-28` by its digits, `35.00 /1k` by millionths."""
    first = cell.partition(" ")[0]
    if re.fullmatch(r"[0-9]+\.[0-9]+", first):
        return int(Decimal(first) * 1_000_000)
    return int(first.replace("-", "")) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", first) else None


def _history(rows: Sequence[Price]) -> Grid:
    heads = [number("From"), number("Until"), text("Tier"), text("Meter"), text("Kind"), number("Above tokens")]
    return Grid(
        "History of all rows",
        [*heads, number("USD per 1M"), text("Source"), number("Checked")],
        [_row(row) for row in rows],
        empty="There never was a price.",
        name="history",
        noun="rows",
    )


def _row(row: Price) -> list[Cell]:
    return [
        Cell(_day(row.effective_from_us), number=True, order=row.effective_from_us),
        Cell(_day(row.effective_to_us), number=True, order=row.effective_to_us),
        text(row.service_tier),
        text(row.meter.value.replace("_", " ")),
        text(row.modality.value),
        counted(row.above_prompt_tokens) if row.above_prompt_tokens else number(""),
        Cell(quoted(row.meter, row.unit_pico), number=True, order=row.unit_pico),
        text(plain(row.source)),
        Cell(row.checked_on, number=True, order=int(row.checked_on.replace("-", ""))),
    ]


def _day(at_us: int | None) -> str:
    return "" if at_us is None else str(local(at_us, zone(DEFAULT_ZONE)).date())

"""`gembill prices`: what the API costs, and since when.

Owns: the group, `list` and `check`. Not here: prices; the commands that change them are in `prices_set` and
`prices_sync`. Invariant: `list` and `check` write nothing.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from gembill.cli.groups import NearGroup
from gembill.cli.options import database_url_option, opened
from gembill.cli.output import Output, output_options
from gembill.cli.prices_set import set_prices
from gembill.cli.prices_sync import sync

FAULTS_EXIT = 1


@click.group(cls=NearGroup)
def prices() -> None:
    """List, check and change the prices that calls are rated with.

    In force is, before all others, the file that the setting `prices` (GEMBILL_PRICES) names; then what `set` added,
    the latest entry first; then the newer of the list that comes with gembill and what `sync` accepted.
    """


@prices.command("list")
@click.option("--model", multiple=True, metavar="NAME", help="Only this model; * stands for anything. Repeatable.")
@click.option("--tier", multiple=True, metavar="TIER", help="Only this tier: standard, batch, flex, ... Repeatable.")
@click.option("--at", "day", metavar="DATE", help="The prices in force then (US Pacific).  [default: now]")
@output_options()
@database_url_option
def list_prices(
    model: tuple[str, ...], tier: tuple[str, ...], day: str | None, output: Output, database_url: str | None
) -> None:
    """Show the price rows in force."""
    from gembill.config import load
    from gembill.period import instant, zone
    from gembill.price_catalog import configured_book
    from gembill_reports.analysis.price_list import price_list
    from gembill_reports.views.price_list import PriceListView

    at_us = time.time_ns() // 1000 if day is None else instant(day, zone(), name="--at")
    book = configured_book(load({"database_url": database_url}))
    output.write(PriceListView(price_list(book, at_us, model, tier)))


@prices.command()
@click.option(
    "--days", type=click.IntRange(min=0), default=90, show_default=True, help="How long a check of a row holds."
)
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instead, hold the list prices against Google's SKU catalogue, as its API gives it or a table.",
)
@output_options()
@database_url_option
@click.pass_context
def check(ctx: click.Context, days: int, catalogue: Path | None, output: Output, database_url: str | None) -> None:
    """Look for gaps, for rows not checked for long, and for changes to come.

    Looks at models that were called. Exits 1 if a price is missing or was checked too long ago; changes to come, shown
    with what they would have done to last month's usage, are not a fault. With --catalogue it exits 1 if a price
    differs.
    """
    if catalogue is not None:
        _check_catalogue(ctx, catalogue, output, database_url)
    from gembill.ledger import price_lists
    from gembill.price_catalog import PricingTerms, book_in_force, ledger_book, policies
    from gembill_reports.analysis.price_check import check as checked
    from gembill_reports.views.price_check import PriceCheckView

    with opened(database_url) as (ledger, settings):
        terms = PricingTerms(book_in_force(ledger, settings), policies(settings))
        list_prices = ledger_book(price_lists.lists(ledger), own=False)
        findings = checked(ledger, terms, list_prices, time.time_ns() // 1000, days)
    output.write(PriceCheckView(findings))
    ctx.exit(0 if findings.in_order else FAULTS_EXIT)


def _check_catalogue(ctx: click.Context, path: Path, output: Output, database_url: str | None) -> None:
    from gembill.config import load
    from gembill.price_catalog import configured_book
    from gembill.reconcile.catalogue import read_catalogue
    from gembill_reports.analysis.catalogue_check import check_catalogue
    from gembill_reports.views.catalogue_check import CatalogueCheckView

    book = configured_book(load({"database_url": database_url}), own=False)
    findings = check_catalogue(book, read_catalogue(path), time.time_ns() // 1000)
    output.write(CatalogueCheckView(findings))
    ctx.exit(0 if findings.in_order else FAULTS_EXIT)


prices.add_command(set_prices)
prices.add_command(sync)

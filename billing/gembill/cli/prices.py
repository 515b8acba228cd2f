"""`gembill prices`: what the API costs, and since when.

Owns: the group and `list`. Owns no price; the other commands stand in `prices_check`, `prices_set` and `prices_sync`.
"""

from __future__ import annotations

import time

import click

from gembill.cli.options import database_url_option, format_option
from gembill.cli.prices_check import check
from gembill.cli.prices_set import set_prices
from gembill.cli.prices_sync import sync


@click.group()
def prices() -> None:
    """List, check and change the prices that calls are rated with.

    In force is, before all others, the file that the setting `prices` (GEMBILL_PRICES) names; then what `set` added,
    the last word first; then the newer of the list that comes with gembill and what `sync` accepted.
    """


@prices.command("list")
@click.option("--model", multiple=True, metavar="NAME", help="Only this model; * stands for anything. Repeatable.")
@click.option("--tier", multiple=True, metavar="TIER", help="Only this tier: standard, batch, flex, ... Repeatable.")
@click.option("--at", "day", metavar="DATE", help="The prices in force then (US Pacific).  [default: now]")
@format_option
@database_url_option
def list_prices(
    model: tuple[str, ...], tier: tuple[str, ...], day: str | None, form: str, database_url: str | None
) -> None:
    """Show the price rows in force."""
    from gembill.config import load
    from gembill.period import instant, zone
    from gembill.price_catalog import configured_book
    from gembill_reports.layout import screen
    from gembill_reports.views import price_list

    at_us = time.time_ns() // 1000 if day is None else instant(day, zone(), name="--at")
    shown = price_list.rows(configured_book(load({"database_url": database_url})), at_us, model, tier)
    if form == "json":
        screen.write([price_list.json_text(shown, at_us)])
    elif form == "csv":
        screen.write(price_list.csv_text(shown))
    else:
        screen.write([price_list.sheet(shown, at_us).written(form)])


prices.add_command(check)
prices.add_command(set_prices)
prices.add_command(sync)

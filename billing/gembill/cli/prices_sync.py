"""`gembill prices sync`: the price list held against the genai-prices package.

Owns: the command. Not here: differences (`gembill.rules.prices.difference`), the reading of the package
(`gembill.genai_prices`) and the layout (`gembill_reports.views.price_sync`). Invariant: nothing is added
that was not named with --accept, or by --yes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from gembill.cli.options import database_url_option
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.rules.prices.difference import ExternalPrice, PriceDifference


@click.command()
@click.option("--accept", multiple=True, metavar="MODEL", help="Add what the package says of this model. Repeatable.")
@click.option("--yes", is_flag=True, help="Add all of it.")
@database_url_option
def sync(accept: tuple[str, ...], yes: bool, database_url: str | None) -> None:
    """Compare the prices with those of the genai-prices package, and add what you accept.

    Without --accept or --yes nothing is added. Prices of your own (`gembill prices set`) stay in force.
    """
    from gembill.config import load
    from gembill_reports.layout import screen
    from gembill_reports.views.price_sync import sheets

    settings = load({"database_url": database_url})
    differences, stated, version = _compared(settings)
    width, color = screen.width(), screen.colored()
    screen.write(["\n".join(page.terminal(width, color=color) for page in sheets(differences, version))])
    if not accept and not yes:
        return
    unknown = sorted(set(accept) - {one.model for one in differences})
    if unknown:
        raise ConfigurationError(
            f"--accept '{unknown[0]}': the package has the same prices for it as the list here, or none"
        )
    chosen = [one for one in differences if yes or one.model in accept]
    if chosen:
        _add(settings, stated, chosen, version)
    else:
        click.echo("gembill: there is nothing to add.", err=True)


def _compared(settings: Settings) -> tuple[list[PriceDifference], list[ExternalPrice], str]:
    """Differences from list prices (without those a user set), what the package says, and its version."""
    from gembill import genai_prices
    from gembill.price_catalog import configured_book
    from gembill.rules.prices.difference import differences

    version = genai_prices.version()
    book = configured_book(settings, own=False)
    stated = genai_prices.external_prices(book, time.time_ns() // 1000)
    return differences(book, stated), stated, version


def _add(settings: Settings, stated: list[ExternalPrice], chosen: list[PriceDifference], version: str) -> None:
    from gembill.ledger import open_ledger, price_lists
    from gembill.period import Unit, name, zone
    from gembill.rules.prices import bundled
    from gembill.rules.prices.difference import accepted

    today = name(Unit.DAY, time.time_ns() // 1000, zone())
    rows = accepted(stated, chosen, f"genai-prices {version}", today)
    ledger = open_ledger(settings.ledger_url)
    try:
        price_lists.add(
            ledger, price_lists.Origin.BUNDLED, bundled().rows, bundled().digest
        )  # what was compared comes before
        number = price_lists.add(ledger, price_lists.Origin.SYNC, rows)
    finally:
        ledger.close()
    models = len({one.model for one in chosen})
    click.echo(f"gembill: added {len(rows)} price rows of {models} models (sync-{number}).", err=True)
    click.echo("gembill: recorded calls keep what they were charged until you run `gembill rerate`.", err=True)

"""`gembill prices sync`: the price list held against the genai-prices package.

Owns: the command and how differences are shown. Owns no difference (`billing.pricebook.difference`) and no reading of
the package (`billing.cli.genai`). Invariant: nothing is added that was not named with --accept, or by --yes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from billing.cli.options import database_url_option
from billing.errors import ConfigurationError

if TYPE_CHECKING:
    from billing.config import Settings
    from billing.pricebook.difference import Difference, Stated
    from reports.sheet import Sheet


@click.command()
@click.option("--accept", multiple=True, metavar="MODEL", help="Add what the package says of this model. Repeatable.")
@click.option("--yes", is_flag=True, help="Add all of it.")
@database_url_option
def sync(accept: tuple[str, ...], yes: bool, database_url: str | None) -> None:
    """Compare the prices with those of the genai-prices package, and add what you accept.

    Without --accept or --yes nothing is added. Prices of your own (`gembill prices set`) stay in force.
    """
    from billing.config import load
    from reports import screen

    settings = load({"database_url": database_url})
    found, stated, version = _found(settings)
    screen.write(["\n".join(page.written("table") for page in _sheets(found, version))])
    if not accept and not yes:
        return
    unknown = sorted(set(accept) - {one.model for one in found})
    if unknown:
        raise ConfigurationError(f"--accept '{unknown[0]}': the package says nothing else of it than the list here")
    chosen = [one for one in found if yes or one.model in accept]
    if chosen:
        _add(settings, stated, chosen, version)
    else:
        click.echo("gembill: there is nothing to add.", err=True)


def _found(settings: Settings) -> tuple[list[Difference], list[Stated], str]:
    """Differences from list prices, what the package says, and its version. What a user set is no error of the list."""
    from billing.cli import genai
    from billing.pricebook.difference import differences
    from billing.prices import configured_book

    version = genai.version()
    book = configured_book(settings, own=False)
    stated = genai.stated(book, time.time_ns() // 1000)
    return differences(book, stated), stated, version


def _add(settings: Settings, stated: list[Stated], chosen: list[Difference], version: str) -> None:
    from billing.ledger import open_ledger, prices
    from billing.period import Unit, name, zone
    from billing.pricebook import bundled
    from billing.pricebook.difference import accepted

    today = name(Unit.DAY, time.time_ns() // 1000, zone())
    rows = accepted(stated, chosen, f"genai-prices {version}", today)
    ledger = open_ledger(settings.ledger_url)
    try:
        prices.add(ledger, prices.Origin.BUNDLED, bundled().rows, bundled().digest)  # what was compared comes before
        number = prices.add(ledger, prices.Origin.SYNC, rows)
    finally:
        ledger.close()
    models = len({one.model for one in chosen})
    click.echo(f"gembill: added {len(rows)} price rows of {models} models (sync-{number}).", err=True)
    click.echo("gembill: recorded calls keep what they were charged until you run `gembill rerate`.", err=True)


def _sheets(found: list[Difference], version: str) -> list[Sheet]:
    """Other figures for things we price, and below them the models that are not in our list, in a line each."""
    from billing.pricebook.difference import by_model
    from reports.sheet import Sheet
    from reports.tables import Column, Table

    new = [(model, ones) for model, ones in by_model(found) if all(one.ours is None for one in ones)]
    other = [one for one in found if one.model not in dict(new)]
    columns = (
        *(Column("Model", text=True), Column("Tier", text=True), Column("Meter", text=True)),
        *(Column("From"), Column("Ours"), Column("Theirs")),  # all of them: what is left must tell two lines apart
    )
    notes = ("US dollars per million tokens, searches per thousand. Nothing is added without --accept MODEL or --yes.",)
    heading = f"Where genai-prices {version} differs from the list prices"
    first = Sheet(heading, Table(columns, tuple(_lines(other))), notes if other else ("Nowhere.",))
    brief = (
        Column("Model", text=True),
        Column("Tiers", text=True),
        Column("Input"),
        Column("Cached"),
        Column("Output"),
    )
    rows = tuple(_headline(model, ones) for model, ones in new)
    notes = ("Text, shortest prompts, as of today; accepting a model adds all its kinds, sizes and announced changes.",)
    second = Sheet("What the list has no price for at all", Table(brief, rows), notes if new else ("Nothing.",))
    return [first, second]


def _lines(found: list[Difference]) -> Iterator[tuple[str, ...]]:
    from billing.period import Unit, name, zone

    same: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        meter, kind, above = one.thing
        start = "launch" if one.start_us is None else name(Unit.DAY, one.start_us, zone())
        figures = (_figure(one, one.ours), _figure(one, one.theirs))
        prompts = f", prompts above {above:,}" if above else ""
        key = (one.model, one.service_tier, meter.value, prompts, start, *figures)
        same.setdefault(key, []).append(kind.value)
    for (model, tier, meter_name, prompts, *rest), kinds in same.items():
        yield model, tier, f"{meter_name} ({', '.join(kinds)}){prompts}", *rest


def _headline(model: str, found: list[Difference]) -> tuple[str, ...]:
    from billing.model import Meter, Modality

    first: dict[str, str] = {}
    for one in found:
        if one.thing[1:] == (Modality.TEXT, 0):
            first.setdefault(one.thing[0].value, _figure(one, one.theirs))
    tiers = ", ".join(dict.fromkeys(one.service_tier for one in found))
    return model, tiers, *(first.get(meter.value, "") for meter in (Meter.INPUT, Meter.CACHED_INPUT, Meter.OUTPUT))


def _figure(one: Difference, pico: int | None) -> str:
    """As prices are quoted: per million tokens, per thousand searches."""
    from billing.model import Meter
    from billing.money import usd_per_million

    if pico is None:
        return "none"
    return usd_per_million(pico // 1000 if one.thing[0] is Meter.GROUNDING else pico)

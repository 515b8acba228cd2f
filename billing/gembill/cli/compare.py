"""`gembill compare`: what recorded tokens would have cost otherwise.

Owns: the command and what its flags mean. Owns no sum and no layout (`gembill_reports.prices`).
"""

from __future__ import annotations

import re
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from gembill.cli.options import Choice, database_url_option, format_option
from gembill.cli.report import period_of
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.period import Period
    from gembill.rules.prices import PriceBook
    from gembill_reports.analysis.what_if import WhatIfChange

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)(%?)")


@click.command()
@click.option("--model", metavar="NAME", help="With this model instead.")
@click.option("--tier", metavar="TIER", help="On this tier instead: standard, batch, flex, priority.")
@click.option("--cached", metavar="SHARE", help="With this share of the prompt served from a cache: 0.8 or 80%.")
@click.option("--at", "day", metavar="DATE", help="At the prices in force then, such as those already announced.")
@click.option(
    "--of", multiple=True, metavar="NAME", help="Only calls of this model; * stands for anything. Repeatable."
)
@click.option("--label", multiple=True, metavar="NAME=VALUE", help="Only calls with this label. Repeatable.")
@click.option("--since", metavar="DATE", help="From this date or ISO instant on.  [default: this month]")
@click.option("--until", metavar="DATE", help="Up to this date or ISO instant, which is not included.")
@click.option("--month", metavar="YYYY-MM", help="A whole month instead of --since and --until.")
@click.option("--tz", envvar="GEMBILL_TZ", metavar="ZONE", help="The calendar of dates.  [default: US Pacific]")
@format_option
@database_url_option
def compare(form: str, database_url: str | None, **flags: str | tuple[str, ...] | None) -> None:
    """Show what the recorded tokens of a period would have cost with another model, tier, caching or later prices.

    Give at least one of --model, --tier, --cached and --at; they may be combined. The counts stay as recorded. What has
    no price on the other side is in neither column and named beneath the table.
    """
    from gembill.config import load
    from gembill.ledger import open_ledger
    from gembill.price_catalog import PricingTerms, book_in_force, policies
    from gembill_reports.analysis.what_if import compare as compared
    from gembill_reports.layout import screen
    from gembill_reports.views import what_if

    choice = _choice(flags)
    period = period_of("monthly", choice, time.time_ns() // 1000)
    settings = load({"database_url": database_url})
    ledger = open_ledger(settings.ledger_url, read_only=True)
    try:
        terms = PricingTerms(book_in_force(ledger, settings), policies(settings))
        change = _change(flags, period, terms.book)
        found = compared(ledger, terms, choice.selection(period), period, change)
    finally:
        ledger.close()
    if form == "json":
        screen.write([what_if.json_text(found)])
    elif form == "csv":
        screen.write(what_if.csv_text(found))
    else:
        screen.write([what_if.sheet(found).written(form)])


def _choice(flags: dict[str, str | tuple[str, ...] | None]) -> Choice:
    named = [flags[name] for name in ("since", "until", "month", "tz")]
    since, until, month, tz = (None if one is None else str(one) for one in named)
    models, labels = (tuple(flags[name] or ()) for name in ("of", "label"))
    return Choice(since, until, month, tz, model=models, label=labels, key=(), code_execution=False)


def _change(flags: dict[str, str | tuple[str, ...] | None], period: Period, book: PriceBook) -> WhatIfChange:
    from gembill.period import instant
    from gembill_reports.analysis.what_if import WhatIfChange

    model, tier, cached, day = (flags[name] for name in ("model", "tier", "cached", "day"))
    if model is None and tier is None and cached is None and day is None:
        raise ConfigurationError("say what should be otherwise: --model, --tier, --cached or --at")
    at_us = None if day is None else instant(str(day), period.zone, name="--at")
    if model is not None and book.stands_for(str(model), at_us or time.time_ns() // 1000) is None:
        raise ConfigurationError(f"no price is known for the model '{model}'; `gembill prices list` shows those known")
    return WhatIfChange(
        model=None if model is None else str(model),
        service_tier=None if tier is None else str(tier),
        cached=None if cached is None else _share(str(cached)),
        at_us=at_us,
    )


def _share(text: str) -> Fraction:
    found = _SHARE.fullmatch(text.strip())
    share = None if found is None else Fraction(found[1]) / (100 if found[2] else 1)
    if share is None or share > 1:
        raise ConfigurationError(f"--cached is '{text}'; write a share of the prompt between 0 and 1, or 0% and 100%")
    return share

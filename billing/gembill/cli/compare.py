"""`gembill compare`: what recorded tokens would have cost otherwise.

Owns: the command and what its flags mean. Not here: sums and layout (`gembill_reports`).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from gembill.cli.options import FILTERS, PERIOD, CallFilter, database_url_option, opened, together
from gembill.cli.output import Output, output_options
from gembill.cli.report import period_of
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.period import Period
    from gembill.rules.prices import PriceBook
    from gembill_reports.analysis.what_if import WhatIfChange

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)(%?)")


@dataclass(frozen=True, slots=True)
class ChangeFlags:
    """What should be otherwise, as given."""

    other_model: str | None
    other_tier: str | None
    cached: str | None
    day: str | None

    def change(self, period: Period, book: PriceBook) -> WhatIfChange:
        """The change, checked against the prices known; ConfigurationError if there is none or it is not possible."""
        from gembill.period import instant
        from gembill_reports.analysis.what_if import WhatIfChange

        model = self.other_model
        if self == ChangeFlags(None, None, None, None):
            raise ConfigurationError("say what should be otherwise: --model, --tier, --cached or --at")
        at_us = None if self.day is None else instant(self.day, period.zone, name="--at")
        if model is not None and book.stands_for(model, at_us or time.time_ns() // 1000) is None:
            raise ConfigurationError(
                f"no price is known for the model '{model}'; `gembill prices list` shows those known"
            )
        cached = None if self.cached is None else _share(self.cached)
        return WhatIfChange(model=model, service_tier=self.other_tier, cached=cached, at_us=at_us)


_CHANGE = (
    click.option("--model", "other_model", metavar="NAME", help="With this model instead."),
    click.option("--tier", "other_tier", metavar="TIER", help="On this tier instead: standard, batch, flex, priority."),
    click.option("--cached", metavar="SHARE", help="With this share of the prompt served from a cache: 0.8 or 80%."),
    click.option("--at", "day", metavar="DATE", help="At the prices in force then, such as those already announced."),
)
_CALLS = (
    click.option(
        "--of",
        "model",
        multiple=True,
        metavar="NAME",
        help="Only calls of this model; * stands for anything. Repeatable.",
    ),
    click.option("--of-tier", "tier", multiple=True, metavar="TIER", help="Only calls of this tier. Repeatable."),
    *FILTERS,
    *PERIOD,
)


@click.command()
@together("flags", ChangeFlags, _CHANGE)
@together("calls", CallFilter, _CALLS)
@output_options()
@database_url_option
def compare(flags: ChangeFlags, calls: CallFilter, output: Output, database_url: str | None) -> None:
    """Show what the recorded tokens of a period would have cost with another model, tier, caching or later prices.

    Give at least one of --model, --tier, --cached and --at; they may be combined. The counts stay as recorded. What has
    no price on the other side is in neither column and is named below the table. Without a period it is this month.
    """
    from gembill.price_catalog import PricingTerms, book_in_force, policies
    from gembill_reports.analysis.what_if import compare as compared
    from gembill_reports.views.what_if import WhatIfView

    period = period_of("monthly", calls, time.time_ns() // 1000)
    with opened(database_url) as (ledger, settings):
        selection = calls.selection(period, ledger)
        terms = PricingTerms(book_in_force(ledger, settings), policies(settings))
        change = flags.change(period, terms.book)
        output.write(WhatIfView(compared(ledger, terms, selection, period, change)))


def _share(text: str) -> Fraction:
    written = _SHARE.fullmatch(text.strip())
    share = None if written is None else Fraction(written[1]) / (100 if written[2] else 1)
    if share is None or share > 1:
        raise ConfigurationError(f"--cached is '{text}'; write a share of the prompt between 0 and 1, or 0% and 100%")
    return share

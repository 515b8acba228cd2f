"""`gembill close`: a month that will not change any more.

Owns: the command, and which month can be closed. Not here: what is kept of it (`gembill.ledger.closings`). Invariant: a
month that is not over, or in which calls have no price unless that was accepted, is not closed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from gembill.cli.options import database_url_option, opened, tz_option
from gembill.cli.output import Output, output_options
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.ledger import Ledger
    from gembill.period import Period

STRICT_EXIT = 12


@click.command()
@click.argument("month", required=False, metavar="[YYYY-MM]")
@click.option("--list", "listed", is_flag=True, help="Show the months that were closed.")
@click.option("--strict", is_flag=True, help="Exit 12 and close nothing if calls have no price or may lack tokens.")
@tz_option
@output_options()
@database_url_option
@click.pass_context
def close(
    ctx: click.Context,
    month: str | None,
    *,
    listed: bool,
    strict: bool,
    tz: str | None,
    output: Output,
    database_url: str | None,
) -> None:
    """Close a month: keep its totals, its price lists and a digest of both for good.

    Calls that come later, new prices and corrections still reach the books. Of a closed month they are adjustments of
    the month in which they are made: reports and statements say so, and `gembill audit` checks what was kept.
    """
    from gembill.ledger import close_month, read_closings
    from gembill_reports.views.closing import ClosingsView

    if listed == (month is not None):
        raise ConfigurationError("name the month to close, like 2026-10, or ask for those that were with --list")
    with opened(database_url, read_only=listed) as (ledger, _):
        if month is None:
            output.write(ClosingsView(read_closings(ledger)))
            return
        period, now_us = _over(month, tz), time.time_ns() // 1000
        if _doubts(ledger, period) and strict:
            ctx.exit(STRICT_EXIT)
        output.write(ClosingsView([close_month(ledger, month.strip(), period, now_us)]))


def _over(month: str, tz: str | None) -> Period:
    from gembill.period import parse

    period = parse(month=month, tz=tz)
    if period.end_us is None or period.end_us > time.time_ns() // 1000:
        raise ConfigurationError(f"{month} is not over; it can be closed from {period.end} on")
    return period


def _doubts(ledger: Ledger, period: Period) -> bool:
    """Whether the costs of some calls are not known, which is said."""
    from gembill.ledger import Selection, count_unreplayed, read_totals

    (total,) = read_totals(ledger, Selection(start_us=period.start_us, end_us=period.end_us))
    dead = count_unreplayed(ledger)
    if total.is_known and not dead:
        return False
    doubts = f"{total.unpriced_calls:,} unpriced and {total.incomplete_calls:,} incomplete calls"
    doubts += f", {dead:,} dead letters" if dead else ""
    click.echo(f"gembill: {doubts}; what is learned of them after the closing is an adjustment", err=True)
    return True

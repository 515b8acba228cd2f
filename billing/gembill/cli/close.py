"""`gembill close`: a month that will not change any more.

Owns: the command, and which month can be closed. Not here: what is kept of it (`gembill.ledger.closings`). Invariant: a
month that is not over is not closed; one without a call, or with calls that wait in a spool, only if that was accepted.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from gembill.cli.options import database_url_option, opened, tz_option
from gembill.cli.output import Output, output_options
from gembill.errors import ConfigurationError, SpoolError

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.ledger import Ledger, Total
    from gembill.period import Period

STRICT_EXIT = 12


@click.command()
@click.argument("month", required=False, metavar="[YYYY-MM]")
@click.option("--list", "listed", is_flag=True, help="Show the months that were closed.")
@click.option("--strict", is_flag=True, help="Exit 12 and close nothing if calls have no price or may lack tokens.")
@click.option("--yes", is_flag=True, help="Close it without a call, or without those that wait in spools here.")
@tz_option
@output_options()
@database_url_option
def close(
    month: str | None,
    *,
    listed: bool,
    strict: bool,
    yes: bool,
    tz: str | None,
    output: Output,
    database_url: str | None,
) -> None:
    """Close a month: keep its totals, its price lists and a digest of both for good.

    Calls that come later, new prices and corrections still reach the books. Of a closed month they are adjustments of
    the month in which they are made: reports and statements say so, and `gembill audit` checks what was kept.

    A month without a call is taken for a mistake. Calls that wait in the spools of this machine belong in it before it
    is closed; those of other machines are not seen from here.
    """
    from gembill.ledger import Selection, close_month, read_closings, read_totals, require_open
    from gembill_reports.views.closing import ClosingsView

    if listed == (month is not None):
        raise ConfigurationError("name the month to close, like 2026-10, or ask for those that were with --list")
    with opened(database_url, read_only=listed) as (ledger, settings):
        if month is None:
            output.write(ClosingsView(read_closings(ledger)))
            return
        period, now_us = _over(month, tz), time.time_ns() // 1000
        month = month.strip()
        require_open(read_closings(ledger), month, period)
        (total,) = read_totals(ledger, Selection(start_us=period.start_us, end_us=period.end_us))
        if not yes:
            _require_calls(total, month, period)
            _require_posted(ledger, settings, month, period, known_only=database_url is not None)
        if _doubts(ledger, total) and strict:
            raise SystemExit(STRICT_EXIT)
        output.write(ClosingsView([close_month(ledger, month, period, now_us)]))


def _over(month: str, tz: str | None) -> Period:
    from gembill.period import parse

    period = parse(month=month, tz=tz)
    if period.end_us is None or period.end_us > time.time_ns() // 1000:
        raise ConfigurationError(f"{month} is not over; it can be closed from {period.end} on")
    return period


def _require_calls(total: Total, month: str, period: Period) -> None:
    if not total.calls:
        raise ConfigurationError(
            f"the ledger has no call of {month} ({period.timezone}); if that is right, `gembill close {month} --yes`"
        )


def _require_posted(ledger: Ledger, settings: Settings, month: str, period: Period, *, known_only: bool) -> None:
    from gembill.unposted_calls import count_unposted

    waiting = count_unposted(ledger, settings.spool_dir, period, known_only=known_only)
    if waiting:
        calls = "1 call" if waiting == 1 else f"{waiting:,} calls"
        raise SpoolError(
            f"{calls} of {month} wait in {settings.spool_dir} and are not in the ledger yet: `gembill proxy` "
            f"posts them, `gembill close {month} --yes` closes it without them"
        )


def _doubts(ledger: Ledger, total: Total) -> bool:
    """Whether the costs of some calls are not known, which is said."""
    from gembill.ledger import count_unreplayed

    dead = count_unreplayed(ledger)
    if total.is_known and not dead:
        return False
    doubts = f"{total.unpriced_calls:,} unpriced and {total.incomplete_calls:,} incomplete calls"
    doubts += f", {dead:,} dead letters" if dead else ""
    click.echo(f"gembill: {doubts}; what is learned of them after the closing is an adjustment", err=True)
    return True

"""`gembill replay`: fill a ledger again from the spools that are kept.

Owns: the command and its flags. Not here: posting again (`gembill.spool_replay`, `gembill.replay`). Invariant: what the
ledger has is not changed.
"""

from __future__ import annotations

import click

from gembill.cli.options import database_url_option, opened, tz_option
from gembill.cli.output import Output, output_options
from gembill.cli.progress import Progress


@click.command()
@click.option(
    "--since", metavar="DATE", help="Only what was recorded from this date or ISO instant on. [all that is kept]"
)
@click.option("--dead-letters", is_flag=True, help="Only try again what could not become a record, after a fix.")
@tz_option
@output_options()
@database_url_option
@click.pass_context
def replay(
    ctx: click.Context, since: str | None, dead_letters: bool, tz: str | None, output: Output, database_url: str | None
) -> None:
    """Fill a ledger again from the spools that are kept.

    For a ledger that was lost, restored from a backup, or fell back: posts every event of the data folder's spools that
    the ledger lacks, and tries dead letters again. What is there already stays as it is, so running it twice changes
    nothing, and it may run beside a proxy. Posted events are kept for spool_keep_hours.

    Exits 1 if a spool could not be posted whole.
    """
    from gembill.period import instant, zone
    from gembill.price_catalog import terms
    from gembill.replay import revive
    from gembill.spool_replay import SpoolReplay, replay_spools
    from gembill_reports.views.spool_replay import SpoolReplayView

    since_us = 0 if since is None else instant(since, zone(tz), name="--since")
    spools: list[SpoolReplay] = []
    with opened(database_url, read_only=False, begin=True) as (ledger, settings):
        prices = terms(ledger, settings)
        if not dead_letters:
            with Progress("events", None) as progress:

                def seen(events: int, added: int) -> None:
                    progress.reach(events, f"{added:,} added")

                spools = replay_spools(ledger, settings.spool_dir, prices, seen, since_us=since_us)
        letters = revive(ledger, prices)
    output.write(SpoolReplayView(spools, letters))
    ctx.exit(1 if any(each.refused or each.damage for each in spools) else 0)

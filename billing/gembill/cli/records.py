"""`gembill records`: the recorded calls, one by one.

Owns: the command. Not here: the form of a record (`gembill_reports.views.records`).
"""

import click

from gembill.cli.options import CallFilter, database_url_option, limit_option, opened, selection_options
from gembill.cli.output import Output, output_options


@click.command()
@selection_options
@limit_option
@output_options()
@database_url_option
def records(calls: CallFilter, limit: int | None, output: Output, database_url: str | None) -> None:
    """List recorded calls, newest first.

    Tables show the newest 100 and as many columns as fit; JSON and CSV hold all calls and all fields unless --limit.
    """
    from gembill.ledger import holds_demo_data, read_records
    from gembill_reports.views.records import RecordsView

    period = calls.period()
    with opened(database_url) as (ledger, _):
        selection = calls.selection(period, ledger)
        output.write(
            RecordsView(
                lambda number: read_records(ledger, selection, limit=number),
                period,
                limit,
                demo=holds_demo_data(ledger),
            )
        )

"""`gembill doctor`: what is wrong with this installation, and what mends it.

Owns: the command. Not here: what is looked at (`gembill.doctor`). Invariant: nothing is mended.
"""

import click

from gembill.cli.options import database_url_option
from gembill.cli.output import Output, output_options


@click.command()
@output_options()
@database_url_option
@click.pass_context
def doctor(ctx: click.Context, output: Output, database_url: str | None) -> None:
    """Say what is wrong with this installation, each in a sentence with the command that mends it.

    Looks at the data folder, the secret, file modes, the disk, the spools, the ledger, dead letters, gaps, the clock.
    Exits 1 if something is wrong, 0 if nothing is or if there are only things worth knowing.
    """
    from gembill.config import load
    from gembill.doctor import examine
    from gembill_reports.views.doctor import DoctorView

    ailments = examine(load({"database_url": database_url}), database_url=database_url)
    output.write(DoctorView(ailments))
    ctx.exit(0 if all(each.note for each in ailments) else 1)

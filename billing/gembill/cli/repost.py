"""`gembill repost`: read the raw events of recorded calls again.

Owns: the command and its flags. Owns no reading (`gembill.replay`). Invariant: with `--dry-run` nothing is written.
"""

import click

from gembill.cli.options import Choice, database_url_option, format_option, selection_options
from gembill.cli.rerate import dry_run_option, policy_options, run


@click.command()
@selection_options
@dry_run_option
@policy_options
@format_option
@database_url_option
def repost(choice: Choice, dry_run: bool, form: str, **flags: str | None) -> None:
    """Read the raw events of recorded calls again, with this version's metering, and charge what it finds.

    For after an upgrade that reads usage better. What changes is corrected by further charges, as with `gembill
    rerate`. Events that could not be read before (dead letters) are tried again, whatever the period.
    """
    from gembill.replay import repost as again

    run(again, choice, form, dry_run=dry_run, flags=flags)

"""`gembill db`: the schema of the ledger.

Owns: the two commands and their words. Not here: migrations (`gembill.ledger.migration`).
Invariant: `check` writes nothing.
"""

import click

from gembill.cli.groups import NearGroup
from gembill.cli.options import database_url_option


@click.group(cls=NearGroup)
def db() -> None:
    """Upgrade or check the ledger's schema."""


@db.command()
@database_url_option
def upgrade(database_url: str | None) -> None:
    """Bring the schema to the revision this gembill works with."""
    from gembill.config import load
    from gembill.ledger import open_ledger, upgrade_ledger
    from gembill.price_catalog import terms

    settings = load({"database_url": database_url})
    before, after = upgrade_ledger(settings.ledger_url)
    ledger = open_ledger(settings.ledger_url)
    try:
        terms(ledger, settings)  # the price rows of this version are in the ledger before the first charge names one
    finally:
        ledger.close()
    if before == after:
        click.echo(f"The ledger is at revision {after} already.")
    else:
        click.echo(f"The ledger went from {before or 'nothing'} to revision {after}.")


@db.command()
@database_url_option
def check(database_url: str | None) -> None:
    """Say whether the schema is the one this gembill works with; exit 1 if it is not."""
    from gembill.config import database_url as configured
    from gembill.ledger import SCHEMA_REVISION, open_ledger

    open_ledger(configured(database_url), read_only=True).close()
    click.echo(f"The ledger is at revision {SCHEMA_REVISION}, the one this gembill works with.")

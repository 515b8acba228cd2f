"""`gembill db`: the schema of the ledger, and its backups.

Owns: the commands and their words. Not here: migrations (`gembill.ledger.migration`) and the form of a backup
(`gembill.ledger.backup`). Invariant: `check` writes nothing; `restore` touches nothing before the backup was checked.
"""

from datetime import UTC, datetime
from pathlib import Path

import click

from gembill.cli.groups import NearGroup
from gembill.cli.options import database_url_option


@click.group(cls=NearGroup)
def db() -> None:
    """Upgrade, check, back up or restore the ledger."""


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


@db.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@database_url_option
def backup(file: Path | None, database_url: str | None) -> None:
    """Write the whole ledger to FILE, while calls are posted; for its owner alone.

    Without FILE: into the folder backups of the data folder, under the name of the moment. The file is a SQLite ledger
    compressed by gzip, whichever engine the ledger is on, and needs no program of the database.
    """
    from gembill.config import load
    from gembill.ledger import back_up

    settings = load({"database_url": database_url})
    if file is None:
        file = settings.data_folder / "backups" / f"ledger-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db.gz"
    made = back_up(settings.ledger_url, file)
    click.echo(f"{made.path}: {made.events:,} events at revision {made.revision}.")


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of a ledger that has calls.")
@click.option("--dry-run", is_flag=True, help="Only check the file.")
@database_url_option
def restore(file: Path, replace: bool, dry_run: bool, database_url: str | None) -> None:
    """Put a backup in the place of the ledger, on either engine; it may be another than it was made on.

    The file is checked whole before anything is touched, and all of it is restored in one transaction. A proxy may go
    on meanwhile. What was recorded since the backup comes back with `gembill replay`.
    """
    from gembill.address import of_file
    from gembill.config import load
    from gembill.ledger import audit_ledger, checked, open_ledger, put_back

    url = load({"database_url": database_url}).ledger_url
    with checked(file) as (found, ledger_file):
        ledger = open_ledger(of_file(ledger_file), read_only=True)
        findings = len(audit_ledger(ledger))
        ledger.close()
        books = "its books balance" if not findings else f"`gembill audit` finds {findings} things in it"
        click.echo(f"{file} is whole: {found.events:,} events at revision {found.revision}; {books}.", err=True)
        if dry_run:
            return
        _make_room(url, replace=replace)
        put_back(url, ledger_file)
    click.echo(f"{found.events:,} events are restored; run `gembill replay` for what was recorded since.")


def _make_room(url: str, *, replace: bool) -> None:
    """ConfigurationError where a ledger has calls, or cannot be read, and is not to be replaced."""
    from gembill.errors import ConfigurationError, LedgerError, SchemaError
    from gembill.ledger import LedgerUnavailable, count_events, move_aside

    try:
        there = count_events(url)
    except (SchemaError, LedgerUnavailable):
        raise
    except LedgerError as error:
        if not replace:
            raise ConfigurationError(f"{error}; add --replace to put the backup in its place") from error
        if (moved := move_aside(url)) is None:
            raise
        click.echo(f"The ledger that was there cannot be read; it is kept as {moved}.", err=True)
        return
    if there and not replace:
        raise ConfigurationError(f"the ledger has {there:,} events; add --replace to put the backup in its place")

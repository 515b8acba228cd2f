"""`gembill spool`: the local queues of calls, and what is to be done with one that was copied or damaged.

Owns: the commands and their words. Not here: spools (`gembill.spool`) and their rescue (`gembill.spool_rescue`).
Invariant: a spool that a process has is not touched; `list` changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gembill.cli.groups import NearGroup
from gembill.cli.options import database_url_option, opened
from gembill.cli.output import Output, output_options
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.spool_rescue import Salvaged

_DIGITS = 16


@click.group(cls=NearGroup)
def spool() -> None:
    """Look after the spools of the data folder: the local queues between calls and ledger."""


@spool.command("list")
@output_options()
def list_(output: Output) -> None:
    """List the spools: in use, idle, copied from elsewhere, left alone, set aside, or renewed."""
    from gembill.config import load
    from gembill.spool import survey_spools
    from gembill_reports.views.spools import SpoolsView

    root = load().spool_dir
    output.write(SpoolsView(survey_spools(root), str(root)))


@spool.command()
@click.argument("source")
def adopt(source: str) -> None:
    """Take a copied or restored spool as this machine's own.

    For when its original is gone: the next start of the proxy posts it, closes its open calls as unknown, and may write
    to it. If the original goes on, use `gembill spool renew`.
    """
    from gembill.config import load
    from gembill.spool_rescue import adopt as take

    path = _directory(load(), source)
    take(path)
    click.echo(f"The spool {path.name} belongs to this machine; the next start of the proxy goes on with it.")


@spool.command()
@click.argument("source")
@database_url_option
def renew(source: str, database_url: str | None) -> None:
    """Give a cloned spool a new source id, so that the clone and its original both go on.

    Its own calls, those since it and its original parted, get a spool of their own and are posted to the ledger; calls
    that the ledger has are not posted twice. The clone is put away as SOURCE.renewed and may be removed.
    """
    from gembill.price_catalog import terms
    from gembill.spool_replay import replay_spools
    from gembill.spool_rescue import renew as divide

    with opened(database_url, read_only=False) as (ledger, settings):
        path = _directory(settings, source)
        renewal = divide(ledger, path)
        if renewal.source_id is not None:
            replay_spools(ledger, settings.spool_dir, terms(ledger, settings), lambda _events, _added: None)
    where = "" if renewal.source_id is None else f" and are in the spool {renewal.source_id:016x}"
    click.echo(f"The clone {path.name} is put away; {renewal.moved} calls were its own{where}.")


@spool.command()
@click.argument("source", required=False)
@database_url_option
@click.pass_context
def salvage(ctx: click.Context, source: str | None, database_url: str | None) -> None:
    """Read what can still be read of damaged segments, and post it.

    As far as checksums allow: entries of a damaged group that are whole themselves, and calls whose end is lost, which
    are recorded as unknown. What nothing is known of is a gap, and is named. Without SOURCE: of all spools. Nothing is
    removed. Exits 1 if something is lost.
    """
    from gembill.price_catalog import terms
    from gembill.spool_rescue import salvage_spool

    with opened(database_url, read_only=False) as (ledger, settings):
        paths = [_directory(settings, source, whole=False)] if source else _readable(settings)
        prices = terms(ledger, settings)
        results: list[Salvaged] = []
        for path in paths:
            results += salvage_spool(ledger, path, int(path.name[:16], 16), prices)
    for result in results:
        click.echo(_sentence(result))
    if not results:
        click.echo("No segment is damaged.")
    ctx.exit(1 if any(each.lost or each.error for each in results) else 0)


def _directory(settings: Settings, source: str, *, whole: bool = True) -> Path:
    """The spool that is named, by its 16 digits. ConfigurationError where there is none."""
    from gembill.spool import survey_spools

    names = [each.path for each in survey_spools(settings.spool_dir) if len(each.path.name) == _DIGITS or not whole]
    for path in names:
        if path.name == source:
            return path
    known = ", ".join(path.name for path in names) or "none"
    raise ConfigurationError(f"there is no spool '{source}' in {settings.spool_dir}; there are: {known}")


def _readable(settings: Settings) -> Iterator[Path]:
    from gembill.spool import survey_spools

    return (each.path for each in survey_spools(settings.spool_dir) if each.state != "renewed")


def _sentence(result: Salvaged) -> str:
    if result.error is not None:
        return f"{result.path}: it cannot be read: {result.error}"
    lost = f"{len(result.lost)} places are lost ({_ranges(result.lost)})" if result.lost else "no call is lost"
    return (
        f"{result.path}: {result.read} calls read, {result.added} of them new in the ledger, {result.unknown} recorded "
        f"as unknown; {result.bytes_lost} bytes fail their checksum, {lost}"
    )


def _ranges(numbers: list[int]) -> str:
    """`3-5, 9`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)

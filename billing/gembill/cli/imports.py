"""`gembill import`: traffic that never met the proxy.

Owns: the command, its progress bar and what it says. Not here: formats and rules of the import (`gembill.importing`).
Invariant: the exit code is 1 if any line was refused; refusals are sentences on stderr.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from gembill.cli.options import database_url_option, tz_option

if TYPE_CHECKING:
    from gembill.importing import ImportDefaults, Importer

_STDIN = "-"


@dataclass(frozen=True, slots=True)
class _Screen:
    """Where sentences and progress go: `say` takes a sentence, `advance` a number of bytes read."""

    say: Callable[[str], object]
    advance: Callable[[int], object]


@click.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True),
)
@click.option(
    "--occurred-at", metavar="T", help="When calls took place that do not say so; a date or an ISO 8601 instant."
)
@click.option("--model", metavar="M", help="The model of calls that name none.")
@tz_option
@database_url_option
@click.pass_context
def import_calls(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    occurred_at: str | None,
    model: str | None,
    tz: str | None,
    database_url: str | None,
) -> None:
    """Record calls that did not pass through the proxy.

    \b
    FILE is recognised by its content:
      JSON Lines   an exchange a line: path, status, response or chunks,
                   and optionally method, request, response_headers,
                   occurred_at, labels
      HAR          the traffic that a browser or a proxy saved
      an export    of `gembill export --format jsonl`: the calls keep
                   their ids and are metered and priced again
      a case       of a corpus: an object with surface, path, request,
                   response or chunks, source.recorded_at
      -            one of these from standard input

    They are metered and priced like calls through the proxy. Importing twice changes nothing. A line that cannot be
    used is refused, the rest goes on, and the exit code is 1; ten refusals are named, all are counted by reason.
    """
    from gembill.importing import ImportDefaults
    from gembill.period import instant, zone

    calendar = zone(tz)
    occurred_us = None if occurred_at is None else instant(occurred_at, calendar, name="--occurred-at")
    with _screen(files) as screen:
        refused = _import(files, ImportDefaults(occurred_us, model), database_url, screen)
    if refused:
        ctx.exit(1)


def _import(files: tuple[str, ...], assumed: ImportDefaults, database_url: str | None, screen: _Screen) -> int:
    """Import all files and say how it went; how many lines were refused."""
    from gembill.capture.fingerprint import Fingerprint, load_secret
    from gembill.config import load
    from gembill.importing import Importer
    from gembill.ledger import open_ledger
    from gembill.price_catalog import terms

    settings = load({"database_url": database_url})
    folder = settings.data_dir if settings.fingerprint_secret else settings.data_folder  # a given secret needs none
    fingerprint = Fingerprint(load_secret(settings.fingerprint_secret, folder), settings.keys)
    ledger = open_ledger(settings.ledger_url)
    try:
        importer = Importer(ledger, fingerprint, terms(ledger, settings), assumed=assumed, say=screen.say)
    except BaseException:
        ledger.close()
        raise
    try:
        for name in files:
            _take(name, importer, screen)
        importer.finish()
    finally:
        ledger.close()
        for sentence in (*importer.summary.refusals(), str(importer.summary)):
            screen.say(sentence)
    return importer.summary.refused


def _take(name: str, importer: Importer, screen: _Screen) -> None:
    from gembill.importing import ImportItem, items

    shown = "standard input" if name == _STDIN else click.format_filename(name)
    try:
        with _opened(name) as file:
            for item in items(shown, file, screen.advance):
                importer.take(item)
    except OSError as error:
        importer.take(ImportItem(shown, trouble=f"it cannot be opened: {error.strerror}"))


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == _STDIN:
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file


@contextlib.contextmanager
def _screen(files: tuple[str, ...]) -> Iterator[_Screen]:
    """Plain lines on stderr; on a terminal a bar below them."""
    if not sys.stderr.isatty():
        yield _Screen(lambda text: click.echo(f"gembill: {text}", err=True), lambda _: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("importing"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=_size(files))
        yield _Screen(
            lambda text: console.print(f"gembill: {text}", markup=False, highlight=False, soft_wrap=True),
            lambda count: progress.advance(task, count),
        )


def _size(files: tuple[str, ...]) -> int | None:
    """The bytes of all files; None where one of them does not say."""
    if _STDIN in files or not all(Path(name).is_file() for name in files):
        return None
    return sum(os.stat(name).st_size for name in files)  # noqa: PTH116 - beside `is_file`, and follows links alike

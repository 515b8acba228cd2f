"""The command `gembill export`.

Owns: its flags, the progress bar and where the text goes. Owns no form (`gembill_reports.exports`). Invariant: a file
that was named is complete or not there: it is written beside its place and moved when it is whole.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from gembill.cli.options import Choice, database_url_option, selection_options
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.ledger import Ledger, LedgerRecord, Selection
    from gembill.period import Period


@click.command()
@selection_options
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "focus"]), required=True, help="What to write.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to a file."
)
@click.option("--billing-account", default="unknown", show_default=True, help="Who pays, for FOCUS; we cannot know it.")
@database_url_option
def export(choice: Choice, form: str, output: Path | None, billing_account: str, database_url: str | None) -> None:
    """Write calls or charges for other programs.

    \b
    csv    a line per call, all its fields
    jsonl  a JSON document per call and line
    focus  a line per charge in the columns of FOCUS 1.2 (FinOps); calls
           without a known cost have none and are counted on stderr

    Costs are estimates at list price. Text that a spreadsheet would run as a formula begins with a quote sign.
    """
    from gembill.config import load
    from gembill.ledger import open_ledger

    settings = load({"database_url": database_url})
    period = choice.period()
    ledger = open_ledger(settings.ledger_url, read_only=True)
    try:
        with _target(output) as stream, _counted(ledger, choice.selection(period)) as found:
            _pour(_pieces(ledger, settings, found, form=form, period=period, account=billing_account), stream)
        if form == "focus":
            _warn(ledger, choice.selection(period))
    finally:
        ledger.close()


def _pieces(
    ledger: Ledger, settings: Settings, found: Iterable[LedgerRecord], *, form: str, period: Period, account: str
) -> Iterator[str]:
    from gembill.price_catalog import rows_of
    from gembill_reports.exports import records as forms

    if form == "csv":
        return forms.csv(found)
    if form == "jsonl":
        return forms.jsonl(found)
    return forms.focus_csv(ledger, found, partial(rows_of, ledger, settings), period.zone, account)


@contextlib.contextmanager
def _counted(ledger: Ledger, selection: Selection) -> Iterator[Iterable[LedgerRecord]]:
    """The calls, with a progress bar on a terminal's stderr while they pass."""
    from gembill.ledger import read

    found = read.records(ledger, selection)
    if not sys.stderr.isatty():
        yield found
        return
    calls = read.totals(ledger, selection)[0].calls
    with click.progressbar(found, length=calls, label="calls", file=sys.stderr, update_min_steps=200) as shown:
        yield shown


@contextlib.contextmanager
def _target(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        part.replace(output)
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}; name another with --output") from None
    finally:
        part.unlink(missing_ok=True)
    click.echo(f"gembill: wrote {output}", err=True)


def _pour(pieces: Iterable[str], stream: TextIO) -> None:
    if stream is sys.stdout:
        from gembill_reports.layout import screen

        screen.write(pieces)
        return
    stream.writelines(pieces)


def _warn(ledger: Ledger, selection: Selection) -> None:
    """Say how many calls have no row, because their cost is not known."""
    from gembill.ledger import read

    total = read.totals(ledger, selection)[0]
    if total.unpriced_calls or total.incomplete_calls:
        missing = f"{total.unpriced_calls} unpriced and up to {total.incomplete_calls} incomplete calls"
        click.echo(f"gembill: {missing} have no charge and are not in the export", err=True)

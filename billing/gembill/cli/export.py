"""The command `gembill export`.

Owns: its flags. Not here: the forms (`gembill_reports.exports`) and files (`gembill.cli.output`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gembill.cli.options import CallFilter, database_url_option, opened, selection_options
from gembill.cli.output import file_option, pour, target
from gembill.cli.progress import Progress
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.ledger import Ledger, LedgerRecord, Selection
    from gembill.period import Period
    from gembill_reports.analysis.reconciled_cells import ReconciledCells


@click.command()
@selection_options
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "focus"]), required=True, help="What to write.")
@file_option
@click.option(
    "--grain",
    type=click.Choice(["call", "day"]),
    help="Of focus: a line per charge of a call, or per day, model and meter.  [default: call]",
)
@click.option("--billing-account", default="unknown", show_default=True, help="Who pays, for FOCUS; we cannot know it.")
@database_url_option
def export(
    calls: CallFilter, form: str, path: Path | None, grain: str | None, billing_account: str, database_url: str | None
) -> None:
    """Write calls or charges for other programs.

    \b
    csv    a line per call, all its fields
    jsonl  a JSON document per call and line, which `gembill import`
           reads again
    focus  a line per charge in the columns of FOCUS 1.2 (FinOps); calls
           without a known cost have none and are counted on stderr

    Costs are estimates at list price; `x_CostBasis` of focus is `reconciled`
    where Google's bill (`gembill reconcile`) says the same. Text that a spreadsheet would run as a formula begins with
    a quote sign.
    """
    from gembill.price_catalog import rows_of
    from gembill_reports.exports.records import Export, ExportFormat, Grain

    period = calls.period()
    wanted = ExportFormat(form)
    if grain is not None and not wanted.has_charges_alone:
        raise ConfigurationError(f"--grain is about --format focus; {form} has a line per call")
    with opened(database_url) as (ledger, settings):
        selection = calls.selection(period, ledger)
        with target(path) as stream, _counted(ledger, selection) as records:
            prices_of = partial(rows_of, ledger, settings)
            facts = (ledger, records, prices_of, period.zone, billing_account, Grain(grain or Grain.CALL))
            agreed = _reconciled(ledger, settings, period) if wanted is ExportFormat.FOCUS else None
            made = Export(*facts) if agreed is None else Export(*facts, agreed.holds)
            pour(made.text(wanted), stream, wanted)
        if wanted.has_charges_alone:
            _warn(ledger, selection)
        _say_corrected(ledger, period, selection)


def _reconciled(ledger: Ledger, settings: Settings, period: Period) -> ReconciledCells:
    """What of the period is on Google's bill as it is here."""
    from gembill.price_catalog import book_in_force
    from gembill_reports.analysis.reconciled_cells import reconciled_cells
    from gembill_reports.analysis.reconciliation import pacific_day

    start, end = period.start_us, period.end_us
    days = (None if start is None else pacific_day(start), None if end is None else pacific_day(end - 1))
    return reconciled_cells(ledger, book_in_force(ledger, settings), days, time.time_ns() // 1000)


@contextlib.contextmanager
def _counted(ledger: Ledger, selection: Selection) -> Iterator[Iterable[LedgerRecord]]:
    """The calls; how far they are is said while they pass."""
    from gembill.ledger import read_records, read_totals

    calls = read_totals(ledger, selection)[0].calls
    with Progress("calls", calls) as progress:

        def passing() -> Iterator[LedgerRecord]:
            for number, stored in enumerate(read_records(ledger, selection), 1):
                yield stored
                progress.reach(number)

        yield passing()


def _say_corrected(ledger: Ledger, period: Period, selection: Selection) -> None:
    """Say that calls of a closed month are as they are today, which is not what its statement says."""
    from gembill.ledger import read_closings

    if not read_closings(ledger):
        return
    from gembill_reports.analysis.closed_months import ClosedMonths, closed_months
    from gembill_reports.views.closing import notes

    said = closed_months(ledger, period, selection)
    corrected = tuple(month for month in said.months if month.is_corrected) if said else ()
    for note in notes(ClosedMonths(corrected)):
        click.echo(f"gembill: calls are as they are today. {note}", err=True)


def _warn(ledger: Ledger, selection: Selection) -> None:
    """Say how many calls have no row, because their cost is not known."""
    from gembill.ledger import read_totals

    total = read_totals(ledger, selection)[0]
    if total.unpriced_calls or total.incomplete_calls:
        missing = f"{total.unpriced_calls} unpriced and up to {total.incomplete_calls} incomplete calls"
        click.echo(f"gembill: {missing} have no charge and are not in the export", err=True)

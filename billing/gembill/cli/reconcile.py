"""`gembill reconcile`: Google's own bill, held against the ledger.

Owns: the command, taking files in, and its exit codes. Not here: readers and rules (`gembill.reconcile`), SQL, layout.
Invariant: it changes nothing but the tables of bills; no credential and no network is used.
"""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gembill.cli.options import CallFilter, database_url_option, opened, together
from gembill.cli.output import Output, output_options
from gembill.cli.progress import Progress
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gembill.ledger import BillFile, Ledger, Selection
    from gembill.reconcile.bill_line import BillForm
    from gembill.reconcile.comparison import Comparison
    from gembill.rules.prices import PriceBook
    from gembill_reports.analysis.reconciliation import BillScope

RESIDUE_EXIT, OPEN_EXIT = 10, 12
_FORM_WORDS = {
    "bigquery": "BigQuery export",
    "focus": "FOCUS export",
    "cost_table": "cost table",
    "reports": "report",
}
_RATE = re.compile(r"([A-Z]{3})=([0-9]{1,12}(?:\.[0-9]{1,12})?)")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")


@dataclass(frozen=True, slots=True)
class BillFlags:
    """What is compared and how strictly, as given."""

    project: str | None
    location: str | None
    currency: str | None
    rate: str | None
    tolerance: str | None
    bill_form: str | None
    as_of: str | None
    infer: bool
    explain: int | None
    calls: Path | None
    credential: tuple[str, ...]


_BILL = (
    click.option(
        "--project", metavar="ID", help="Only lines and calls of this project; also which one a report was filtered to."
    ),
    click.option("--location", metavar="NAME", help="Only lines and calls of this location, like us-central1."),
    click.option("--currency", metavar="CODE", help="Only lines in this currency."),
    click.option("--rate", metavar="EUR=0.92", help="Units for one dollar, where the bill does not say."),
    click.option(
        "--tolerance", metavar="SHARE", help="Money without a name that the exit code passes over, like 0.5%."
    ),
    click.option(
        "--bill-form",
        type=click.Choice(["bigquery", "focus", "cost_table", "reports"]),
        help="The kind of file, where the ledger holds several.  [default: the finest]",
    ),
    click.option("--as-of", "as_of", metavar="DATE", help="When the bill was written.  [default: today]"),
    click.option(
        "--explain", type=click.IntRange(1), metavar="LINE", help="Instead: the calls behind this line of FILE."
    ),
    click.option(
        "--calls",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Instead: numbers of calls as Cloud Monitoring counted them, to find those that went past the proxy.",
    ),
    click.option("--credential", multiple=True, metavar="ID=KEY", help="Which key a credential of --calls is."),
    click.option("--infer", is_flag=True, help="Say which policies the bill agrees with. Nothing is set."),
)
_CALLS = (
    click.option("--since", metavar="DATE", help="From this day on."),
    click.option("--until", metavar="DATE", help="Up to this day, which is not included."),
    click.option("--month", metavar="YYYY-MM", help="A whole month of usage."),
    click.option("--key", multiple=True, metavar="NAME", help="Only calls with this API key. Repeatable."),
    click.option("--label", multiple=True, metavar="NAME=VALUE", help="Only calls with this label. Repeatable."),
)


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...", type=click.Path(path_type=Path))
@together("flags", BillFlags, _BILL)
@together("calls", CallFilter, _CALLS)
@output_options()
@database_url_option
@click.pass_context
def reconcile(
    ctx: click.Context,
    files: tuple[Path, ...],
    flags: BillFlags,
    calls: CallFilter,
    output: Output,
    database_url: str | None,
) -> None:
    """Hold Google's bill against the ledger, and name what is between them.

    \b
    FILE is recognised by its content:
      cost table   CSV of an invoice month, from the billing console
      report       CSV by SKU and day, from the billing console
      BigQuery     standard or detailed export: CSV, JSON Lines, Parquet
      FOCUS        Google's own export of FOCUS 1.2, likewise

    Files are kept in the ledger: the same one twice changes nothing, a revised one takes the place of the first.
    Without FILE what is kept is compared. Tokens are compared first, then money by the bill's own exchange rate. Days
    that ended less than 48 hours ago are open and not compared.

    Exits 0 if no token and less than a cent is without a name, 10 if there is more, and 12 if all days are open or an
    SKU is not known.
    """
    from gembill.ledger import holds_demo_data
    from gembill.price_catalog import book_in_force
    from gembill_reports.analysis.reconciliation import reconcile as compared
    from gembill_reports.views.reconciliation import ReconciliationView, inference_notes, proposals

    if flags.calls is not None:
        ctx.exit(_witness(flags.calls, flags.credential, output, database_url))
    with opened(database_url, read_only=not files) as (ledger, settings):
        days = _days(calls)
        bills = [take_in(ledger, path, flags.project or "", days) for path in files]
        scope = replace(_scope(flags, days, bills), selection=_selection(calls), keep=bool(files))
        if flags.explain is not None:
            _explain(ledger, book_in_force(ledger, settings), flags.explain, bills, output)
            return
        with Progress("calls summed", None) as progress, ExitStack() as later:
            scope = replace(scope, report=lambda done, total: progress.reach(done, f"{total:,} in all"))
            scope = replace(scope, report_results=_begun_later("calls looked at for results", later))
            comparison = compared(ledger, book_in_force(ledger, settings), scope)
        output.write(ReconciliationView(_form(ledger, scope), comparison, demo=holds_demo_data(ledger)))
    for command in proposals(comparison):
        click.echo(f"gembill: the bill has another price than the list; to take it over: {command}", err=True)
    if flags.infer:
        for note in inference_notes(comparison):
            click.echo(f"gembill: {note}", err=True)
    ctx.exit(exit_code(comparison, flags.tolerance))


def _begun_later(what: str, stack: ExitStack) -> Callable[[int, int], None]:
    """Progress of work that may come, whose rate counts from its first report on."""
    begun: list[Progress] = []

    def report(done: int, total: int) -> None:
        if not begun:
            begun.append(stack.enter_context(Progress(what, total)))
        begun[0].reach(done)

    return report


def _witness(path: Path, credentials: tuple[str, ...], output: Output, database_url: str | None) -> int:
    """Compare numbers of calls; the exit code."""
    from gembill.ledger import holds_demo_data
    from gembill.reconcile.monitoring import read_calls
    from gembill_reports.analysis.second_witness import witnessed
    from gembill_reports.views.second_witness import SecondWitnessView

    pairs = [text.rpartition("=") for text in credentials]
    if not all(name and key for name, _, key in pairs):
        raise ConfigurationError("--credential is written ID=KEY, such as apikey:0123=team-a")
    with opened(database_url) as (ledger, _):
        days = witnessed(ledger, read_calls(path), {name: key for name, _, key in pairs})
        view = SecondWitnessView(days, demo=holds_demo_data(ledger))
    output.write(view)
    return RESIDUE_EXIT if any(one.past for one in days) else 0


def take_in(ledger: Ledger, path: Path, project: str, days: tuple[int | None, int | None] = (None, None)) -> BillFile:
    """Keep a file and say on stderr what became of it. `days` are those of a report that names none."""
    from gembill.ledger import BillFile, add_bill
    from gembill.reconcile.bill_files import checked, digest, open_bill
    from gembill.reconcile.bill_line import BillForm

    first, last = days
    span = None if first is None or last is None else (first, last)
    kind = open_bill(path).form
    mark = f"@{first}-{last}" if span and kind is BillForm.REPORTS else ""
    file = BillFile(digest=digest(path) + mark, name=path.name, form=kind, project=project)
    with Progress(f"lines of {path.name}", None) as progress:
        result = add_bill(ledger, file, lambda: checked(open_bill(path, span), path.name), progress.reach)
    if not result.fresh:
        click.echo(f"gembill: {path.name} is known already, {result.lines:,} lines", err=True)
        return file
    again = f", in the place of {result.replaced:,} earlier ones" if result.replaced else ""
    click.echo(f"gembill: {path.name}: {result.lines:,} lines of a {_FORM_WORDS[kind.value]}{again}", err=True)
    for change in result.changes[:10]:
        click.echo(f"gembill: revised: {_change(change)}", err=True)
    return file


def _explain(ledger: Ledger, book: PriceBook, number: int, bills: list[BillFile], output: Output) -> None:
    from gembill.ledger import holds_demo_data
    from gembill_reports.analysis.bill_line_calls import explain_line
    from gembill_reports.views.bill_line_calls import BillLineView

    named = bills[-1].digest if bills else None
    output.write(BillLineView(explain_line(ledger, book, number, named), demo=holds_demo_data(ledger)))


def _change(change: object) -> str:
    from gembill.ledger import BillChange
    from gembill.reconcile.numerals import day_text
    from gembill.reconcile.synthetic import decimal_text

    assert isinstance(change, BillChange)
    sums = f"{decimal_text(change.amount_micro, 6)} units, {decimal_text(change.cost_pico, 12)} {change.currency}"
    return f"{change.sku} of {day_text(change.first_day)}: {sums}"


def _form(ledger: Ledger, scope: BillScope) -> BillForm:
    from gembill.ledger import bill_days
    from gembill.reconcile.bill_line import BillForm

    return scope.form or next(each for each in BillForm if each in bill_days(ledger))


def _days(calls: CallFilter) -> tuple[int | None, int | None]:
    """The first and the last day of the period that was named."""
    from gembill_reports.analysis.reconciliation import pacific_day

    period = calls.period()
    return (
        None if period.start_us is None else pacific_day(period.start_us),
        None if period.end_us is None else pacific_day(period.end_us - 1),
    )


def _selection(calls: CallFilter) -> Selection:
    from gembill.ledger import Selection
    from gembill.model import chosen_labels

    return Selection(keys=calls.key, labels=chosen_labels(calls.label, "--label"))


def _scope(flags: BillFlags, days: tuple[int | None, int | None], bills: list[BillFile]) -> BillScope:
    from gembill.period import instant, zone
    from gembill.reconcile.bill_line import BillForm
    from gembill_reports.analysis.reconciliation import BillScope, pacific_day

    now_us = time.time_ns() // 1000 if flags.as_of is None else instant(flags.as_of, zone(), name="--as-of")
    given = (
        BillForm(flags.bill_form)
        if flags.bill_form
        else min((bill.form for bill in bills), key=list(BillForm).index, default=None)
    )
    return BillScope(
        now_day=pacific_day(now_us),
        days=days,
        form=given,
        project=flags.project,
        location=flags.location,
        currency=flags.currency,
        rate=None if flags.rate is None else _rate(flags.rate, flags.currency),
        infer=flags.infer,
    )


def _rate(text: str, currency: str | None) -> Fraction:
    written = _RATE.fullmatch(text.strip())
    if written is None or not Fraction(written[2]):
        raise ConfigurationError(f"--rate is '{text}'; write units of a currency for one dollar, like EUR=0.92")
    if currency is not None and written[1] != currency:
        raise ConfigurationError(f"--rate is for {written[1]} and --currency is {currency}; name one currency")
    return Fraction(written[2])


def exit_code(comparison: Comparison, tolerance: str | None) -> int:
    """0 reconciled, 10 with a residue that has no name, 12 if nothing could be compared or an SKU is unknown."""
    from gembill.reconcile.residue import Name

    if comparison.days is not None and not comparison.is_reconciled:
        if tolerance is None:
            return RESIDUE_EXIT
        money = sum(abs(one.money) for one in comparison.residues if one.name == Name.UNEXPLAINED)
        if money > _share(tolerance) * abs(comparison.billed):
            return RESIDUE_EXIT
    return OPEN_EXIT if comparison.days is None or comparison.unknown_skus else 0


def _share(text: str) -> Fraction:
    written = _SHARE.fullmatch(text.strip())
    if written is None:
        raise ConfigurationError(f"--tolerance is '{text}'; write it like 0.5%")
    return Fraction(written[1]) / 100

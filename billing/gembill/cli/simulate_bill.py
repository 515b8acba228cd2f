"""`gembill simulate bill`: what Google would have sent for the calls of a ledger.

Owns: the command. Not here: what is billed and how it is written (`gembill.reconcile.synthetic`, `synthetic_files`).
Invariant: the ledger is only read, and the same flags give the same file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gembill.cli.options import database_url_option, opened, together
from gembill.cli.output import file_option, target
from gembill.errors import ConfigurationError
from gembill.reconcile.hypothesis import Policy
from gembill.reconcile.synthetic import BillOptions

if TYPE_CHECKING:
    from gembill.reconcile.comparison import Ours

_RATE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def _policies(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> frozenset[Policy]:
    return frozenset(Policy(name) for name in names)


def _rate(_: click.Context, __: click.Parameter, text: str) -> str:
    if not _RATE.fullmatch(text) or not text.strip("0."):
        raise click.BadParameter(f"'{text}' is not a rate; write units of the currency for one dollar, like 0.92")
    return text


_OPTIONS = (  # named as the fields of `BillOptions`
    click.option(
        "--policy",
        "policies",
        multiple=True,
        type=click.Choice([policy.value for policy in Policy]),
        callback=_policies,
        help="Bill by this departure from what the ledger takes for granted. Repeatable.",
    ),
    click.option("--lag-days", type=click.IntRange(0), default=0, help="Leave out the last days, as not exported yet."),
    click.option("--currency", default="USD", show_default=True, metavar="CODE", help="The currency of the bill."),
    click.option("--rate", default="1", show_default=True, callback=_rate, help="Units of it for one dollar."),
    click.option("--free-searches", type=click.IntRange(0), default=0, help="Searches a day that cost nothing."),
    click.option("--bypass", type=click.IntRange(0), default=0, help="Calls that the ledger never saw."),
    click.option("--corrected", is_flag=True, help="Bill a part of some rows late, in rows of their own."),
    click.option("--tax-percent", type=click.IntRange(0, 100), default=0, help="A line of tax for each month."),
    click.option(
        "--project", default="made-up-project", show_default=True, help="The project of calls that name none."
    ),
    click.option("--seed", type=int, default=1, show_default=True, help="Other seeds bill other strangers."),
)


@click.command()
@click.option("--month", metavar="YYYY-MM", help="Only the usage of this month.")
@click.option(
    "--bill-form",
    type=click.Choice(["bigquery", "focus", "cost_table", "reports"]),
    default="bigquery",
    show_default=True,
    help="The kind of file.",
)
@together("options", BillOptions, _OPTIONS)
@file_option
@database_url_option
def bill(month: str | None, bill_form: str, options: BillOptions, path: Path | None, database_url: str | None) -> None:
    """Write the bill that Google would have sent for the calls of a ledger, to rehearse `gembill reconcile`.

    Everything on it is made up from the ledger's own charges at list prices, and departs from them only as asked for.
    """
    from gembill.price_catalog import book_in_force
    from gembill.reconcile.bill_line import BillForm
    from gembill.reconcile.synthetic import make_bill
    from gembill.reconcile.synthetic_files import written
    from gembill_reports.analysis.reconciliation import charged

    with opened(database_url) as (ledger, settings):
        ours: Ours = charged(ledger, month)
        lines = make_bill(ours.usages, ours.results, book_in_force(ledger, settings), options)
    if not lines:
        raise ConfigurationError("the ledger has no charges then, so there is nothing to bill")
    with target(path) as stream:
        stream.write(written(lines, BillForm(bill_form)))

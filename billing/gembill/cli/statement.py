"""`gembill statement`: what each team or customer used in a month, and owes.

Owns: the command and what its flags mean. Not here: amounts and layout (`gembill_reports`).
"""

from __future__ import annotations

import re
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from gembill.cli import hints
from gembill.cli.options import FILTERS, CallFilter, database_url_option, opened, together, tz_option
from gembill.cli.output import Output, output_options
from gembill.errors import ConfigurationError
from gembill_reports.views.view import USUAL, Format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gembill.period import Period
    from gembill_reports.layout.sheet import Sheet

_SHARED = ("by-cost", "evenly", "apart")
_PERCENT = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,6})?)%", re.ASCII)
_CALLS = (
    click.option("--month", metavar="YYYY-MM", help="The month that is stated.  [default: the last one]"),
    tz_option,
    click.option("--model", multiple=True, metavar="NAME", help="Only this model; * stands for anything. Repeatable."),
    *FILTERS,
)


@click.command()
@click.option("--by", required=True, metavar="GROUP", help="Whose: label.team, label.customer, key, project, ...")
@together("calls", CallFilter, _CALLS)
@click.option(
    "--shared",
    type=click.Choice(_SHARED),
    default="by-cost",
    show_default=True,
    help="What becomes of the cost of calls that name nobody: spread in proportion to cost, or evenly, or apart.",
)
@click.option("--markup", default="0%", show_default=True, metavar="PERCENT", help="Added to each amount, like 12.5%.")
@output_options(*USUAL, Format.HTML, file=True, text="How to write it. html is one file that needs nothing else.")
@database_url_option
def statement(by: str, calls: CallFilter, shared: str, markup: str, output: Output, database_url: str | None) -> None:
    """State what each team or customer used in a month, what it cost, and its part of shared cost.

    Calls that name nobody are shared cost, which is spread by a rule that the statement names. A closed month is stated
    as it was closed; corrections made later are adjustments in the statement of the month they are made in. All amounts
    add up to the last digit.

    \b
    gembill statement --by label.team --month 2026-10 --format html -o october.html
    """
    from gembill.ledger import holds_demo_data
    from gembill_reports.analysis.statement import SharedRule, StatementTerms
    from gembill_reports.analysis.statement import statement as stated
    from gembill_reports.views.statement import StatementView

    terms = StatementTerms(_group(by), SharedRule(shared), _share(markup))
    now_us = time.time_ns() // 1000
    period = calls.period() if calls.month is not None else _last_month(calls.tz, now_us)
    with opened(database_url) as (ledger, _):
        made = stated(ledger, period, calls.selection(period, ledger), terms)
        demo = holds_demo_data(ledger)

        def page(sheets: Sequence[Sheet]) -> str:
            from gembill_reports.dashboard.html_report import sheets_page

            return sheets_page(sheets, now_us, demo=demo)

        output.write(StatementView(made, page))
        hints.about_groups(ledger, made.report)


def _last_month(tz: str | None, now_us: int) -> Period:
    from gembill.period import zone
    from gembill.period_words import spoken

    return spoken("last-month", zone(tz), now_us)


def _group(by: str) -> str:
    from gembill_reports.analysis.report import TIMES, groups

    (name, *more) = groups(by.split(","))
    if more or name in TIMES:
        raise ConfigurationError(f"--by is '{by}'; a statement is by one of label.NAME, key, project, model, ...")
    return name


def _share(text: str) -> Fraction:
    written = _PERCENT.fullmatch(text.strip())
    if written is None:
        raise ConfigurationError(f"--markup is '{text}'; write a percentage, like 12.5%")
    return Fraction(written[1]) / 100

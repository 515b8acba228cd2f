"""`gembill report`: calls summed up.

Owns: the command, and which period and rows it shows where none are named. Not here: sums and layout.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from gembill.cli import hints
from gembill.cli.options import CallFilter, database_url_option, opened, selection_options
from gembill.cli.output import Output, output_options
from gembill_reports.views.view import USUAL, Format

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.ledger import Ledger, Selection
    from gembill.period import Period
    from gembill_reports.analysis.closed_months import ClosedMonths
    from gembill_reports.analysis.forecast import Forecast
    from gembill_reports.views.report import ReportView

STRICT_EXIT = 12
_UNITS = {"daily": "day", "weekly": "week", "monthly": "month"}
_WEEKS = 8


@click.command()
@click.argument("span", type=click.Choice(list(_UNITS)))
@click.option(
    "--by",
    multiple=True,
    metavar="GROUPS",
    help="Rows by model, api, operation, service_tier, status, key, location, project, label.NAME, hour, day, week, "
    "month; with commas.",
)
@selection_options
@output_options(
    *USUAL,
    Format.HTML,
    file=True,
    text="How to write it. Money in JSON and CSV is exact; html is one file that needs nothing else.",
)
@click.option("--compare", is_flag=True, help="Beside the period before; an unfinished one with as much of it.")
@click.option("--strict", is_flag=True, help="Exit 12 if calls of the period have no price or may lack tokens.")
@database_url_option
def report(
    span: str,
    by: tuple[str, ...],
    calls: CallFilter,
    output: Output,
    *,
    compare: bool,
    strict: bool,
    database_url: str | None,
) -> None:
    """Sum up calls by day, week or month.

    \b
    daily    a row per day of this month (or of the period named)
    weekly   a row per week, which begins on Monday, of the last 8 weeks
    monthly  a row per model of this month; over several months a row per
             month and model

    --by model gives daily and weekly reports a row per day or week and model, and monthly reports a row per model. Days
    and months are Google's (US Pacific) unless --tz names another zone; a period without an end runs to the end of the
    current day, week or month. For a month that is not over, a forecast of its cost is shown below, once there are
    five whole days to go by; it knows prices that are announced to change.
    """
    now_us = time.time_ns() // 1000
    period = period_of(span, calls, now_us)
    groups = groups_of(span, by, period)
    with opened(database_url) as (ledger, settings):
        question = _Question(period, groups, calls.selection(period, ledger), now_us)
        view = _view(ledger, settings, question, compare=compare)
        output.write(view)
        hints.about_groups(ledger, view.report)
    total = view.report.total
    if view.report.strictly_complete:
        return
    if output.form.is_data:  # the others name these calls in their notes
        click.echo(f"gembill: {total.unpriced_calls} unpriced and {total.incomplete_calls} incomplete calls", err=True)
        if view.report.dead_letters:
            click.echo(f"gembill: {view.report.dead_letters} dead letters", err=True)
    if strict:
        click.echo(f"gembill: --strict: the period is not complete (exit {STRICT_EXIT})", err=True)
        raise SystemExit(STRICT_EXIT)


def period_of(span: str, calls: CallFilter, now_us: int) -> Period:
    """The period of a report: as named, or the current month (weekly: the last 8 weeks), closed at its end."""
    from gembill.period import Period, Unit, containing

    period = calls.period()
    unit = Unit(_UNITS[span])
    if not calls.timeless:
        if period.end_us is None:
            period = replace(period, end_us=containing(unit, max(now_us, period.start_us or 0), period.zone).end_us)
        return period
    if unit is not Unit.WEEK:
        return containing(Unit.MONTH, now_us, period.zone)
    week = containing(unit, now_us, period.zone)
    first = week
    for _ in range(_WEEKS - 1):
        assert first.start_us is not None
        first = containing(unit, first.start_us - 1, period.zone)
    return Period(first.start_us, week.end_us, period.zone)


def groups_of(span: str, by: Iterable[str], period: Period) -> tuple[str, ...]:
    """The groups of a report: as named, with the day, week or month before them where the report is cut by it."""
    from gembill.period import Unit, containing
    from gembill_reports.analysis.report import TIMES, groups

    named = groups(name for flag in by for name in flag.split(","))
    unit = Unit(_UNITS[span])
    if set(named) & set(TIMES):
        return named
    if unit is not Unit.MONTH:
        return (unit.value, *named)
    named = named or ("model",)
    start, end = period.start_us, period.end_us
    if start is not None and end is not None and end <= (containing(unit, start, period.zone).end_us or end):
        return named
    return (unit.value, *named)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is to be summed up, and when that was asked."""

    period: Period
    groups: tuple[str, ...]
    selection: Selection
    now_us: int


def _view(ledger: Ledger, settings: Settings, question: _Question, *, compare: bool) -> ReportView:
    from gembill_reports.analysis.report import report as summed_up
    from gembill_reports.views.report import ReportView

    selection, now_us = question.selection, question.now_us
    report = summed_up(ledger, question.period, question.groups, selection=selection)
    before = None
    if compare:
        from gembill_reports.analysis.previous_period import predecessor

        before = predecessor(ledger, report, now_us, selection=selection)
    closed = _closed(ledger, question)

    def page() -> str:
        from gembill.price_catalog import book_in_force
        from gembill_reports.dashboard import html_report
        from gembill_reports.dashboard.query import PageQuery
        from gembill_reports.views.closing import notes

        query = PageQuery(period=question.period, selection=selection, now_us=now_us)
        return html_report.page(
            ledger, report, query, book_in_force(ledger, settings), before, notes(closed) if closed else ()
        )

    return ReportView(report, before, _forecast(ledger, settings, question), page, closed)


def _closed(ledger: Ledger, question: _Question) -> ClosedMonths | None:
    """What is to be said of closed months; None where no month was closed, as in most ledgers."""
    from gembill.ledger import read_closings

    if not read_closings(ledger):
        return None
    from gembill_reports.analysis.closed_months import closed_months

    return closed_months(ledger, question.period, question.selection, question.groups)


def _forecast(ledger: Ledger, settings: Settings, question: _Question) -> Forecast | None:
    """What the month under way will have cost; None for other periods, or too early in the month."""
    from gembill.period import Unit, containing

    period, now_us = question.period, question.now_us
    if period != containing(Unit.MONTH, now_us, period.zone):
        return None
    from gembill.price_catalog import book_in_force
    from gembill_reports.analysis import forecast, report

    days = report.report(ledger, period, forecast.GROUPS, selection=question.selection)
    return forecast.forecast(days, now_us, book_in_force(ledger, settings))

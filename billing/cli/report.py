"""`gembill report`: calls summed up.

Owns: the command, and which period and rows it shows when it is not told. Owns no sum and no layout.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from billing.cli.options import Choice, database_url_option, format_option, selection_options

if TYPE_CHECKING:
    from billing.period import Period
    from reports.totals import Report

STRICT_EXIT = 12
_UNITS = {"daily": "day", "weekly": "week", "monthly": "month"}
_WEEKS = 8


@click.command()
@click.argument("span", type=click.Choice(list(_UNITS)))
@click.option(
    "--by",
    multiple=True,
    metavar="GROUPS",
    help="Rows by model, api, operation, service_tier, status, key, label.NAME, hour, day, week, month; with commas.",
)
@selection_options
@format_option
@click.option("--strict", is_flag=True, help="Exit 12 if calls of the period have no price or may lack tokens.")
@database_url_option
@click.pass_context
def report(ctx: click.Context, /, span: str, choice: Choice, **flags: object) -> None:
    """Sum up calls by day, week or month.

    \b
    daily    a row per day of this month (or of the period named)
    weekly   a row per week, which begins on Monday, of the last 8 weeks
    monthly  a row per model of this month; over several months a row per
             month and model

    --by model gives daily and weekly reports a row per day or week and model, and monthly reports a row per model. Days
    and months are Google's (US Pacific) unless --tz names another zone; a period without an end runs to the end of the
    current day, week or month.
    """
    found = _report(span, choice, flags)
    form = flags["form"]
    _write(found, str(form))
    if found.strictly_complete:
        return
    if form in ("json", "csv"):
        total = found.total
        click.echo(f"gembill: {total.unpriced_calls} unpriced and {total.incomplete_calls} incomplete calls", err=True)
    if flags["strict"]:
        click.echo(f"gembill: --strict: the period is not complete (exit {STRICT_EXIT})", err=True)
        ctx.exit(STRICT_EXIT)


def period_of(span: str, choice: Choice, now_us: int) -> Period:
    """The period of a report: as named, or the current month (weekly: the last 8 weeks), closed at its end."""
    from billing.period import Period, Unit, containing

    period = choice.period()
    unit = Unit(_UNITS[span])
    if not choice.timeless:
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
    from billing.period import Unit, containing
    from reports.totals import TIMES, groups

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


def _report(span: str, choice: Choice, flags: dict[str, object]) -> Report:
    from billing.config import database_url as configured
    from billing.ledger import open_ledger
    from reports import totals

    url, by = flags["database_url"], flags["by"]
    assert isinstance(url, str | None)
    assert isinstance(by, tuple)
    period = period_of(span, choice, time.time_ns() // 1000)
    groups = groups_of(span, by, period)
    selection = choice.selection(period)
    ledger = open_ledger(configured(url), read_only=True)
    try:
        return totals.report(ledger, period, groups, selection=selection)
    finally:
        ledger.close()


def _write(found: Report, form: str) -> None:
    from reports import screen, totals
    from reports.summary import sheet
    from reports.tables import csv_lines, flat

    if form == "json":
        screen.write([json.dumps(totals.as_dict(found), indent=2), "\n"])
    elif form == "csv":
        header = [*found.by, *flat(totals.row_dict(replace(found.total, group={})))]
        screen.write(csv_lines(header, ({**flat(totals.row_dict(row))} for row in found.rows)))
    elif form == "markdown":
        screen.write([sheet(found).markdown()])
    else:
        screen.write([sheet(found).terminal(screen.width(), color=screen.colored())])

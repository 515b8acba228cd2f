"""`gembill report`: calls summed up.

Owns: the command, and which period and rows it shows when it is not told. Owns no sum and no layout.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gembill.cli.options import Choice, database_url_option, selection_options
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.ledger import Ledger, Selection, Total
    from gembill.period import Period
    from gembill_reports.analysis.forecast import Forecast
    from gembill_reports.analysis.previous_period import PreviousPeriod
    from gembill_reports.analysis.report import Report

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
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "markdown", "html"]),
    default="table",
    show_default=True,
    help="How to write it. Money in JSON and CSV is exact; html is one file that needs nothing else.",
)
@click.option("--compare", is_flag=True, help="Beside the period before; an unfinished one with as much of it.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to a file instead."
)
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
    current day, week or month. For a month that is not over, a forecast of its cost stands beneath, once there are
    five whole days to go by; it knows prices that are announced to change.
    """
    form, output = str(flags["form"]), flags["output"]
    assert isinstance(output, Path | None)
    found, pieces = _made(span, choice, flags)
    _deliver(pieces, output)
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
    from gembill.period import Period, Unit, containing

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


def _made(span: str, choice: Choice, flags: dict[str, object]) -> tuple[Report, list[str]]:
    """The report, and its text in the form asked for."""
    from gembill.config import load
    from gembill.ledger import open_ledger
    from gembill_reports.analysis import previous_period, report

    url, by, now_us = flags["database_url"], flags["by"], time.time_ns() // 1000
    assert isinstance(url, str | None)
    assert isinstance(by, tuple)
    period = period_of(span, choice, now_us)
    groups = groups_of(span, by, period)
    selection = choice.selection(period)
    settings = load({"database_url": url})
    ledger = open_ledger(settings.ledger_url, read_only=True)
    try:
        found = report.report(ledger, period, groups, selection=selection)
        if flags["form"] == "html":
            return found, [_html(ledger, settings, found, selection, now_us)]
        before = previous_period.predecessor(ledger, found, now_us, selection=selection) if flags["compare"] else None
        coming = _forecast(ledger, settings, found, selection, now_us)
        return found, _written(found, str(flags["form"]), before, coming)
    finally:
        ledger.close()


def _forecast(ledger: Ledger, settings: Settings, found: Report, selection: Selection, now_us: int) -> Forecast | None:
    """What the month under way will have cost; None for other periods, or too early in the month."""
    from gembill.period import Unit, containing
    from gembill.price_catalog import book_in_force
    from gembill_reports.analysis import forecast, report

    if found.period != containing(Unit.MONTH, now_us, found.period.zone):
        return None
    days = report.report(ledger, found.period, forecast.GROUPS, selection=selection)
    return forecast.forecast(days, now_us, book_in_force(ledger, settings))


def _html(ledger: Ledger, settings: Settings, found: Report, selection: Selection, now_us: int) -> str:
    from gembill.price_catalog import book_in_force
    from gembill_reports.dashboard.html_report import page
    from gembill_reports.dashboard.query import PageQuery

    view = PageQuery(period=found.period, selection=selection, now_us=now_us)
    return page(ledger, found, view, book_in_force(ledger, settings))


def _written(found: Report, form: str, before: PreviousPeriod | None, coming: Forecast | None) -> list[str]:
    from gembill_reports.layout import screen
    from gembill_reports.views.report import sheet

    if form == "json":
        return [json.dumps(_shape(found, before, coming), indent=2), "\n"]
    if form == "csv":
        return list(_csv(found, before))
    shown = sheet(found, before, coming)
    return [shown.markdown() if form == "markdown" else shown.terminal(screen.width(), color=screen.colored())]


def _shape(found: Report, before: PreviousPeriod | None, coming: Forecast | None) -> dict[str, Any]:
    from gembill_reports.analysis import forecast, previous_period, report

    shape = report.as_dict(found)
    if before is not None:
        shape["previous"] = previous_period.as_dict(before)
    if coming is not None:
        shape["forecast"] = forecast.as_dict(coming)
    return shape


def _csv(found: Report, before: PreviousPeriod | None) -> Iterator[str]:
    from gembill_reports.analysis import previous_period, report
    from gembill_reports.layout.tables import csv_lines, flat

    def row(one: Total) -> dict[str, Any]:
        beside = {} if before is None else previous_period.csv_columns(before, one)
        return {**flat(report.row_dict(one)), **beside}

    return csv_lines([*found.by, *row(replace(found.total, group={}))], map(row, found.rows))


def _deliver(pieces: Iterable[str], output: Path | None) -> None:
    from gembill_reports.layout import screen

    if output is None:
        screen.write(pieces)
        return
    try:
        output.write_text("".join(pieces), encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}; name another with --output") from None
    click.echo(f"gembill: wrote {output}", err=True)

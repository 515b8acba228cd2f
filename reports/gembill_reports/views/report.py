"""A report as people and scripts read it: its table and notes, its JSON and its CSV.

Owns: which columns a report shows, in which order they give way, the notes about the numbers, and the shape of a
report and of its rows in JSON and CSV (contract.md, Reports). Not here: sums and layout. Invariant: calls without a
price or with missing tokens are named below every report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gembill.ledger import Total
from gembill.model import COST_PARTS, CostParts, Tokens
from gembill.money import usd
from gembill_reports.analysis.report import Report
from gembill_reports.layout.sheet import DEMO, OUTPUT, WASTE, Footnote, Sheet, count, money, percent, rate
from gembill_reports.layout.tables import MISSING, Column, Table, flat
from gembill_reports.views import forecast, previous_period
from gembill_reports.views.period_texts import period_dict, words
from gembill_reports.views.view import Csv, Format, View

if TYPE_CHECKING:  # what may be beside a report and need not
    from gembill_reports.analysis.closed_months import ClosedMonths
    from gembill_reports.analysis.forecast import Forecast
    from gembill_reports.analysis.previous_period import PreviousPeriod

SCHEMA_VERSION = 1
_TOKENS = Tokens.__struct_fields__


@dataclass(frozen=True, slots=True)
class ReportView(View):
    """A report, if wanted beside the period before, with a forecast, and with a maker of its HTML page."""

    report: Report
    before: PreviousPeriod | None = None
    coming: Forecast | None = None
    page: Callable[[], str] | None = None
    closed: ClosedMonths | None = None

    def json(self) -> dict[str, Any]:
        """The report, and under `previous` and `forecast` what is beside it."""
        shape = report_dict(self.report)
        if self.before is not None:
            shape["previous"] = previous_dict(self.before)
        if self.coming is not None:
            shape["forecast"] = forecast.forecast_dict(self.coming)
        if self.closed is not None:
            from gembill_reports.views import closing

            shape |= closing.closed_dicts(self.closed)
        return shape

    def csv(self) -> Csv:
        """A row per row of the report; the total is not among them."""
        return csv_rows(self.report, self.before)

    def sheets(self) -> Sequence[Sheet]:
        """One table."""
        shown = sheet(self.report, self.before, self.coming)
        if self.closed is None:
            return [shown]
        from gembill_reports.views import closing

        return [replace(shown, notes=(*shown.notes, *closing.notes(self.closed)))]

    def special(self) -> Mapping[Format, Callable[[], Iterable[str]]]:
        """HTML, where there is a maker of it."""
        page = self.page
        return {} if page is None else {Format.HTML: lambda: [page()]}


def report_dict(report: Report) -> dict[str, Any]:
    """The report as JSON carries it: exact keys, money as decimal strings with 12 decimals."""
    return {
        "schema_version": SCHEMA_VERSION,
        "period": period_dict(report.period),
        "by": list(report.by),
        "rows": [row_dict(row) for row in report.rows],
        "total": row_dict(report.total),
    } | ({"demo_data": True} if report.demo else {})


def previous_dict(before: PreviousPeriod) -> dict[str, Any]:
    """The period before as JSON carries it."""
    return {
        "period": period_dict(before.report.period),
        "unfinished": before.unfinished,
        "rows": [row_dict(row) for row in before.report.rows],
        "total": row_dict(before.report.total),
    }


def row_dict(row: Total) -> dict[str, Any]:
    """One row as JSON carries it, the group's keys first."""
    return {
        **row.group,
        "calls": row.calls,
        "calls_code_execution": row.calls_code_execution,
        "tokens": {part: getattr(row.tokens, part) for part in _TOKENS},
        "executions": row.executions,
        "executions_failed": row.executions_failed,
        "cost_usd": usd(row.cost_pico),
        "cost": cost_dict(row.cost_parts),
        "failed_execution_cost_usd_estimate": usd(row.failed_execution_cost_pico),
        "unpriced_calls": row.unpriced_calls,
        "incomplete_calls": row.incomplete_calls,
    }


def cost_dict(parts: CostParts) -> dict[str, str | None]:
    """The parts of a cost as JSON carries them."""
    return {part: usd(getattr(parts, part)) for part in COST_PARTS}


def csv_rows(report: Report, before: PreviousPeriod | None = None) -> Csv:
    """The rows with their inner objects joined by `_`, and beside them the cost of the period before."""

    def row(one: Total) -> dict[str, Any]:
        beside = {} if before is None else previous_period.csv_columns(before, one)
        return {**flat(row_dict(one)), **beside}

    return Csv([*report.by, *row(replace(report.total, group={}))], map(row, report.rows))


@dataclass(frozen=True, slots=True)
class _Measure:
    """A column of numbers and how a row fills it. It is there only where the total has `shown` of it."""

    column: Column
    cell: Callable[[Total], str]
    shown: Callable[[Total], object] = lambda _: True


_MEASURES = (
    _Measure(Column("Calls", 50), lambda row: count(row.calls)),
    _Measure(Column("Input", 80), lambda row: count(row.tokens.input)),
    _Measure(Column("Intermed.", 90), lambda row: count(row.tokens.intermediate)),
    _Measure(Column("Output*", 85), lambda row: count(row.tokens.output)),
    _Measure(Column("Execs", 60), lambda row: count(row.executions)),
    _Measure(Column("Failed", 75), lambda row: rate(row.executions_failed, row.executions)),
    _Measure(Column("Waste~", 55), lambda row: money(row.failed_execution_cost_pico)),
    _Measure(Column("$ in", 20), lambda row: money(row.cost_parts.input)),
    _Measure(Column("$ interm.", 30), lambda row: money(row.cost_parts.intermediate)),
    _Measure(Column("$ out", 25), lambda row: money(row.cost_parts.output)),
    _Measure(Column("$ search", 15), lambda row: money(row.cost_parts.grounding), lambda row: row.cost_parts.grounding),
    _Measure(Column("Cost"), lambda row: money(row.cost_pico)),
)
_TITLES = {"api": "API", "service_tier": "Tier"}


def sheet(report: Report, before: PreviousPeriod | None = None, coming: Forecast | None = None) -> Sheet:
    """The report ready to be shown, if wanted beside the period before and with what its own will have cost."""
    measures = [measure for measure in _MEASURES if measure.shown(report.total)]
    if before is not None and before.by_row:
        measures += _compared(before)
    titles = [_TITLES.get(by, by.removeprefix("label.").replace("_", " ").capitalize()) for by in report.by] or [
        "Calls of"
    ]
    rows = [_cells(_groups(report.by, row), row, measures) for row in report.rows]
    total = _cells(["Total", *[""] * (len(titles) - 1)], report.total, measures)
    columns = (*(Column(title, text=True) for title in titles), *(measure.column for measure in measures))
    mark = DEMO if report.demo else ""
    period = f"{words(report.period)} · {report.period.timezone}"
    heading = f"{mark}Gemini calls · {period} · US dollars, estimate at list price"
    lines = ([] if report.rows else ["No call was recorded in this period."]) + notes(report)
    lines += [previous_period.sentence(before, report.total)] if before is not None else []
    lines += [forecast.sentence(coming)] if coming is not None else []
    return Sheet(heading, Table(columns, tuple(rows), total), tuple(lines), (OUTPUT, Footnote("Waste~", WASTE)))


def _compared(before: PreviousPeriod) -> list[_Measure]:
    """What the same rows cost in the period before, and the change."""
    return [
        _Measure(Column("Before", 95), lambda row: money(before.cost_of(row))),
        _Measure(Column("Change", 96), lambda row: previous_period.change(row.cost_pico, before.cost_of(row))),
    ]


def notes(report: Report) -> list[str]:
    """What has to be said below a report, a sentence or two a line."""
    period, total = report.period, report.total
    lines = []
    if total.tokens.intermediate and (share := share_sentence(total)):
        lines.append(share)
    start, end = period.start or "the first call", period.end or "now"
    lines.append(f"Period: {start} until {end} (not included), {period.timezone}.")
    lines += doubts(report)
    lines.append("Cost is an estimate at list prices in US dollars, not Google's bill.")
    return lines


def doubts(report: Report) -> list[str]:
    """How many calls are no records, have no price or may lack tokens, and in which rows they are."""
    again = "`gembill replay --dead-letters` tries them again"
    return [
        *(
            [f"Dead letters: {report.dead_letters:,}. Their calls are in no sum; {again}."]
            if report.dead_letters
            else []
        ),
        _named(report, "Unpriced", lambda row: row.unpriced_calls, "their cost is unknown and in no sum"),
        _named(report, "Incomplete", lambda row: row.incomplete_calls, "some of their tokens may be missing"),
    ]


def errors(ended: Report) -> list[str]:
    """How many calls ended in an error, and in which rows; nothing where none did. `ended` reports these alone."""
    meaning = "they cost nothing and what they used is not counted"
    return [_named(ended, "Errors", lambda row: row.calls, meaning)] if ended.total.calls else []


def share_sentence(total: Total) -> str | None:
    """How much of the tokens and of the cost is intermediate, or None where nothing is known."""
    tokens = (total.tokens.input or 0) + (total.tokens.intermediate or 0) + (total.tokens.output or 0)
    if not tokens or total.tokens.intermediate is None:
        return None
    of = f"{percent(total.tokens.intermediate, tokens)} of all tokens"
    if total.cost_pico and total.cost_parts.intermediate is not None:
        of += f" and {percent(total.cost_parts.intermediate, total.cost_pico)} of the cost"
    return f"Intermediate tokens (code and its results fed back as input) are {of}."


def _groups(by: Sequence[str], row: Total) -> list[str]:
    return [MISSING if row.group[key] is None else str(row.group[key]) for key in by] or ["all"]


def _cells(groups: Sequence[str], row: Total, measures: Sequence[_Measure]) -> tuple[str, ...]:
    return (*groups, *(measure.cell(row) for measure in measures))


def _named(report: Report, title: str, measure: Callable[[Total], int], meaning: str) -> str:
    """`Unpriced: 2 calls (gemini-9 2), their cost ...`: how many, and in which rows."""
    calls = measure(report.total)
    if not calls:
        return f"{title}: 0 calls."
    rows = [(row, measure(row)) for row in report.rows if measure(row)]
    where = [f"{' '.join(_groups(report.by, row))}: {number:,}" for row, number in rows[:10]]
    if len(rows) > len(where):
        where.append(f"{len(rows) - len(where)} more rows")
    inside = f" ({', '.join(where)})" if report.by else ""
    return f"{title}: {calls:,} {'call' if calls == 1 else 'calls'}{inside}; {meaning}."

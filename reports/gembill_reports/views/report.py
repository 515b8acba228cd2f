"""A report as people read it: heading, columns, and the sentences beneath.

Owns: which columns a report shows, in which order they give way, and what is said about the numbers. Owns no sum and no
layout. Invariant: calls without a price or with missing tokens are named beneath every report.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from gembill.ledger import Total
from gembill.period import Period, Unit, containing, local, name
from gembill_reports.analysis import forecast, previous_period
from gembill_reports.analysis.forecast import Forecast
from gembill_reports.analysis.previous_period import PreviousPeriod
from gembill_reports.analysis.report import Report
from gembill_reports.layout.sheet import DEMO, Sheet, count, money, percent, rate
from gembill_reports.layout.tables import MISSING, Column, Table


@dataclass(frozen=True, slots=True)
class _Measure:
    """A column of numbers and how a row fills it. It stands only where a row has `shown` of it."""

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
    _Measure(Column("$ in", 20), lambda row: money(row.cost_input_pico)),
    _Measure(Column("$ interm.", 30), lambda row: money(row.cost_intermediate_pico)),
    _Measure(Column("$ out", 25), lambda row: money(row.cost_output_pico)),
    _Measure(Column("$ search", 15), lambda row: money(row.cost_grounding_pico), lambda row: row.cost_grounding_pico),
    _Measure(Column("Cost"), lambda row: money(row.cost_pico)),
)
_TITLES = {"api": "API", "service_tier": "Tier"}


def sheet(report: Report, before: PreviousPeriod | None = None, coming: Forecast | None = None) -> Sheet:
    """The report ready to be shown, if wanted beside the period before and with what its own will have cost."""
    measures = [measure for measure in _MEASURES if measure.shown(report.total)]
    if before is not None and before.by_row:
        measures += _beside(before)
    titles = [_TITLES.get(by, by.removeprefix("label.").replace("_", " ").capitalize()) for by in report.by] or [
        "Calls of"
    ]
    rows = [_cells(_groups(report.by, row), row, measures) for row in report.rows]
    total = _cells(["Total", *[""] * (len(titles) - 1)], report.total, measures)
    columns = (*(Column(title, text=True) for title in titles), *(measure.column for measure in measures))
    mark = DEMO if report.demo else ""
    period = f"{words(report.period)} · {report.period.timezone}"
    heading = f"{mark}Gemini calls · {period} · US dollars, estimate at list price"
    said = ([] if report.rows else ["No call was recorded in this period."]) + notes(report)
    said += [previous_period.sentence(before, report.total)] if before is not None else []
    said += [forecast.sentence(coming)] if coming is not None else []
    return Sheet(heading, Table(columns, tuple(rows), total), tuple(said))


def _beside(before: PreviousPeriod) -> list[_Measure]:
    """What the same rows cost in the period before, and the change."""
    return [
        _Measure(Column("Before", 95), lambda row: money(before.cost_of(row))),
        _Measure(Column("Change", 96), lambda row: previous_period.change(row.cost_pico, before.cost_of(row))),
    ]


def words(period: Period) -> str:
    """A period in few words: `2026-11`, `2026-11-01 to 2026-11-07`, or its instants."""
    if period.start_us is None or period.end_us is None:
        since = f"since {_point(period, period.start_us)}" if period.start_us is not None else "all"
        return since if period.end_us is None else f"{since} until {_point(period, period.end_us)} (not included)"
    for unit in (Unit.MONTH, Unit.DAY):
        if containing(unit, period.start_us, period.zone) == period:
            return name(unit, period.start_us, period.zone)
    if _whole_days(period):
        last = local(period.end_us, period.zone).date() - timedelta(days=1)
        return f"{name(Unit.DAY, period.start_us, period.zone)} to {last}"
    return f"{period.start} until {period.end} (not included)"


def notes(report: Report) -> list[str]:
    """What has to be said beneath a report, a sentence or two each."""
    period, total = report.period, report.total
    said = ["* output with thinking   ~ estimate: the part of the cost of intermediate tokens that failed runs caused"]
    if total.tokens.intermediate and (share := share_sentence(total)):
        said.append(share)
    start, end = period.start or "the first call", period.end or "now"
    said.append(f"Period: {start} until {end} (not included), {period.timezone}.")
    said += doubts(report)
    said.append("Cost is an estimate at list prices in US dollars, not Google's bill.")
    return said


def doubts(report: Report) -> list[str]:
    """How many calls have no price or may lack tokens, and in which rows they are."""
    return [
        _named(report, "Unpriced", lambda row: row.unpriced_calls, "their cost is unknown and in no sum"),
        _named(report, "Incomplete", lambda row: row.incomplete_calls, "some of their tokens may be missing"),
    ]


def share_sentence(total: Total) -> str | None:
    """How much of the tokens and of the cost is intermediate, or None where nothing is known."""
    tokens = (total.tokens.input or 0) + (total.tokens.intermediate or 0) + (total.tokens.output or 0)
    if not tokens or total.tokens.intermediate is None:
        return None
    of = f"{percent(total.tokens.intermediate, tokens)} of all tokens"
    if total.cost_pico and total.cost_intermediate_pico is not None:
        of += f" and {percent(total.cost_intermediate_pico, total.cost_pico)} of the cost"
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
    where = [f"{' '.join(_groups(report.by, row))}: {found:,}" for row, found in rows[:10]]
    if len(rows) > len(where):
        where.append(f"{len(rows) - len(where)} more rows")
    inside = f" ({', '.join(where)})" if report.by else ""
    return f"{title}: {calls:,} {'call' if calls == 1 else 'calls'}{inside}; {meaning}."


def _point(period: Period, at_us: int) -> str:
    moment = local(at_us, period.zone)
    if containing(Unit.DAY, at_us, period.zone).start_us == at_us:
        return moment.date().isoformat()
    return moment.isoformat()


def _whole_days(period: Period) -> bool:
    ends = (period.start_us, period.end_us)
    return all(at is not None and containing(Unit.DAY, at, period.zone).start_us == at for at in ends)

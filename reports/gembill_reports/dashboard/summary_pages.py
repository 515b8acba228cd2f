"""The pages of sums: overview, models and labels.

Owns: their cards, charts, tables and data. Not here: sums. Invariant: every number is of `gembill_reports.views`, so
that it is the one that `gembill report` prints.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from gembill.ledger import Ledger, Total, read_labels, read_totals
from gembill.model import Status
from gembill.rules.budgets import Budget, BudgetState, BudgetStatus
from gembill.rules.budgets.text import amount, percent
from gembill.rules.budgets.text import as_dict as budget_dict
from gembill.rules.prices import PriceBook
from gembill_reports import charts
from gembill_reports.analysis import forecast
from gembill_reports.analysis.budget_history import budget_statuses, moment
from gembill_reports.analysis.forecast import Forecast
from gembill_reports.analysis.previous_period import PreviousPeriod
from gembill_reports.analysis.report import TIMES, Report, add, group_sums, groups, report, report_of
from gembill_reports.dashboard import comparison
from gembill_reports.dashboard.links import calls_of, time_link, unit_of
from gembill_reports.dashboard.page import Card, Cell, Grid, Page, counted, dollars, money_head, number, text
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.sheet import count, money, rate
from gembill_reports.layout.tables import MISSING, clean
from gembill_reports.views.forecast import forecast_dict
from gembill_reports.views.forecast import sentence as forecast_sentence
from gembill_reports.views.previous_period import change
from gembill_reports.views.previous_period import sentence as previous_sentence
from gembill_reports.views.report import csv_rows, errors, notes, previous_dict, report_dict, row_dict

_HEADS = ("Calls", "Input", "Intermediate", "Output", "Executions", "Failed", "Spent on fails")


def overview(ledger: Ledger, view: PageQuery, book: PriceBook, budgets: Sequence[Budget] = ()) -> Page:
    """The month at a glance: cards, cost per day, per model, intermediate tokens by label, executions.

    `budgets` have their present state, or that at the end of the period where it is over, whatever calls are shown.
    """
    status = budget_statuses(ledger, budgets, *moment(view.period, view.now_us)) if budgets else []
    selection = view.selection
    models, refused = _sums(ledger, view, "model")
    days = report(ledger, view.period, (unit_of(view),), selection=selection)
    label = _label(ledger, view)
    teams = report(ledger, view.period, (label or "model",), selection=selection)
    before = comparison.before_of(ledger, models, view)
    coming = _forecast(ledger, view, book)
    data = report_dict(models) | {
        "days": [row_dict(row) for row in days.rows],
        "previous": before and previous_dict(before),
        "forecast": coming and forecast_dict(coming),
        "budgets": [budget_dict(one) for one in status],
    }
    drawn = [
        charts.cost_by_time(days, time_link(view, days)),
        charts.outcomes(days, time_link(view, days, ("trouble", "failed"))),
        charts.cost_by_group(models, lambda row: _narrow(view, "model", row)),
        charts.intermediate_ratio(teams, lambda row: _narrow(view, teams.by[0], row)),
    ]
    csv = csv_rows(models)
    return Page(
        name="overview",
        title="Overview",
        template="overview.html",
        data=data,
        header=csv.header,
        rows=csv.rows,
        cards=[
            *comparison.compared(
                _cards(models.total, before, coming, view), comparison.card_changes(models.total, before)
            ),
            *map(_budget, status),
        ],
        charts=drawn,
        grids=(sums_grid(models, view, "Models", before), sums_grid(days, view, f"By {days.by[0]}")),
        notes=_notes(models, refused, before, coming),
    )


def models(ledger: Ledger, view: PageQuery) -> Page:
    """A row per model."""
    result, refused = _sums(ledger, view, "model")
    page = _page(result, comparison.before_of(ledger, result, view), view, "models", "Models")
    return replace(page, notes=[*page.notes, *refused])


def label_page(ledger: Ledger, view: PageQuery) -> Page:
    """A row per value of one label, which the address names or which is the first there is."""
    label = _label(ledger, view) or "label.team"
    result, refused = _sums(ledger, view, label)
    page = _page(result, comparison.before_of(ledger, result, view), view, "labels", "Labels")
    known = [(one, view.to("/labels", ("name", one))) for one in read_labels(ledger)]
    return replace(page, notes=[*page.notes, *refused], more={"known": known, "label": label.removeprefix("label.")})


def sums_grid(result: Report, view: PageQuery, caption: str, before: PreviousPeriod | None = None) -> Grid:
    """The table of a report, each row of a report by one group leading to its calls; beside the period before."""
    by = result.by[0]
    beside = comparison.shown(before)
    heads = [*map(_head, result.by), *map(number, _HEADS), money_head("Cost"), *(comparison.HEADS if beside else ())]
    link = time_link(view, result) if by in ("hour", "day", "month") else partial(_narrow, view, by)
    if len(result.by) > 1:
        link = _nowhere
    rows = [[*(_group(one, row, link) for one in result.by), *_numbers(row, beside)] for row in result.rows]
    total = [text("Total"), *(text("") for _ in result.by[1:]), *_numbers(result.total, beside)]
    noun = f"{by.removeprefix('label.').replace('_', ' ')}s"
    return Grid(caption, heads, rows, total, name="days" if by in TIMES else "sums", noun=noun)


def _head(by: str) -> Cell:
    return text(by.removeprefix("label.").replace("_", " ").capitalize())


def _nowhere(_: Total) -> str:
    return ""


def _page(result: Report, before: PreviousPeriod | None, view: PageQuery, name: str, title: str) -> Page:
    csv = csv_rows(result, before)
    by = result.by[0]
    drawn = [
        charts.cost_by_group(result, lambda row: _narrow(view, by, row)),
        charts.intermediate_ratio(result, lambda row: _narrow(view, by, row)),
    ]
    return Page(
        name=name,
        title=title,
        template="sums.html",
        data=report_dict(result) | {"previous": before and previous_dict(before)},
        header=csv.header,
        rows=csv.rows,
        charts=drawn,
        grids=(sums_grid(result, view, title, before),),
        notes=_notes(result, (), before),
    )


def _label(ledger: Ledger, view: PageQuery) -> str | None:
    """The label that calls are grouped by: named in the address, else `team`, else the first."""
    known = read_labels(ledger)
    named = view.rest.get("name")
    if named:
        return f"label.{named}"
    first = "team" if "team" in known else next(iter(known), None)
    return first and f"label.{first}"


def _forecast(ledger: Ledger, view: PageQuery, book: PriceBook) -> Forecast | None:
    start, end = view.period.start_us, view.period.end_us
    if start is None or end is None or not start < view.now_us < end:
        return None
    return forecast.forecast(report(ledger, view.period, forecast.GROUPS, selection=view.selection), view.now_us, book)


def _cards(total: Total, before: PreviousPeriod | None, coming: Forecast | None, view: PageQuery) -> list[Card]:
    tokens, cost = total.tokens, total.cost_parts
    share = f"{count(total.executions_failed)} of {count(total.executions)}"
    failed = f"{100 * total.executions_failed / total.executions:.1f}%" if total.executions else "none"
    cards = [
        Card("Spend", money(total.cost_pico), _changed(total, before), link=view.to("/calls", ("sort", "cost"))),
        Card("Input", count(tokens.input), f"tokens, {money(cost.input)}", "input"),
        Card(
            "Intermediate",
            count(tokens.intermediate),
            f"tokens, {money(cost.intermediate)}",
            "intermediate",
        ),
        Card("Output", count(tokens.output), f"tokens, {_thinking(total)}{money(cost.output)}", "output"),
        Card(
            "Executions",
            count(total.executions),
            f"in {count(total.calls_code_execution)} of {count(total.calls)} calls",
        ),
        Card("Failed", failed, share, "failed", view.to("/calls", ("trouble", "failed"))),
        Card("Spent on fails", money(total.failed_execution_cost_pico), "estimate, in the cost", "failed"),
    ]
    if coming is not None:
        span = f"likely {money(coming.low_pico)} to {money(coming.high_pico)}"
        cards.append(Card("Forecast", money(coming.cost_pico), span))
    return cards


def _budget(status: BudgetStatus) -> Card:
    """How much of a budget is used: red once it is over, yellow where it warns."""
    kind = {BudgetState.BREACH: "failed", BudgetState.WARN: "intermediate", BudgetState.UNKNOWN: "intermediate"}.get(
        status.state, ""
    )
    used, limit = amount(status.budget, status.used), amount(status.budget, status.budget.limit)
    return Card(f"Budget {clean(status.budget.name)}", percent(status), f"{used} of {limit}, {status.state}", kind)


def _thinking(total: Total) -> str:
    return f"{count(total.tokens.thinking)} thinking, " if total.tokens.thinking else ""


def _changed(total: Total, before: PreviousPeriod | None) -> str:
    if before is None or before.report.total.cost_pico is None:
        return "estimate at list prices"
    changed = change(total.cost_pico, before.report.total.cost_pico)
    if not before.report.total.calls:
        return "no call in the period before"
    same = " at the same time" if before.unfinished else ""
    return f"{changed} against {money(before.report.total.cost_pico)} before{same}"


def _sums(ledger: Ledger, view: PageQuery, by: str) -> tuple[Report, list[str]]:
    """The report by one group, and in words which of its calls ended in an error: one question answers both."""
    named = groups((by,))
    by_status = read_totals(ledger, view.selection, (*named, "status"))
    whole = report_of(ledger, view.period, named, by_status)
    ended = group_sums(named, (one for one in by_status if one.group["status"] == Status.ERROR.value))
    return whole, errors(replace(whole, rows=tuple(ended), total=add({}, ended)))


def _notes(
    result: Report, refused: Sequence[str], before: PreviousPeriod | None = None, coming: Forecast | None = None
) -> list[str]:
    said = [*notes(result), *refused]
    said += [previous_sentence(before, result.total)] if before is not None else []
    return said + ([forecast_sentence(coming)] if coming is not None else [])


def _group(by: str, row: Total, link: charts.Link) -> Cell:
    value = row.group[by]
    said = str(value).replace("T", " ", 1) if by == "hour" else str(value)
    return text(clean(MISSING if value is None else said), link(row) or None)


def _numbers(row: Total, before: PreviousPeriod | None = None) -> list[Cell]:
    tokens = row.tokens
    cells = [*map(counted, (row.calls, tokens.input, tokens.intermediate, tokens.output, row.executions))]
    cells += [Cell(rate(row.executions_failed, row.executions), number=True, order=row.executions_failed)]
    cells += [dollars(row.failed_execution_cost_pico), dollars(row.cost_pico)]
    if before is not None:
        cells += comparison.money_cells(row.cost_pico, before.cost_of(row))
    return cells


def _narrow(view: PageQuery, by: str, row: Total) -> str:
    """The calls of a row."""
    value = row.group.get(by)
    return calls_of(view, by, None if value is None else str(value))

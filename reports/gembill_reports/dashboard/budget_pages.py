"""The page of budgets: a bar of each, and how earlier periods ended.

Owns: bars, their lengths and links, and the table of earlier periods. Not here: states and their words. Invariant: the
bar of a budget has one scale for what was spent, the limit and the forecast, and the sentence below it says them too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gembill.ledger import Ledger, read_time_range
from gembill.period import iso, local
from gembill.rules.budgets import Budget, BudgetPeriod, BudgetStatus
from gembill.rules.budgets.text import amount, forecast_note, percent, sentence, spent, where
from gembill_reports.analysis.budget_history import BudgetHistory, budget_histories, moment
from gembill_reports.dashboard.grids import kept
from gembill_reports.dashboard.page import Cell, Grid, Page, counted, money_head, number, text
from gembill_reports.dashboard.query import PERIOD, PageQuery, months
from gembill_reports.layout.tables import clean
from gembill_reports.views import budget_history as words
from gembill_reports.views.budgets import filters

_UNITS = {BudgetPeriod.DAY: "a day", BudgetPeriod.WEEK: "a week", BudgetPeriod.MONTH: "a month"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetBar:
    """A budget as it is drawn: lengths in percent of its longest part, and what is said of it."""

    name: str
    state: str
    rule: str
    used: str
    ahead: str
    limit: str
    spent: str
    of: str
    sentence: str
    turns: tuple[str, ...]
    link: str | None


def budget_page(ledger: Ledger, view: PageQuery, budgets: Sequence[Budget]) -> Page:
    """Every budget as it stands now, or stood at the end of the period that is shown where that is over."""
    at_us, until_us = moment(view.period, view.now_us)
    histories = budget_histories(ledger, budgets, at_us, until_us)
    csv = words.csv_rows(histories)
    return Page(
        name="budgets",
        title="Budgets",
        template="budgets.html",
        data=words.histories_dict(histories, iso(at_us, view.period.zone)),
        header=csv.header,
        rows=csv.rows,
        grids=(_grid(histories, view),),
        notes=_notes(histories),
        more={
            "bars": [_bar(one, view) for one in histories],
            "when": local(at_us, view.period.zone).strftime("%Y-%m-%d %H:%M"),
            "over": until_us is not None,
            "month": view.month or "",
            "kept": kept(view, *PERIOD),
            "months": months(view, read_time_range(ledger)),
        },
    )


def _notes(histories: Sequence[BudgetHistory]) -> list[str]:
    if not histories:
        return []
    return [forecast_note(), "Earlier periods are held against the budget as it is now."]


def _bar(one: BudgetHistory, view: PageQuery) -> BudgetBar:
    status, budget = one.status, one.status.budget
    forecast = max(0 if _is_over(status) else status.forecast or 0, status.used)
    longest = max(budget.limit, forecast, 1)
    return BudgetBar(
        name=clean(budget.name),
        state=status.state.value,
        rule=f"{amount(budget, budget.limit)} {_UNITS.get(budget.span, f'per {budget.span.value}')}, "
        f"{'all calls' if filters(budget) == 'all' else clean(filters(budget))}",
        used=_percent(status.used, longest),
        ahead=_percent(forecast - status.used, longest),
        limit=_percent(budget.limit, longest),
        spent=spent(status),
        of=f"{percent(status)} of {amount(budget, budget.limit)}",
        sentence=clean(sentence(status)),
        turns=tuple(
            f"{turn.state.value} since {local(turn.at_us, status.period.zone):%Y-%m-%d %H:%M}" for turn in one.turns
        ),
        link=_link(status, view),
    )


def _is_over(status: BudgetStatus) -> bool:
    """Whether its period has ended, so that there is nothing to foresee."""
    return status.period.end_us is not None and status.at_us >= status.period.end_us - 1


def _percent(part: int, whole: int) -> str:
    """Percent with two decimals, rounded down; what is not nothing can be seen."""
    share = part * 10_000 // whole
    share = max(share, 50) if part else share
    return f"{share // 100}.{share % 100:02d}"


def _link(status: BudgetStatus, view: PageQuery) -> str | None:
    """The calls that a budget is about; none where it has none, because their names may be unknown to the ledger."""
    if not status.calls:
        return None
    budget, period = status.budget, status.period
    pairs = [("model", one) for one in budget.models] + [("key", one) for one in budget.keys]
    pairs += [("label", f"{name}={value}") for name, value in budget.labels.items()]
    pairs += [("label", f"run={status.run}")] if status.run else []
    pairs += [("code_execution", "1")] if budget.code_execution else []
    pairs += [("since", "1970-01-01")] if period.start_us is None else []
    return replace(view, chosen=(("tz", budget.zone.key),), rest={}).span("/calls", period, *pairs)


def _grid(histories: Sequence[BudgetHistory], view: PageQuery) -> Grid:
    heads = [text("Budget"), text("Period"), text("State"), money_head("Used"), number("Of"), number("Share")]
    rows = [_row(status, view) for one in histories for status in (one.status, *one.past)]
    return Grid(
        "Present and earlier periods",
        [*heads, number("Calls")],
        rows,
        name="history",
        noun="periods",
        empty="There is no budget.",
    )


def _row(status: BudgetStatus, view: PageQuery) -> list[Cell]:
    budget = status.budget
    return [
        text(clean(budget.name)),
        text(_period(status), _link(status, view)),
        text(status.state.value, mark=f"state-{status.state.value.lower()}"),
        Cell(spent(status), number=True, order=status.used),
        Cell(amount(budget, budget.limit), number=True, order=budget.limit),
        Cell(percent(status), number=True, order=status.share),
        counted(status.calls),
    ]


def _period(status: BudgetStatus) -> str:
    start = status.period.start
    if status.budget.span is BudgetPeriod.MONTH and start is not None:
        return start[:7]
    if status.budget.span is BudgetPeriod.WEEK and start is not None:
        return f"week of {start[:10]}"
    return where(status) if start is None else start[:10]

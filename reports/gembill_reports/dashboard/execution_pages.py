"""The page of executions: outcomes, failures by model and label, and the conversations that wasted most.

Owns: its cards, charts and tables. Not here: sums. Invariant: what failures cost is called an estimate, also that of
the period before, which is beside models and labels; a conversation and a day come only once.
"""

from collections.abc import Sequence
from itertools import zip_longest

from gembill.ledger import Ledger, Total, WastefulConversation, read_labels
from gembill.period import local
from gembill_reports import charts
from gembill_reports.analysis.executions import ExecutionReport, groups_before
from gembill_reports.analysis.executions import executions as read_executions
from gembill_reports.analysis.previous_period import PreviousPeriod
from gembill_reports.analysis.report import Report
from gembill_reports.dashboard.comparison import HEADS, card_changes, compared, money_cells, shown
from gembill_reports.dashboard.conversation_pages import ONE_CONVERSATION, models_of, named
from gembill_reports.dashboard.links import calls_of, time_link, unit_of
from gembill_reports.dashboard.page import Card, Cell, Grid, Page, counted, dollars, money_head, number, text
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.sheet import count, money, percent, rate
from gembill_reports.layout.tables import MISSING, clean
from gembill_reports.views import executions as words
from gembill_reports.views.previous_period import sentence

_LABELS = 3  # that have a table
_FAILED = ("trouble", "failed")
_NOTES = (
    "Spent on fails is an estimate: the cost of a call's intermediate tokens times the share of its runs that failed.",
    "Failed are runs that ended in an error and those that ran out of time.",
)
_HEADS = ("Executions", "Failed", "Calls with code", "Intermediate", "Cost")


def executions(ledger: Ledger, view: PageQuery) -> Page:
    """How the code that models wrote went, and what its failures cost."""
    labels = tuple(read_labels(ledger))[:_LABELS]
    ran = read_executions(ledger, view.period, unit_of(view), labels, selection=view.selection)
    before = _before(ledger, ran, view)
    csv = words.csv_rows(ran, before)
    models = ran.groups[0]
    return Page(
        name="executions",
        title="Executions",
        template="executions.html",
        data=words.executions_dict(ran, before),
        header=csv.header,
        rows=csv.rows,
        cards=compared(_cards(ran.total, view), card_changes(ran.total, before[0] if before else None)),
        charts=(
            charts.outcomes(ran.times, time_link(view, ran.times, _FAILED)),
            charts.waste_by_group(models, lambda row: _link(view, models.by[0], row)),
        ),
        grids=(*_grids(ran, before, view), _conversations(ran, view)),
        notes=(*_NOTES, *([sentence(before[0], ran.total)] if before else ())),
    )


def _before(ledger: Ledger, ran: ExecutionReport, view: PageQuery) -> tuple[PreviousPeriod, ...]:
    """The groups of the period before; nothing where the period has no beginning or no end."""
    if view.period.start_us is None or view.period.end_us is None:
        return ()
    return groups_before(ledger, ran, view.now_us, selection=view.selection)


def _grids(ran: ExecutionReport, before: Sequence[PreviousPeriod], view: PageQuery) -> list[Grid]:
    return [_grid(one, shown(beside), view) for one, beside in zip_longest(ran.groups, before) if _has_names(one)]


def _has_names(result: Report) -> bool:
    """Whether a table by a label says more than the totals."""
    by = result.by[0]
    return by == "model" or len({row.group[by] for row in result.rows}) > 1


def _cards(total: Total, view: PageQuery) -> list[Card]:
    failed = view.to("/calls", _FAILED)
    tokens = (total.tokens.input or 0) + (total.tokens.intermediate or 0) + (total.tokens.output or 0)
    share = f"{percent(total.tokens.intermediate or 0, tokens)} of all tokens" if tokens else ""
    waste, cost = total.failed_execution_cost_pico, total.cost_pico
    of_cost = f"estimate, {percent(waste, cost)} of the cost" if waste and cost else "estimate, in the cost"
    return [
        Card(
            "Executions",
            count(total.executions),
            f"in {count(total.calls_code_execution)} of {count(total.calls)} calls",
        ),
        Card("Went well", count(total.executions - total.executions_failed), "runs", "output"),
        Card("Failed", count(total.executions_failed), _share(total), "failed", failed),
        Card("Spent on fails", money(waste), of_cost, "failed", view.to("/calls", _FAILED, ("sort", "cost"))),
        Card("Intermediate", count(total.tokens.intermediate), share, "intermediate"),
    ]


def _share(total: Total) -> str:
    return f"{100 * total.executions_failed / total.executions:.1f}% of runs" if total.executions else "no run"


def _link(view: PageQuery, by: str, row: Total) -> str:
    """The calls of a row in which a run failed."""
    value = row.group[by]
    return calls_of(view, by, None if value is None else str(value), _FAILED)


def _grid(result: Report, before: PreviousPeriod | None, view: PageQuery) -> Grid:
    by = result.by[0]
    title = by.removeprefix("label.").replace("_", " ")
    rows = [[text(clean(_name(row, by)), _link(view, by, row) or None), *_numbers(row, before)] for row in result.rows]
    return Grid(
        f"Failures by {title}",
        [text(title.capitalize()), money_head("Spent on fails"), *(HEADS if before else ()), *map(number, _HEADS)],
        rows,
        [text("Total"), *_numbers(result.total, before)],
        empty="No code ran in this period.",
        name="-".join(title.split()),
        noun=f"{title}s",
    )


def _name(row: Total, by: str) -> str:
    value = row.group[by]
    return MISSING if value is None else str(value)


def _numbers(row: Total, before: PreviousPeriod | None) -> Sequence[Cell]:
    failed, waste = rate(row.executions_failed, row.executions), row.failed_execution_cost_pico
    return (
        dollars(waste),
        *(money_cells(waste, before.waste_of(row)) if before is not None else ()),
        counted(row.executions),
        Cell(failed, number=True, order=row.executions_failed, mark="failed" if row.executions_failed else ""),
        counted(row.calls_code_execution),
        counted(row.tokens.intermediate),
        dollars(row.cost_pico),
    )


def _conversations(ran: ExecutionReport, view: PageQuery) -> Grid:
    heads = [text("Conversation"), money_head("Spent on fails"), number("Executions"), number("Failed")]
    return Grid(
        "Most wasteful conversations",
        [*heads, number("Calls"), text("Model"), text("Last call"), number("Cost")],
        [_conversation(one, view) for one in ran.conversations],
        empty=f"In no conversation of this period did code fail. {ONE_CONVERSATION}",
        name="conversations",
        noun="conversations",
    )


def _conversation(one: WastefulConversation, view: PageQuery) -> list[Cell]:
    whole = one.conversation
    return [
        named(whole, view),
        dollars(one.failed_execution_cost_pico),
        counted(whole.executions),
        counted(whole.executions_failed, mark="failed"),
        counted(whole.calls),
        text(models_of(whole)),
        text(local(whole.last_us, view.period.zone).strftime("%Y-%m-%d %H:%M")),
        dollars(whole.cost_pico),
    ]

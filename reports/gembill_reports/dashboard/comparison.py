"""What was in the period before, beside the cards and in the tables of every page.

Owns: whether a page is compared, and how its cards and rows say what was. Not here: which period that is
(`gembill_reports.analysis.previous_period`), and how a change is written (`gembill_reports.views.previous_period`).
Invariant: where the period has an open end, or nothing was recorded in the one before, cards and tables say nothing of
it; CSV and JSON have it wherever both ends are known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gembill.ledger import Ledger, Total
from gembill_reports.analysis.previous_period import PreviousPeriod, predecessor
from gembill_reports.analysis.report import Report
from gembill_reports.dashboard.page import Card, Cell, counted, dollars, number
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.sheet import count, money
from gembill_reports.views.previous_period import change

HEADS = (number("Before"), number("Change"))
"""The headings of what `money_cells` and `count_cells` give."""

Changes = Mapping[str, str]
"""What cards say of the period before, by their names."""


def before_of(ledger: Ledger, result: Report, view: PageQuery) -> PreviousPeriod | None:
    """The same report of the period before; None where the period has no beginning or no end."""
    if result.period.start_us is None or result.period.end_us is None:
        return None
    return predecessor(ledger, result, view.now_us, selection=view.selection)


def shown(before: PreviousPeriod | None) -> PreviousPeriod | None:
    """What tables have beside their rows: a period before with calls, of rows that do not come only once."""
    return before if before is not None and before.by_row and before.report.total.calls else None


def compared(cards: Sequence[Card], changes: Changes) -> list[Card]:
    """The cards, each with what is said of the period before."""
    return [replace(card, change=changes.get(card.name, card.change)) for card in cards]


def card_changes(total: Total, before: PreviousPeriod | None) -> dict[str, str]:
    """What the cards of counts say of a period before that had calls; spend says so itself."""
    if before is None or not before.report.total.calls:
        return {}
    old = before.report.total
    well, well_old = total.executions - total.executions_failed, old.executions - old.executions_failed
    was = f"{100 * old.executions_failed / old.executions:.1f}%" if old.executions else "none"
    return {
        "Input": against(total.tokens.input, old.tokens.input),
        "Intermediate": against(total.tokens.intermediate, old.tokens.intermediate),
        "Output": against(total.tokens.output, old.tokens.output),
        "Executions": against(total.executions, old.executions),
        "Went well": against(well, well_old),
        "Failed": f"{was} before",
        "Spent on fails": against(total.failed_execution_cost_pico, old.failed_execution_cost_pico, money),
    }


def against(now: int | None, before: int | None, written: Callable[[int | None], str] = count) -> str:
    """`+12% against 3,000`; empty where one is not known, or where there is nothing in either."""
    if not before:
        return "none before" if now and before == 0 else ""
    changed = change(now, before)
    return f"{changed} against {written(before)}" if changed else ""


def money_cells(now_pico: int | None, before_pico: int | None) -> tuple[Cell, Cell]:
    """What an amount was, and its change."""
    return dollars(before_pico), _change(now_pico, before_pico)


def count_cells(now: int, before: int) -> tuple[Cell, Cell]:
    """What a count was, and its change."""
    return counted(before), _change(now, before)


def _change(now: int | None, before: int | None) -> Cell:
    known = now is not None and before is not None
    return Cell(change(now, before), number=True, order=(now or 0) - (before or 0) if known else None)

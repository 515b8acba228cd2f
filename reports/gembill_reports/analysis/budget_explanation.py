"""Which calls and which days a budget was spent on.

Owns: that choice and those sums. Not here: the state of the budget, and how it is written
(`gembill_reports.views.budget_explanation`). Invariant: the days add up to what was spent; the calls named are the most
expensive ones.
"""

import heapq
from dataclasses import dataclass

from gembill.budget_status import selection
from gembill.ledger import Ledger, LedgerRecord, Selection, read_records
from gembill.period import Period
from gembill.rules.budgets import BudgetStatus
from gembill_reports.analysis.report import Report, report

CALLS = 10  # how many calls are named


@dataclass(frozen=True, slots=True)
class Explanation:
    """A budget's status, its days and models, and its most expensive calls."""

    status: BudgetStatus
    days: Report
    models: Report
    most_expensive: tuple[LedgerRecord, ...]


def explanation(ledger: Ledger, status: BudgetStatus, *, past: bool = False) -> Explanation:
    """What a status comes from. The most expensive calls are found by reading all of them."""
    until = status.at_us if past else None
    chosen = selection(status.budget, status.period, until_us=until, run=status.run)
    period = Period(chosen.start_us, chosen.end_us, status.period.zone)
    return Explanation(
        status,
        report(ledger, period, ("day",), selection=chosen),
        report(ledger, period, ("model",), selection=chosen),
        tuple(_most_expensive(ledger, chosen, in_tokens=status.budget.in_tokens)),
    )


def _most_expensive(ledger: Ledger, chosen: Selection, *, in_tokens: bool) -> list[LedgerRecord]:
    """By cost, or by tokens where the budget is one of tokens."""

    def weight(one: LedgerRecord) -> tuple[int, int]:
        tokens = one.record.tokens
        used = sum(part or 0 for part in (tokens.input, tokens.intermediate, tokens.output))
        return (used, 0) if in_tokens else (one.cost_pico or 0, used)

    return heapq.nlargest(CALLS, read_records(ledger, chosen), key=weight)

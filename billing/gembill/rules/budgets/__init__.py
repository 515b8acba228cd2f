"""Budgets: what may be spent, and how what was spent compares to it.

Owns: the rules as text (`toml`), one of them (`budget`), their evaluation (`status`) and what is said of it (`text`).
Not here: SQL, files, clocks and alerts; times and sums come in as values. Invariant: a budget nobody
understands is refused whole; what is not known is never called passed.
"""

from gembill.rules.budgets.budget import Budget, BudgetPeriod, OnUnpriced
from gembill.rules.budgets.status import (
    BudgetState,
    BudgetStatus,
    HourlyUsage,
    evaluate,
    exit_code,
    ordered,
    overall_state,
)

__all__ = [
    "Budget",
    "BudgetPeriod",
    "BudgetState",
    "BudgetStatus",
    "HourlyUsage",
    "OnUnpriced",
    "evaluate",
    "exit_code",
    "ordered",
    "overall_state",
]

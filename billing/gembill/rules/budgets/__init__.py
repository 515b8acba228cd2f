"""Budgets: what may be spent, and how what was spent stands to it.

Owns: the rules as text (`document`), one of them (`rule`), their evaluation (`standing`) and what is said of it
(`words`). Owns no SQL, no file, no clock and no alert: times and sums come in as values. Invariant: a budget nobody
understands is refused whole; what is not known is never called passed.
"""

from gembill.rules.budgets.budget import Budget, BudgetPeriod, OnUnpriced
from gembill.rules.budgets.status import BudgetState, BudgetStatus, HourlyUsage, evaluate, exit_code

__all__ = [
    "Budget",
    "BudgetPeriod",
    "BudgetState",
    "BudgetStatus",
    "HourlyUsage",
    "OnUnpriced",
    "evaluate",
    "exit_code",
]

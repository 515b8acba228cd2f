"""The budgets of the demo: one of each state in its made-up month.

Owns: their text. Not here: how budgets are read and judged.
"""

from gembill.rules.budgets import Budget
from gembill.rules.budgets.toml import budgets as read

TEXT = """
[[budget]]
name = "everything"
limit_usd = "9.00"
period = "month"
warn_at = [0.5, 0.75]
on_unpriced = "ignore"

[[budget]]
name = "search team"
limit_usd = "2.50"
period = "month"
labels = { team = "search" }
warn_at = [0.8]

[[budget]]
name = "continuous integration"
limit_usd = "1.00"
period = "month"
labels = { team = "ci" }
warn_at = [0.8]

[[budget]]
name = "tokens a day"
limit_tokens = 400000
period = "day"
warn_at = [0.9]
"""


def budgets() -> list[Budget]:
    """The demo's budgets."""
    return read(TEXT, "the demo's budgets")

"""What is counted and summed of calls.

Owns: the names of the measures, which are columns of the rollups, in their order. Not here: their values (`rollup`) and
tables (`schema`), so that a report can be read without SQLAlchemy.
"""

from gembill.model import COST_PARTS

TOKEN_FIELDS = ("input", "intermediate", "output", "total", "cached", "thinking")
COSTS = ("cost_pico", *(f"cost_{part}_pico" for part in COST_PARTS), "failed_execution_cost_pico")

MEASURES = (
    "calls",
    "unpriced_calls",
    "executions",
    "executions_failed",
    *(name for field in TOKEN_FIELDS for name in (f"tokens_{field}", f"tokens_{field}_known")),
    "costed",
    *COSTS,
)
"""The counters of a rollup. `..._known` and `costed` count the records whose value was not null."""

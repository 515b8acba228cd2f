"""What is counted and summed of calls.

Owns: the names of the measures, which are columns of the rollups, in their order, and how a sum that SQLite cannot hold
is put together from halves. Not here: their values (`rollup`) and tables (`schema`), so that a report can be read
without SQLAlchemy.
"""

from collections.abc import Sequence

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

OVERFLOW = "integer overflow"  # what SQLite's sum() says above 2^63
HALF_BITS = 32
HALVES = (f">> {HALF_BITS}", f"& {(1 << HALF_BITS) - 1}")
"""The operators that give the upper and the lower half of a number, which are then added up apart."""


def joined_halves(halves: Sequence[int | None]) -> tuple[int, ...]:
    """Sums from the sums of their upper and lower halves, in turn; those over nothing are 0."""
    return tuple(((high or 0) << HALF_BITS) + (low or 0) for high, low in zip(halves[::2], halves[1::2], strict=True))

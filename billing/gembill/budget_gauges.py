"""The state of budgets as Prometheus reads it.

Owns: the gauges and their text. Not here: how a budget is (`rules.budgets`) and when it is looked at (`alert.watch`).
Invariant: the only label is the name of a budget, which is in the configuration and never of a caller's making.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from gembill.exposition import head, label_value

_GAUGES = {
    "limit_usd": "What may be spent in the period.",
    "spent_usd": "What was spent in it, as far as it is known.",
    "forecast_usd": "What will be spent in it at this rate.",
    "used_ratio": "What was used, 1 is the limit; also of budgets in tokens.",
}


class BudgetGauge(Struct, frozen=True, kw_only=True):
    """A budget in its present period. Money in US dollars, None where it is in tokens or not known."""

    name: str
    limit_usd: float | None = None
    spent_usd: float | None = None
    forecast_usd: float | None = None
    used_ratio: float | None = None


def lines(budgets: Sequence[BudgetGauge]) -> Iterator[str]:
    """The families in the text form of Prometheus; a number that is not known is left out."""
    for gauge, words in _GAUGES.items():
        values = [(one.name, getattr(one, gauge)) for one in budgets if getattr(one, gauge) is not None]
        if values:
            yield from head(f"budget_{gauge}", "gauge", words)
        for name, value in values:
            yield f'gembill_budget_{gauge}{{budget="{label_value(name)}"}} {value}'

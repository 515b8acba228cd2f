"""What the calls of a budget used, hour by hour.

Owns: which calls and which measures a budget asks the ledger for. Not here: the rules of budgets. Invariant: only
rollups are read, unless an end of the period cuts an hour (a zone at half past the hour, or an instant in the past).
"""

from collections.abc import Iterable, Sequence

from gembill.ledger import Ledger, Selection, greatest_label, read_hourly_totals, read_sums
from gembill.period import HOUR_US, Period
from gembill.rules.budgets import Budget, BudgetPeriod, BudgetStatus, HourlyUsage, evaluate

RUN = "run"  # the label of every call that `gembill run` records
_MEASURES = (
    *("calls", "costed", "cost_pico", "failed_execution_cost_pico", "unpriced_calls", "incomplete_calls"),
    *("tokens_input", "tokens_intermediate", "tokens_output"),
)


def evaluate_budgets(
    ledger: Ledger, budgets: Iterable[Budget], now_us: int, *, run: str | None = None, past: bool = False
) -> list[BudgetStatus]:
    """The status of each budget now, or as it was at an instant of the `past`.

    Budgets of a run are about the newest run where none is named.
    """
    budgets = list(budgets)
    if run is None and any(one.span is BudgetPeriod.RUN for one in budgets):
        run = newest_run(ledger)
    return [_status_of(ledger, one, now_us, run=run, past=past) for one in budgets]


def _status_of(ledger: Ledger, budget: Budget, now_us: int, *, run: str | None, past: bool) -> BudgetStatus:
    period = budget.period(now_us)
    if budget.span is not BudgetPeriod.RUN:
        run = None
    elif run is None:
        return evaluate(budget, period, (), now_us)
    chosen = selection(budget, period, until_us=now_us if past else None, run=run)
    return evaluate(budget, period, hourly_usage(ledger, chosen), now_us, run=run)


def selection(budget: Budget, period: Period, *, until_us: int | None = None, run: str | None = None) -> Selection:
    """The calls a budget is about, up to an instant and in one run where these are given."""
    ends = [end for end in (period.end_us, until_us) if end is not None]
    return Selection(
        start_us=period.start_us,
        end_us=min(ends) if ends else None,
        models=budget.models,
        keys=budget.keys,
        labels={**budget.labels, RUN: run} if run is not None else budget.labels,
        code_execution=budget.code_execution,
    )


def hourly_usage(ledger: Ledger, chosen: Selection) -> list[HourlyUsage]:
    """What these calls used in each hour that has some. Tokens are input, intermediate and output."""
    hours = read_hourly_totals(ledger, chosen, _MEASURES)
    return [_usage(hour * HOUR_US, sums) for hour, sums in sorted(hours.items())]


def period_usage(ledger: Ledger, chosen: Selection, at_us: int) -> HourlyUsage:
    """What these calls used in all, as if in the hour of `at_us` (microseconds since 1970, UTC)."""
    return _usage(at_us, read_sums(ledger, chosen, (), _MEASURES).get((), (0,) * len(_MEASURES)))


def _usage(at_us: int, sums: Sequence[int]) -> HourlyUsage:
    calls, costed, cost, failed, unpriced, incomplete, *tokens = sums
    return HourlyUsage(
        at_us=at_us,
        calls=calls,
        costed_calls=costed,
        cost_pico=cost,
        failed_pico=failed,
        unpriced_calls=unpriced,
        incomplete_calls=incomplete,
        tokens=sum(tokens),
    )


def newest_run(ledger: Ledger) -> str | None:
    """The run that began last, because the ids of runs sort by time; None where there was none."""
    return greatest_label(ledger, RUN)

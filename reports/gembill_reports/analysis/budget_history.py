"""How budgets stand and stood: the present period, when its state turned, and the periods before it.

Owns: which periods are looked at and at which moment, and the turns of a state. Not here: sums, and the rules of states
(`gembill.rules.budgets`). Invariant: a period that is over is judged by all its calls, against the budget as it is now;
only rollups are read where the ends of the periods allow it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gembill.budget_status import hourly_usage, newest_run, period_usage, selection
from gembill.ledger import Ledger, read_time_range
from gembill.period import Period
from gembill.rules.budgets import Budget, BudgetPeriod, BudgetState, BudgetStatus, HourlyUsage, evaluate

PERIODS = 12  # before the present one


@dataclass(frozen=True, slots=True)
class Turn:
    """The hour in which a budget came into a state."""

    at_us: int
    state: BudgetState


@dataclass(frozen=True, slots=True)
class BudgetHistory:
    """A budget at a moment, the turns of its state since its period began, and earlier periods, the newest first."""

    status: BudgetStatus
    turns: tuple[Turn, ...]
    past: tuple[BudgetStatus, ...]


def moment(period: Period, now_us: int) -> tuple[int, int | None]:
    """When budgets are looked at beside a report of this period: now, or at its end where it is over.

    The second is where calls end that count, None of now.
    """
    end = period.end_us
    return (now_us, None) if end is None or end > now_us else (end - 1, end)


def budget_histories(
    ledger: Ledger, budgets: Sequence[Budget], at_us: int, until_us: int | None = None
) -> list[BudgetHistory]:
    """Each budget as it stands at the moment, or stood with the calls before `until_us`."""
    extent = read_time_range(ledger)
    first_us = at_us if extent is None else extent[0]
    histories = []
    for budget, status, hours in _present(ledger, budgets, at_us, until_us):
        past = tuple(_over(ledger, budget, period) for period in _earlier(status.period, budget, first_us))
        histories.append(BudgetHistory(status, tuple(_turns(status, hours)), past))
    return histories


def budget_statuses(
    ledger: Ledger, budgets: Sequence[Budget], at_us: int, until_us: int | None = None
) -> list[BudgetStatus]:
    """The same without what was before."""
    return [status for _, status, _ in _present(ledger, budgets, at_us, until_us)]


def _present(
    ledger: Ledger, budgets: Sequence[Budget], at_us: int, until_us: int | None
) -> Iterator[tuple[Budget, BudgetStatus, list[HourlyUsage]]]:
    newest = newest_run(ledger) if any(one.span is BudgetPeriod.RUN for one in budgets) else None
    for budget in budgets:
        period, of_run = budget.period(at_us), budget.span is BudgetPeriod.RUN
        run = newest if of_run else None
        chosen = selection(budget, period, until_us=until_us, run=run)
        hours = [] if of_run and run is None else hourly_usage(ledger, chosen)
        yield budget, evaluate(budget, period, hours, at_us, run=run), hours


def _earlier(period: Period, budget: Budget, first_us: int) -> Iterator[Period]:
    """The periods before, as far as there were calls."""
    for _ in range(PERIODS):
        start = period.start_us
        if start is None or start <= first_us:
            return
        period = budget.period(start - 1)
        yield period


def _over(ledger: Ledger, budget: Budget, period: Period) -> BudgetStatus:
    """The budget at the end of a period; in which hour it was breached is not looked for."""
    assert period.start_us is not None
    assert period.end_us is not None
    usage = period_usage(ledger, selection(budget, period), period.start_us)
    return replace(evaluate(budget, period, [usage], period.end_us - 1), breached_us=None)


def _turns(status: BudgetStatus, hours: Sequence[HourlyUsage]) -> Iterator[Turn]:
    """Each hour with whose calls the state became another, forecasts left out."""
    state, used, unpriced = BudgetState.PASS, 0, 0
    for hour in hours:
        used += hour.tokens if status.budget.in_tokens else hour.cost_pico
        unpriced += hour.unpriced_calls
        reached = replace(status, used=used, unpriced_calls=unpriced, forecast=None).state
        if reached is not state:
            state = reached
            yield Turn(hour.at_us, state)

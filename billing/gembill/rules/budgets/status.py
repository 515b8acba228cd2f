"""The status of a budget: what was used of it, where that leads, and what it is called.

Owns: states, shares, forecasts, the day of a breach, and the exit code of a check (contract.md, Commands). Not here:
sums and wording. Invariant: only integers are compared; a budget over its limit is BREACH whatever else is unknown, and
one that may be over it, because calls have no price, is never PASS.

Forecast: what was used goes on at the same rate, `used * length / elapsed` of the period, rounded half up. It is made
for periods with an end, once calls were made on `FORECAST_DAYS` days of them; with less it would be a guess.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gembill.period import HOUR_US, Period, Unit, containing
from gembill.rules.budgets.budget import WHOLE, Budget, OnUnpriced

FORECAST_DAYS = 3
BREACHED_EXIT, WARNED_EXIT, INCOMPLETE_EXIT = 10, 11, 12


class BudgetState(StrEnum):
    """What a check calls a budget."""

    PASS = "PASS"  # noqa: S105
    WARN = "WARN"
    UNKNOWN = "UNKNOWN"
    BREACH = "BREACH"

    @property
    def severity(self) -> int:
        """Higher is worse."""
        return list(BudgetState).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourlyUsage:
    """What the calls of one hour used. `at_us` is when the hour began; unknown cost counts as 0 here."""

    at_us: int
    calls: int = 0
    costed_calls: int = 0  # those whose cost is known
    cost_pico: int = 0
    tokens: int = 0
    failed_pico: int = 0
    unpriced_calls: int = 0
    incomplete_calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStatus:
    """A budget in a period at an instant. Amounts are in the unit of its limit: pico-dollars or tokens."""

    budget: Budget
    period: Period
    at_us: int
    run: str | None
    calls: int
    used: int
    cost_pico: int | None  # None where nothing is known of what the calls cost
    tokens: int
    failed_pico: int  # estimate: what failed executions cost
    unpriced_calls: int
    incomplete_calls: int
    forecast: int | None
    breached_us: int | None  # the hour in which the limit was passed
    expected_us: int | None  # when it will be at this rate, within the period

    @property
    def share(self) -> int | None:
        """What was used in millionths of the limit, rounded down; None of a limit of 0 that was passed."""
        if not self.budget.limit:
            return None if self.used else 0
        return self.used * WHOLE // self.budget.limit

    @property
    def warnings(self) -> tuple[int, ...]:
        """The thresholds of `warn_at` that were reached, in millionths."""
        return tuple(at for at in self.budget.warn_at if self.used and self.used * WHOLE >= at * self.budget.limit)

    @property
    def forecast_warns(self) -> bool:
        """Whether the forecast reaches `forecast_at`."""
        at = self.budget.forecast_at
        return at is not None and self.forecast is not None and self.forecast * WHOLE >= at * self.budget.limit

    @property
    def warned(self) -> bool:
        """Whether a threshold was reached, also where the state has a more severe name."""
        return bool(self.warnings) or self.forecast_warns

    @property
    def undetermined(self) -> bool:
        """Whether calls without a price may have used more of it than is known."""
        ignored = self.budget.in_tokens or self.budget.on_unpriced is OnUnpriced.IGNORE
        return bool(self.unpriced_calls) and not ignored

    @property
    def state(self) -> BudgetState:
        """The most severe thing that can be said."""
        if self.used > self.budget.limit:
            return BudgetState.BREACH
        if self.undetermined:
            return BudgetState.UNKNOWN
        return BudgetState.WARN if self.warned else BudgetState.PASS


def evaluate(
    budget: Budget, period: Period, usage: Iterable[HourlyUsage], at_us: int, *, run: str | None = None
) -> BudgetStatus:
    """The status of the budget at an instant, given what was used in each hour of the period until then."""
    hours = sorted((one for one in usage if one.calls), key=lambda one: one.at_us)
    used = _used(budget, hours)
    forecast = _forecast(period, hours, used, at_us)
    known = any(one.costed_calls for one in hours)
    return BudgetStatus(
        budget=budget,
        period=period,
        at_us=at_us,
        run=run,
        calls=sum(one.calls for one in hours),
        used=used,
        cost_pico=sum(one.cost_pico for one in hours) if known or not hours else None,
        tokens=sum(one.tokens for one in hours),
        failed_pico=sum(one.failed_pico for one in hours),
        unpriced_calls=sum(one.unpriced_calls for one in hours),
        incomplete_calls=sum(one.incomplete_calls for one in hours),
        forecast=forecast,
        breached_us=_breached(budget, hours),
        expected_us=_expected(budget, period, used, at_us) if forecast is not None else None,
    )


def ordered(statuses: Iterable[BudgetStatus]) -> list[BudgetStatus]:
    """The most severe first, else in the order of the file."""
    return sorted(statuses, key=lambda one: -one.state.severity)


def overall_state(statuses: Iterable[BudgetStatus]) -> BudgetState:
    """The most severe state of all; PASS where there is no budget."""
    return max((one.state for one in statuses), key=lambda state: state.severity, default=BudgetState.PASS)


def exit_code(
    statuses: Sequence[BudgetStatus], *, strict: bool = False, fail_on_warn: bool = False, known: bool = True
) -> int:
    """What a check exits with: 10, 12, 11 or 0, the first that applies. `known`: whether all of a run has its cost."""
    if any(one.state is BudgetState.BREACH for one in statuses):
        return BREACHED_EXIT
    if strict and (not known or any(one.undetermined or one.incomplete_calls for one in statuses)):
        return INCOMPLETE_EXIT
    return WARNED_EXIT if fail_on_warn and any(one.warned for one in statuses) else 0


def _used(budget: Budget, hours: Iterable[HourlyUsage]) -> int:
    return sum(one.tokens if budget.in_tokens else one.cost_pico for one in hours)


def _breached(budget: Budget, hours: Iterable[HourlyUsage]) -> int | None:
    used = 0
    for one in hours:
        used += _used(budget, (one,))
        if used > budget.limit:
            return one.at_us
    return None


def _forecast(period: Period, hours: Sequence[HourlyUsage], used: int, at_us: int) -> int | None:
    if period.start_us is None or period.end_us is None:
        return None
    days = {containing(Unit.DAY, max(one.at_us, period.start_us), period.zone).start_us for one in hours}
    if len(days) < FORECAST_DAYS:
        return None
    length, elapsed = period.end_us - period.start_us, _elapsed(period.start_us, period.end_us, at_us)
    return (2 * used * length + elapsed) // (2 * elapsed)


def _expected(budget: Budget, period: Period, used: int, at_us: int) -> int | None:
    """When the limit will be passed at this rate; None if it was already, or not within the period."""
    if period.start_us is None or period.end_us is None or not 0 < used <= budget.limit:
        return None
    elapsed = _elapsed(period.start_us, period.end_us, at_us)
    at = period.start_us + budget.limit * elapsed // used
    return at if at < period.end_us else None


def _elapsed(start_us: int, end_us: int, at_us: int) -> int:
    """How much of a period is over, at least an hour."""
    return max(HOUR_US, min(at_us, end_us) - start_us)

"""A standing in words and as JSON.

Owns: what every format says of a budget: its keys, its sentence and how amounts are written. Not here: layout.
Invariant: money is exact decimal strings in JSON and never a float; what is unknown is null or said to be unknown.
"""

from typing import Any

from gembill.money import display, usd
from gembill.period import iso, local
from gembill.rules.budgets.budget import WHOLE, Budget, BudgetPeriod
from gembill.rules.budgets.status import FORECAST_DAYS, BudgetState, BudgetStatus

SCHEMA_VERSION = 1


def as_dict(standing: BudgetStatus) -> dict[str, Any]:
    """The standing as JSON carries it. `used_ratio` has 6 decimals, rounded down; instants have an offset."""
    budget, zone = standing.budget, standing.period.zone
    return {
        "name": budget.name,
        "state": standing.state.value,
        "period": {
            "unit": budget.span.value,
            "start": standing.period.start,
            "end": standing.period.end,
            "timezone": standing.period.timezone,
        },
        "run": standing.run,
        "limit_usd": usd(budget.limit_pico),
        "limit_tokens": budget.limit_tokens,
        "spent_usd": usd(standing.cost_pico),
        "spent_tokens": standing.tokens,
        "used_ratio": ratio(standing.share),
        "forecast_usd": None if budget.in_tokens else usd(standing.forecast),
        "forecast_tokens": standing.forecast if budget.in_tokens else None,
        "breached_at": None if standing.breached_us is None else iso(standing.breached_us, zone),
        "forecast_breach_at": None if standing.expected_us is None else iso(standing.expected_us, zone),
        "warnings": [ratio(at) for at in standing.warnings],
        "forecast_warning": standing.forecast_warns,
        "failed_execution_cost_usd_estimate": usd(standing.failed_pico),
        "calls": standing.calls,
        "unpriced_calls": standing.unpriced_calls,
        "incomplete_calls": standing.incomplete_calls,
    }


def rule_dict(budget: Budget) -> dict[str, Any]:
    """The rule as JSON carries it, under the keys of the file."""
    return {
        "name": budget.name,
        "limit_usd": usd(budget.limit_pico),
        "limit_tokens": budget.limit_tokens,
        "period": budget.span.value,
        "timezone": budget.zone.key,
        "models": list(budget.models),
        "labels": dict(budget.labels),
        "keys": list(budget.keys),
        "code_execution": budget.code_execution,
        "warn_at": [ratio(at) for at in budget.warn_at],
        "forecast_at": None if budget.forecast_at is None else ratio(budget.forecast_at),
        "on_unpriced": budget.on_unpriced.value,
    }


def title(standing: BudgetStatus) -> str:
    """What happened, in a few words: `Budget search-team breached: 110%`."""
    happened = {
        BudgetState.BREACH: "breached",
        BudgetState.WARN: "warns",
        BudgetState.UNKNOWN: "cannot be told",
        BudgetState.PASS: "passes",
    }
    return f"Budget {standing.budget.name} {happened[standing.state]}: {percent(standing)}"


def sentence(standing: BudgetStatus) -> str:
    """All that is to be said of it: `$44.19 of $40.00 (110%), since 2026-11-19 14:00; failed runs cost $3.87 of it`."""
    said = [f"{spent(standing)} of {amount(standing.budget, standing.budget.limit)} ({percent(standing)})"]
    said += [part for part in (course(standing), doubts(standing)) if part]
    if standing.failed_pico:
        said.append(f"failed runs cost {display(standing.failed_pico)} of it (estimate)")
    return f"{'; '.join(said)}. {where(standing)}."


def where(standing: BudgetStatus) -> str:
    """The period in words: `This month, America/Los_Angeles`."""
    if standing.budget.span is BudgetPeriod.RUN:
        return f"Run {standing.run}" if standing.run else "No run was recorded yet"
    if standing.period.start is None:
        return "All calls"
    return f"The {standing.budget.span.value} from {standing.period.start[:10]}, {standing.period.timezone}"


def course(standing: BudgetStatus) -> str:
    """Where it leads, or when the limit was passed; empty where too little is known for a forecast."""
    if standing.budget.span is BudgetPeriod.RUN:
        return ""  # a run is shorter than the hours that are known
    if standing.breached_us is not None:
        return f"since {_moment(standing, standing.breached_us)}"
    if standing.forecast is None:
        return ""
    said = f"forecast {amount(standing.budget, standing.forecast)}"
    if standing.expected_us is not None:
        over = amount(standing.budget, standing.forecast - standing.budget.limit)
        said += f", over by {over}, on {_moment(standing, standing.expected_us)[:10]}"
    return said


def doubts(standing: BudgetStatus) -> str:
    """What is not known of the calls."""
    said = []
    if standing.unpriced_calls:
        said.append(f"{standing.unpriced_calls:,} without a price")
    if standing.incomplete_calls:
        said.append(f"{standing.incomplete_calls:,} may lack tokens")
    calls = "1 call" if standing.calls == 1 else f"{standing.calls:,} calls"
    return f"of {calls} {' and '.join(said)}" if said else ""


def spent(standing: BudgetStatus) -> str:
    """What was used, as people write it."""
    if standing.cost_pico is None and not standing.budget.in_tokens:
        return "unknown"
    return amount(standing.budget, standing.used)


def amount(budget: Budget, value: int) -> str:
    """An amount in the budget's unit, as people write it."""
    return f"{value:,} tokens" if budget.in_tokens else display(value)


def percent(standing: BudgetStatus) -> str:
    """The share in whole percent, rounded down; a non-zero value is not called 0%."""
    if standing.share is None:
        return "over nothing"
    if standing.used and standing.share < WHOLE // 100:
        return "<1%"
    return f"{standing.share * 100 // WHOLE}%"


def ratio(share: int | None) -> str | None:
    """Millionths as a decimal string."""
    return None if share is None else f"{share // WHOLE}.{share % WHOLE:06d}"


def forecast_note() -> str:
    """How forecasts are made."""
    return f"Forecasts go on at the rate so far, once there were calls on {FORECAST_DAYS} days of the period."


def _moment(standing: BudgetStatus, at_us: int) -> str:
    return local(at_us, standing.period.zone).strftime("%Y-%m-%d %H:%M")

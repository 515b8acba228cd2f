"""The status of a budget in words and as JSON.

Owns: what every format says of a budget: its keys, its sentence and how amounts are written. Not here: layout.
Invariant: money is exact decimal strings in JSON and never a float; what is unknown is null or said to be unknown.
"""

from typing import Any

from gembill.money import display, usd
from gembill.period import iso, local
from gembill.rules.budgets.budget import WHOLE, Budget, BudgetPeriod
from gembill.rules.budgets.status import FORECAST_DAYS, BudgetState, BudgetStatus

SCHEMA_VERSION = 1


def as_dict(status: BudgetStatus) -> dict[str, Any]:
    """The status as JSON carries it. `used_ratio` has 6 decimals, rounded down; instants have an offset."""
    budget, zone = status.budget, status.period.zone
    return {
        "name": budget.name,
        "state": status.state.value,
        "period": {
            "unit": budget.span.value,
            "start": status.period.start,
            "end": status.period.end,
            "timezone": status.period.timezone,
        },
        "run": status.run,
        "limit_usd": usd(budget.limit_pico),
        "limit_tokens": budget.limit_tokens,
        "spent_usd": usd(status.cost_pico),
        "spent_tokens": status.tokens,
        "used_ratio": ratio(status.share),
        "forecast_usd": None if budget.in_tokens else usd(status.forecast),
        "forecast_tokens": status.forecast if budget.in_tokens else None,
        "breached_at": None if status.breached_us is None else iso(status.breached_us, zone),
        "forecast_breach_at": None if status.expected_us is None else iso(status.expected_us, zone),
        "warnings": [ratio(at) for at in status.warnings],
        "forecast_warning": status.forecast_warns,
        "failed_execution_cost_usd_estimate": usd(status.failed_pico),
        "calls": status.calls,
        "unpriced_calls": status.unpriced_calls,
        "incomplete_calls": status.incomplete_calls,
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


def title(status: BudgetStatus) -> str:
    """What happened, in a few words: `Budget search-team breached: 110%`."""
    happened = {
        BudgetState.BREACH: "breached",
        BudgetState.WARN: "warns",
        BudgetState.UNKNOWN: "cannot be determined",
        BudgetState.PASS: "passes",
    }
    return f"Budget {status.budget.name} {happened[status.state]}: {percent(status)}"


def sentence(status: BudgetStatus) -> str:
    """All that is to be said of it: `$44.19 of $40.00 (110%), since 2026-11-19 14:00; failed runs cost $3.87 of it`."""
    said = [f"{spent(status)} of {amount(status.budget, status.budget.limit)} ({percent(status)})"]
    said += [part for part in (course(status), doubts(status)) if part]
    if status.failed_pico:
        said.append(f"failed runs cost {display(status.failed_pico)} of it (estimate)")
    return f"{'; '.join(said)}. {where(status)}."


def where(status: BudgetStatus) -> str:
    """The period in words: `This month, America/Los_Angeles`."""
    if status.budget.span is BudgetPeriod.RUN:
        return f"Run {status.run}" if status.run else "No run was recorded yet"
    if status.period.start is None:
        return "All calls"
    return f"The {status.budget.span.value} from {status.period.start[:10]}, {status.period.timezone}"


def course(status: BudgetStatus) -> str:
    """Where it leads, or when the limit was passed; empty where too little is known for a forecast."""
    if status.budget.span is BudgetPeriod.RUN:
        return ""  # a run is shorter than the hours that are known
    if status.breached_us is not None:
        return f"since {_moment(status, status.breached_us)}"
    if status.forecast is None:
        return ""
    said = f"forecast {amount(status.budget, status.forecast)}"
    if status.expected_us is not None:
        over = amount(status.budget, status.forecast - status.budget.limit)
        said += f", over by {over}, on {_moment(status, status.expected_us)[:10]}"
    return said


def doubts(status: BudgetStatus) -> str:
    """What is not known of the calls."""
    said = []
    if status.unpriced_calls:
        said.append(f"{status.unpriced_calls:,} without a price")
    if status.incomplete_calls:
        said.append(f"{status.incomplete_calls:,} may lack tokens")
    calls = "1 call" if status.calls == 1 else f"{status.calls:,} calls"
    return f"of {calls} {' and '.join(said)}" if said else ""


def spent(status: BudgetStatus) -> str:
    """What was used, as people write it."""
    if status.cost_pico is None and not status.budget.in_tokens:
        return "unknown"
    return amount(status.budget, status.used)


def amount(budget: Budget, value: int) -> str:
    """An amount in the budget's unit, as people write it."""
    return f"{value:,} tokens" if budget.in_tokens else display(value)


def percent(status: BudgetStatus) -> str:
    """The share in whole percent, rounded down; a non-zero value is not called 0%."""
    if status.share is None:
        return "over nothing"
    if status.used and status.share < WHOLE // 100:
        return "<1%"
    return f"{status.share * 100 // WHOLE}%"


def ratio(share: int | None) -> str | None:
    """Millionths as a decimal string."""
    return None if share is None else f"{share // WHOLE}.{share % WHOLE:06d}"


def forecast_note() -> str:
    """How forecasts are made."""
    return f"Forecasts go on at the rate so far, once there were calls on {FORECAST_DAYS} days of the period."


def _moment(status: BudgetStatus, at_us: int) -> str:
    return local(at_us, status.period.zone).strftime("%Y-%m-%d %H:%M")

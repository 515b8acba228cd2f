"""A forecast beside a report: one sentence, and its part of the JSON.

Owns: those. Not here: the estimate and its range (`gembill_reports.analysis.forecast`). Invariant: an amount is never
written without its range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gembill.money import usd
from gembill_reports.layout.sheet import money

if TYPE_CHECKING:
    from gembill_reports.analysis.forecast import Forecast


def sentence(forecast: Forecast) -> str:
    """The forecast in words."""
    drawn = f"drawn from {forecast.days} whole days"
    changed = f", with announced price changes ({'; '.join(_changes(forecast))})" if forecast.changes else ""
    return (
        f"Forecast until {forecast.end}: {money(forecast.cost_pico)}, likely {money(forecast.low_pico)} to "
        f"{money(forecast.high_pico)}; {drawn}{changed}."
    )


def forecast_dict(forecast: Forecast) -> dict[str, Any]:
    """The forecast as JSON carries it."""
    return {
        "end": forecast.end,
        "cost_usd_estimate": usd(forecast.cost_pico),
        "low_usd_estimate": usd(forecast.low_pico),
        "high_usd_estimate": usd(forecast.high_pico),
        "whole_days": forecast.days,
        "announced_price_changes": _changes(forecast),
    }


def _changes(forecast: Forecast) -> list[str]:
    return [f"{model} on {day}" for model, day in forecast.changes]

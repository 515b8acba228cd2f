"""A forecast beside a report: its sentence and its JSON."""

from dataclasses import replace
from datetime import date

from gembill.money import PICO_PER_USD
from gembill_reports.analysis.forecast import Forecast
from gembill_reports.views.forecast import forecast_dict, sentence

TWELVE = Forecast(
    end="2026-12-01T00:00:00+00:00",
    cost_pico=12 * PICO_PER_USD,
    low_pico=11 * PICO_PER_USD,
    high_pico=13 * PICO_PER_USD,
    days=10,
)


def test_the_sentence_has_the_range_and_what_it_is_drawn_from() -> None:
    assert sentence(TWELVE) == (
        "Forecast until 2026-12-01T00:00:00+00:00: $12.00, likely $11.00 to $13.00; drawn from 10 whole days."
    )


def test_announced_price_changes_are_named() -> None:
    changed = replace(TWELVE, changes=(("gemini-3-pro", date(2026, 11, 21)),))
    assert sentence(changed).endswith(", with announced price changes (gemini-3-pro on 2026-11-21).")
    assert forecast_dict(changed)["announced_price_changes"] == ["gemini-3-pro on 2026-11-21"]


def test_amounts_in_json_are_exact_and_called_estimates() -> None:
    shape = forecast_dict(TWELVE)
    assert shape["cost_usd_estimate"] == "12.000000000000"
    assert (shape["low_usd_estimate"], shape["high_usd_estimate"]) == ("11.000000000000", "13.000000000000")

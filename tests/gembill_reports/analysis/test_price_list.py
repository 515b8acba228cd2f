"""Which price rows are in force."""

from gembill.period import instant, zone
from gembill.rules.prices import bundled
from gembill_reports.analysis.price_list import price_list

AT = instant("2026-11-21", zone())


def test_rows_are_those_in_force_then_by_model_and_tier() -> None:
    rows = price_list(bundled(), AT, ["gemini-2.5-*"], ["batch"]).rows
    assert {row.service_tier for row in rows} == {"batch"}
    assert {row.model for row in rows} >= {"gemini-2.5-pro", "gemini-2.5-flash"}
    assert all(row.effective_to_us is None or row.effective_to_us > AT for row in rows)
    later = price_list(bundled(), instant("2026-12-01", zone()), ["gemini-4-argon"]).rows
    assert all(row.id.endswith("@2026-12-01") for row in later)


def test_another_name_of_a_model_finds_it() -> None:
    assert {row.model for row in price_list(bundled(), AT, ["gemini-flash-latest"]).rows} == {"gemini-3.8-flash"}

"""Prices with one row a model."""

import pytest

from gembill.model import Meter, Modality
from gembill.money import unit_price
from gembill.rules.prices import NoPrice, bundled
from gembill_reports.analysis.price_table import price_history, price_table
from tests.gembill_reports.making import us

NOW = us("2026-11-21T09:00:00+00:00")


def test_every_model_in_force_is_there_once_with_the_figures_of_its_tariffs() -> None:
    book = bundled()
    table = price_table(book, NOW)
    assert [one.model for one in table] == sorted({one.model for one in table}, key=[*book.models].index)
    for one in table:
        for figures in one.tiers:
            price = book.price(
                one.model, Meter.INPUT, Modality.TEXT, service_tier=figures.tier, prompt_tokens=0, at_us=NOW
            )
            assert figures.input == (None if isinstance(price, NoPrice) else price.unit_pico)
    assert sum(one.rows for one in table) > 50


def test_long_prompts_have_their_own_figures() -> None:
    pro = next(one for one in price_table(bundled(), NOW) if one.model == "gemini-2.5-pro").standard
    assert (pro.tier, pro.long_above) == ("standard", 200_000)
    assert (pro.long_input, pro.long_output) == (unit_price("2.50"), unit_price("15.00"))


def test_a_change_to_come_and_a_shut_down_are_named() -> None:
    table = price_table(bundled(), NOW)
    assert any(one.next_change_us and one.next_change_us > NOW for one in table)
    assert any(one.shut_down for one in table)


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-3-flash-preview"])
def test_a_history_has_every_row_of_a_model_the_newest_first(model: str) -> None:
    rows = price_history(bundled(), model)
    assert sorted(row.id for row in rows) == sorted(row.id for row in bundled().rows if row.model == model)
    times = [row.effective_from_us or 0 for row in rows]
    assert times == sorted(times, reverse=True)

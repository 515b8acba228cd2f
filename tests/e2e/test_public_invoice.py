"""A public invoice priced from the bundled list, line by line.

`tests/data/public_invoice.csv` has the bare counts and sums of 59 lines of an invoice that a user of the API published
(December 2025 to September 2026, Australian dollars, months with Google's exchange rate).
"""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from gembill.model import Price
from gembill.money import PICO_PER_USD
from gembill.period import instant, zone
from gembill.reconcile.sku import Sku, read
from gembill.reconcile.sku_price import price_of
from gembill.rules.prices import bundled

HALF_A_CENT = Decimal("0.005")
HALF_A_RATE = Decimal("0.00005")  # exchange rates are printed with four decimals
LINES = list(csv.DictReader((Path(__file__).parents[1] / "data/public_invoice.csv").open(encoding="utf-8")))


def test_the_file_has_token_lines_and_storage_of_ten_months() -> None:
    assert len(LINES) == 59
    assert (LINES[0]["month"], LINES[-1]["month"]) == ("2025-12", "2026-09")


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['month']} {line['sku']}")
def test_a_line_of_the_invoice_costs_what_was_billed(line: dict[str, str]) -> None:
    sku = read(line["sku"])
    assert isinstance(sku, Sku), sku
    price = price_of(bundled(), sku, instant(f"{line['month']}-28", zone()))
    assert isinstance(price, Price), price
    usd = price.unit_pico * Decimal(line["usage_amount"]) / PICO_PER_USD
    difference = abs(usd * Decimal(line["aud_per_usd"]) - Decimal(line["cost_aud"]))
    assert difference <= HALF_A_CENT + usd * HALF_A_RATE

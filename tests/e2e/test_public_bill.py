"""The public invoice as cost tables, read and held against charges of the same tokens."""

from fractions import Fraction

import pytest

from gembill.model import Meter
from gembill.money import PICO_PER_USD
from gembill.period import midnight, zone
from gembill.reconcile.bill_files import checked, recognise
from gembill.reconcile.comparison import Comparison, Ours, compare
from gembill.reconcile.numerals import date_of, month_days
from gembill.reconcile.residue import Name
from gembill.reconcile.sku import read
from gembill.reconcile.sku_price import price_of
from gembill.reconcile.sums import Usage
from gembill.rules.prices import bundled
from tests.e2e.test_public_invoice import LINES
from tests.gembill.reconcile.ledgers import totals

BOOK = bundled()
MONTHS = sorted({line["month"] for line in LINES})
HEADER = (
    "Project name,Project ID,Service description,SKU description,SKU ID,Cost type,Usage start date,Usage end date,"
    "Usage amount,Usage unit,Cost (A$)"
)


def cost_table(month: str) -> str:
    lines = [line for line in LINES if line["month"] == month]
    preamble = f"Invoice date,{month}-28\nCurrency,AUD\nCurrency exchange rate,{lines[0]['aud_per_usd']}\n\n"
    span = f"{month}-01,{date_of(month_days(month)[1]).isoformat()}"
    rows = (
        f"P,p,Gemini API,{line['sku']},,Usage,{span},{line['usage_amount']},{line['usage_unit']},{line['cost_aud']}"
        for line in lines
    )
    return preamble + HEADER + "\n" + "\n".join(rows) + "\n"


def charges(month: str) -> list[Usage]:
    """What a ledger has that recorded these tokens and charged list prices; cached tokens of batches at half."""
    first = month_days(month)[0]
    usages = []
    for line in (line for line in LINES if line["month"] == month and line["usage_unit"] == "count"):
        sku = read(line["sku"])
        price = price_of(BOOK, sku, midnight(date_of(first + 27), zone())).unit_pico
        batch = "cached" in line["sku"] and "3.7" in line["sku"] and "flex" not in line["sku"]
        quantity = int(line["usage_amount"])
        usages.append(
            Usage(
                day=first,
                model=sku.model,
                service_tier="batch" if batch else sku.tier,
                project=None,
                meter=sku.meter,
                modality=sku.kind,
                long=False,
                lifted=False,
                grounded=False,
                edge=0,
                quantity=quantity,
                cost_pico=quantity * price // (2 if batch else 1),
            )
        )
    return usages


def held(month: str) -> Comparison:
    lines = checked(recognise(cost_table(month).splitlines(keepends=True), "invoice"), "invoice")
    comparison = compare(totals(lines), Ours(usages=charges(month)), BOOK, now_day=month_days(month)[1] + 40)
    assert sum((money for _, money in comparison.sums.values()), Fraction(0)) == comparison.billed - comparison.ours
    return comparison


@pytest.mark.parametrize("month", MONTHS)
def test_a_month_is_reconciled(month: str) -> None:
    comparison = held(month)
    assert comparison.currency == "AUD"
    assert comparison.is_reconciled
    names = {name for name, (amount, money) in comparison.sums.items() if amount or money} - {Name.ROUNDING}
    assert names <= {Name.NOT_METERED, *({Name.PRICE} if month == "2026-09" else ())}


def test_cached_tokens_of_the_batch_are_a_price_residue_of_half_their_cost() -> None:
    comparison = held("2026-09")
    cached = [
        line for line in LINES if line["month"] == "2026-09" and "cached input" in line["sku"] and "3.7" in line["sku"]
    ]
    tokens = sum(int(line["usage_amount"]) for line in cached)
    half = Fraction(tokens * 37_500, PICO_PER_USD) * Fraction("1.3905")  # 0.0375 dollars a million
    assert len(cached) == 2
    assert abs(comparison.sums[Name.PRICE][1] / PICO_PER_USD - half) < Fraction("0.01")
    assert all(one.cell.meter == "cached_input" for one in comparison.residues if one.name == Name.PRICE)
    assert Meter.CACHED_INPUT in {usage.meter for usage in charges("2026-09")}

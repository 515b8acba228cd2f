"""FOCUS rows: the columns of the specification, and costs that add up."""

import json
import re
from collections import defaultdict
from decimal import Decimal
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from gembill.config import Settings
from gembill.ledger import Ledger, Selection, read_charges, read_records
from gembill.money import unit_price, usd
from gembill.price_catalog import rows_of, terms
from gembill_reports.analysis.receipt import receipt
from gembill_reports.exports import focus
from tests.gembill.calls import event
from tests.gembill.calls import put as put_events
from tests.gembill_reports.making import FAILED, OK, call, put

PACIFIC = ZoneInfo("America/Los_Angeles")
MANDATORY = {
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ServiceCategory",
    "ServiceName",
    "ProviderName",
    "PublisherName",
}


def rows(ledger: Ledger) -> list[dict[str, str]]:
    records = list(read_records(ledger, Selection()))
    return [row for one in records for row in focus.rows(receipt(one, read_charges(ledger, one), {}), PACIFIC)]


def test_every_row_has_every_column_and_ours_stand_last(ledger: Ledger) -> None:
    put(ledger, call("2026-11-01T06:30:00+00:00", (1, 2, 3), outcomes=[OK, FAILED], labels={"team": "a"}))
    made = rows(ledger)
    assert all(set(row) == set(focus.COLUMNS) for row in made)
    assert set(focus.COLUMNS) >= MANDATORY
    own = [name.startswith("x_") for name in focus.COLUMNS]
    assert own == sorted(own)
    first = made[0]
    assert (first["BillingPeriodStart"], first["BillingPeriodEnd"]) == ("2026-10-01T07:00:00Z", "2026-11-01T07:00:00Z")
    assert (first["ChargePeriodStart"], first["ChargePeriodEnd"]) == ("2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z")
    assert json.loads(first["Tags"]) == {"team": "a"}
    assert first["InvoiceId"] is None
    assert {row["x_CostBasis"] for row in made} == {"estimate-list-price"}


def test_costs_quantities_and_counts_add_up(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-11-05T10:00:00+00:00", (1, 2, 3), outcomes=[OK, FAILED]),
        call("2026-11-05T11:00:00+00:00", (7, 0, 0)),
    )
    made = rows(ledger)
    cost = 10 * unit_price("0.50") + 3 * unit_price("3.00")
    assert sum(Decimal(row["BilledCost"]) for row in made) == Decimal(usd(cost))
    for row in made:
        assert Decimal(row["PricingQuantity"]) * Decimal(row["ListUnitPrice"]) == Decimal(row["ListCost"])
        assert Decimal(row["ConsumedQuantity"]) == Decimal(row["PricingQuantity"]) * 10**6
    assert sum(int(row["x_RequestCount"]) for row in made) == 2
    assert sum(int(row["x_ExecutionCount"]) for row in made) == 2
    assert sum(int(row["x_FailedExecutionCount"]) for row in made) == 1


def test_intermediate_tokens_have_the_sku_of_input_and_their_own_kind(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", (1, 2, 3)))
    by_kind = {row["x_TokenKind"]: row for row in rows(ledger)}
    assert set(by_kind) == {"prompt", "intermediate", "output"}
    assert by_kind["prompt"]["SkuId"] == by_kind["intermediate"]["SkuId"] != by_kind["output"]["SkuId"]
    assert by_kind["intermediate"]["PricingUnit"] == "1000000 Tokens"
    details = json.loads(by_kind["output"]["SkuPriceDetails"])
    assert details["x_TokenDirection"] == "Output"
    assert all(re.match("x_", key) for key in details)


def test_a_price_has_one_sku_under_every_policy_and_name(ledger: Ledger) -> None:
    """SkuPriceId-C-008-M of focus-validator: one and only one parent SkuId."""
    models = ("gemini-3.1-flash-lite", "gemini-3.1-flash-lite-preview")  # the second is an alias of the first
    tiers = ("provisioned", "batch")
    calls = [event(n, model=model, tier=tier) for n, (model, tier) in enumerate(product(models, tiers), 1)]
    put_events(ledger, terms(ledger, Settings()), *calls)
    skus = defaultdict(set)
    for stored in read_records(ledger, Selection()):
        posted = read_charges(ledger, stored)
        prices = rows_of(ledger, Settings(), (one.charge.price_id for one in posted))
        for row in focus.rows(receipt(stored, posted, prices), PACIFIC):
            skus[row["SkuPriceId"]].add(row["SkuId"])
    assert [price for price, of in skus.items() if len(of) > 1] == []
    assert sum("policy/provisioned_throughput/" in price for price in skus) == 2 * 2  # models, each input and output
    assert sum("/batch" in sku for (sku,) in skus.values()) == 4  # input, intermediate, output, thinking of one model


def test_a_free_call_costs_nothing_and_shows_its_list_cost(ledger: Ledger) -> None:
    settings = Settings(free_tier_keys=("-free",))
    put_events(ledger, terms(ledger, settings), event(1, key="-free"), event(2, key="-paid"))
    by_key = defaultdict(list)
    for stored in read_records(ledger, Selection()):
        posted = read_charges(ledger, stored)
        prices = rows_of(ledger, settings, (one.charge.price_id for one in posted))
        for row in focus.rows(receipt(stored, posted, prices), PACIFIC):
            by_key[row["x_Key"]].append(row)
    assert {row["BilledCost"] for row in by_key["-free"]} == {usd(0)}
    listed = ("SkuId", "ListCost", "ListUnitPrice", "PricingQuantity")
    assert [[row[name] for name in listed] for row in by_key["-free"]] == [
        [row[name] for name in listed] for row in by_key["-paid"]
    ]
    assert sum(Decimal(row["ListCost"]) for row in by_key["-free"]) > 0


def test_a_call_without_a_price_has_no_row(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", (1, 2, 3), "new"), call("2026-11-05T10:00:00+00:00", None))
    assert rows(ledger) == []


@pytest.mark.parametrize(
    ("tokens", "said"), [(8_400_000, "8.4"), (0, "0"), (1, "0.000001"), (2_000_000, "2"), (-1, "-0.000001")]
)
def test_millions_are_exact(tokens: int, said: str) -> None:
    assert focus.millions(tokens) == said

"""Charges as FOCUS rows, the FinOps community's format for bills.

Owns: the columns of FOCUS 1.2 (formats.md 1), our `x_` columns, and how a line of a receipt becomes a row. Not here:
charges. Invariant: costs of the rows add up to the cost of the calls; a call without a price has no row, because FOCUS
has no word for "unknown" and 0 would be wrong. The cost basis is marked: an estimate at list price, or reconciled.

Intermediate tokens have the SkuId of input, because Google has no SKU of their own, and `x_TokenKind` tells them apart.
Keys of SkuPriceDetails that FOCUS has not defined begin with `x_`. A SkuPriceId has one SkuId: a policy that is a price
without a row, such as that of prepaid throughput, holds for many SKUs, and so its id is followed by the SKU's.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from gembill.ledger import LedgerRecord
from gembill.model import Meter, Modality, Record
from gembill.money import usd
from gembill.period import HOUR_US, Period, Unit, containing, local, tz_version
from gembill_reports.analysis.receipt import Receipt, ReceiptLine

VERSION = "1.2"
_UTC = ZoneInfo("UTC")
_MILLION = 10**6
_KINDS = {
    Meter.INPUT: "prompt",
    Meter.CACHED_INPUT: "cached",
    Meter.INTERMEDIATE: "intermediate",
    Meter.OUTPUT: "output",
    Meter.THINKING: "thinking",
}  # of any other meter, its own name
_METERS = {
    Meter.INPUT: "Input Tokens",
    Meter.CACHED_INPUT: "Cache Read Input Tokens",
    Meter.INTERMEDIATE: "Input Tokens",
    Meter.OUTPUT: "Output Tokens",
    Meter.THINKING: "Output Tokens",
    Meter.GROUNDING: "Grounding Searches",
    Meter.MAPS: "Maps Lookups",
}
_UNITS = {"searches": "Requests", "lookups": "Requests"}
_SKUS = {Meter.INTERMEDIATE: Meter.INPUT, Meter.THINKING: Meter.OUTPUT}  # billed under the SKU of the other
COLUMNS = (
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd"),
    *("BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd"),
    *("ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice"),
    *("EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory"),
    *("PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName"),
    *("ServiceCategory", "ServiceName"),
    *("ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId"),
    *("SubAccountName", "SubAccountType", "Tags"),
    *("x_CallId", "x_CostBasis", "x_ExecutionCount", "x_FailedExecutionCount", "x_Key", "x_Location"),
    *("x_RequestCount", "x_ServiceTier", "x_Timezone", "x_TimezoneDatabase", "x_TokenKind"),
)


LIST_PRICE, RECONCILED = "estimate-list-price", "reconciled"


def rows(
    receipt: Receipt,
    zone: ZoneInfo,
    account: str = "unknown",
    is_reconciled: Callable[[Record, Meter, Modality | None], bool] = lambda *_: False,
) -> Iterator[dict[str, Any]]:
    """A row for each charged line of a call. `zone` is the calendar of billing periods, `account` names who pays.

    `is_reconciled` says whether a charge is on Google's bill as it is here.

    Counts of requests and executions are on a call's first row only, so that they can be added up.
    """
    if receipt.stored.cost_pico is None:
        return
    charged = [line for line in receipt.lines if line.cost_pico is not None]
    for number, line in enumerate(charged):
        basis = RECONCILED if is_reconciled(receipt.stored.record, line.meter, line.modality) else LIST_PRICE
        about = _call(receipt.stored, zone, account) | {"x_CostBasis": basis}
        yield about | _charge(receipt.stored, line) | _counts(receipt.stored, number)


def by_day(rows: Iterable[dict[str, Any]], day: Period) -> Iterator[dict[str, Any]]:
    """The rows of the calls of one day, added up where they differ in nothing but amounts, counts and call.

    A row is then of a day, a model and whatever else decides its price or says whose it is: meter, tier, key, place and
    labels.
    """
    ends = {"ChargePeriodStart": _moment(day.start_us or 0), "ChargePeriodEnd": _moment(day.end_us or 0)}
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        one = row | ends | {"x_CallId": None}
        key = tuple(one[name] for name in COLUMNS if name not in _ADDED)
        known = sums.get(key)
        sums[key] = one if known is None else known | {name: _ADDED[name](known[name], one[name]) for name in _ADDED}
    for row in sums.values():
        quantity = int(row["ConsumedQuantity"])
        yield row | {"PricingQuantity": millions(quantity) if row["ConsumedUnit"] == "Tokens" else str(quantity)}


def _counted(one: str, other: str) -> str:
    return str(int(one) + int(other))


def _amount(one: str | None, other: str | None) -> str | None:
    """Two amounts with 12 decimals added up exactly."""
    pico = [int(amount.replace(".", "")) for amount in (one, other) if amount is not None]
    return usd(sum(pico)) if pico else None


_ADDED: dict[str, Callable[[Any, Any], str | None]] = {
    **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), _amount),
    **dict.fromkeys(("ConsumedQuantity", "x_RequestCount", "x_ExecutionCount", "x_FailedExecutionCount"), _counted),
    "PricingQuantity": lambda *_: None,  # written of the sum
}


def _call(stored: LedgerRecord, zone: ZoneInfo, account: str) -> dict[str, Any]:
    record = stored.record
    month = containing(Unit.MONTH, record.occurred_us, zone)
    hour = record.occurred_us // HOUR_US * HOUR_US
    return {
        "BillingAccountId": account,
        "BillingAccountName": account,
        "BillingCurrency": "USD",
        "BillingPeriodStart": _moment(month.start_us or 0),
        "BillingPeriodEnd": _moment(month.end_us or 0),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": _moment(hour),
        "ChargePeriodEnd": _moment(hour + HOUR_US),
        "InvoiceId": None,  # recommended; null because a charge of ours is on no invoice
        "InvoiceIssuerName": "Google Cloud",
        "PricingCategory": "Standard",
        "ProviderName": "Google Cloud",
        "PublisherName": "Google",
        "ServiceCategory": "AI and Machine Learning",
        **_place(record),
        "ServiceSubcategory": "Generative AI",
        "ServiceName": "Gemini API",
        "Tags": json.dumps(record.labels, ensure_ascii=False, sort_keys=True),
        "x_CallId": record.id,
        "x_Key": record.key,
        "x_ServiceTier": record.service_tier,
        "x_Timezone": zone.key,
        "x_TimezoneDatabase": tz_version(),
    }


def _place(record: Record) -> dict[str, str | None]:
    """Where a Vertex call ran and in whose project. `global` is not a region, so that only `x_Location` has it.

    The path knows a project by its id or number alone, which is then its name too.
    """
    region = None if record.location == "global" else record.location
    return {
        "RegionId": region,
        "RegionName": region,
        "SubAccountId": record.project,
        "SubAccountName": record.project,
        "SubAccountType": None if record.project is None else "Project",
        "x_Location": record.location,
    }


def _charge(stored: LedgerRecord, line: ReceiptLine) -> dict[str, Any]:
    record = stored.record
    unit, listed = line.unit_pico or 0, line.list_unit_pico or 0
    by_million = line.meter.unit == "tokens"
    size = _MILLION if by_million else 1
    model, sku = record.model or "unknown", _sku(stored, line)
    kind = line.modality.value if line.modality is not None else "text"
    quantity, unit_name = str(line.quantity), _UNITS.get(line.meter.unit, line.meter.unit.title())
    kind_of_use = _KINDS.get(line.meter, line.meter.value)
    return {
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost"), usd(line.quantity * unit)),
        "ContractedUnitPrice": usd(unit * size),
        "ListCost": usd(line.quantity * listed),
        "ListUnitPrice": usd(listed * size),
        "ChargeDescription": f"{model} {kind_of_use} {line.meter.unit} ({kind})",
        "ConsumedQuantity": quantity,
        "ConsumedUnit": unit_name,
        "PricingQuantity": millions(line.quantity) if by_million else quantity,
        "PricingUnit": "1000000 Tokens" if by_million else unit_name,
        "SkuId": sku,
        "SkuMeter": _METERS.get(line.meter, line.meter.value.replace("_", " ").title()),
        "SkuPriceId": line.price_id if line.price is not None else f"{line.price_id}/{sku}",
        "SkuPriceDetails": _details(stored, line),
        "x_TokenKind": kind_of_use,
    }


def _sku(stored: LedgerRecord, line: ReceiptLine) -> str:
    """What was bought: by the model of the price row, not by another name of it, because a price has one SKU only."""
    model = (line.price.model if line.price is not None else stored.record.model) or "unknown"
    kind = line.modality.value if line.modality is not None else "text"
    return f"gemini/{model}/{_SKUS.get(line.meter, line.meter).value}/{kind}/{stored.record.service_tier}"


def _details(stored: LedgerRecord, line: ReceiptLine) -> str:
    details = {"x_ModelDeveloper": "Google", "x_ModelFamily": "Gemini", "x_ModelId": stored.record.model}
    if line.meter.unit == "tokens":
        output = line.meter in (Meter.OUTPUT, Meter.THINKING)
        details["x_TokenDirection"] = "Output" if output else "Input"
        if not output:
            details["x_TokenCacheAction"] = "Read" if line.meter is Meter.CACHED_INPUT else "Uncached"
    return json.dumps(details, sort_keys=True)


def _counts(stored: LedgerRecord, number: int) -> dict[str, Any]:
    first = number == 0
    return {
        "x_RequestCount": "1" if first else "0",
        "x_ExecutionCount": str(len(stored.record.executions) if first else 0),
        "x_FailedExecutionCount": str(stored.record.failed if first else 0),
    }


def millions(tokens: int) -> str:
    """Tokens in millions as an exact decimal: 8,400,000 is `8.4`."""
    sign, tokens = ("-" if tokens < 0 else ""), abs(tokens)
    whole, part = divmod(tokens, _MILLION)
    return f"{sign}{whole}.{part:06d}".rstrip("0").rstrip(".")


def _moment(at_us: int) -> str:
    return local(at_us, _UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

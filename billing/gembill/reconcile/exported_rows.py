"""Rows of Google's exports to BigQuery, saved as CSV or as JSON Lines: standard, detailed, and FOCUS 1.2.

Owns: what a row says. Not here: files, and which export a file is (`bill_files`). Invariant: a row with credits becomes
one line for the usage and one for each credit; a row that lacks what decides money is a complaint, never a zero.

Names are those of the schema with `_` for `.`, as a query that flattens the table gives them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from gembill.period import day_of, us, zone
from gembill.reconcile.bill_line import BadLine, BillLine, LineKind
from gembill.reconcile.numerals import Unreadable, month_days, scaled

Row = Mapping[str, Any]
_PACIFIC = zone()
_DECIMALS = 6  # costs in exports are binary numbers; written out they agree with the invoice to so many digits
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_COST_TYPES = {
    "regular": LineKind.USAGE,
    "": LineKind.USAGE,
    "usage": LineKind.USAGE,
    "purchase": LineKind.USAGE,
    "tax": LineKind.TAX,
    "adjustment": LineKind.ADJUSTMENT,
    "rounding_error": LineKind.ROUNDING,
    "credit": LineKind.CREDIT,
}
_SHARED = (  # what rows of one SKU and project have in common
    *("cost_type", "service_description", "sku_id", "sku_description", "project_id"),
    *("location_region", "location_location", "usage_unit", "currency", "currency_conversion_rate", "invoice_month"),
)
_SECOND = len("2026-11-28 12:00:00")


def flat(document: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """A nested row with names joined by `_`; lists stay as they are."""
    row: dict[str, Any] = {}
    _flatten(row, document, above)
    return row


def _flatten(row: dict[str, Any], document: Mapping[str, Any], above: str) -> None:
    for name, value in document.items():
        if type(value) is dict:
            _flatten(row, value, f"{above}{name}_")
        else:
            row[f"{above}{name}"] = value


def read(
    rows: Iterator[tuple[int, Row]], lines_of: Callable[[int, Row], list[BillLine]]
) -> Iterator[BillLine | BadLine]:
    """The lines that `lines_of` makes of each row, complaints in their place."""
    for number, row in rows:
        try:
            lines = lines_of(number, row)
        except Unreadable as error:
            yield BadLine(number, str(error))
        else:
            yield from lines


def bigquery_lines(number: int, row: Row) -> list[BillLine]:
    """The lines of a row of the standard or the detailed export."""
    shared = _shared(tuple(map(row.get, _SHARED)))
    cost = scaled(_needed(row, "cost"), 12)[0]
    first_day, last_day = _days(_text(row, "usage_start_time"), _text(row, "usage_end_time"), shared.month)
    usage = replace(
        shared,
        number=number,
        first_day=first_day,
        last_day=last_day,
        amount_micro=scaled(_text(row, "usage_amount") or "0", 6)[0] if shared.kind is LineKind.USAGE else 0,
        cost_pico=cost,
        exported_us=_instant(exported) if (exported := _text(row, "export_time")) else None,
    )
    credited = row.get("credits")
    return [usage] if credited in (None, "", []) else [usage, *_credit_lines(usage, credited)]


def _shared(said: tuple[Any, ...]) -> BillLine:
    """A line without what is different in each row: 4 us of 14 a row are saved where rows of an SKU are many."""
    try:
        return _read_shared(said)
    except TypeError:  # a list, which no cache takes
        return _read_shared.__wrapped__(said)


@lru_cache(maxsize=65536, typed=True)
def _read_shared(said: tuple[Any, ...]) -> BillLine:
    row = dict(zip(_SHARED, said, strict=True))
    kind = _COST_TYPES.get(_text(row, "cost_type"), LineKind.ADJUSTMENT)
    return BillLine(
        number=0,
        kind=kind,
        service=_text(row, "service_description"),
        sku_id=_text(row, "sku_id"),
        sku=_text(row, "sku_description") or kind.value,
        project=_text(row, "project_id") or None,
        location=_text(row, "location_region") or _text(row, "location_location") or None,
        first_day=0,
        last_day=0,
        amount_micro=0,
        unit=_text(row, "usage_unit"),
        cost_pico=0,
        currency=_needed(row, "currency"),
        rate=_text(row, "currency_conversion_rate") or None,
        decimals=_DECIMALS,
        month=_month(_text(row, "invoice_month")),
    )


def _credit_lines(usage: BillLine, credited: object) -> Iterator[BillLine]:
    for part, (name, credit) in enumerate(_credits(credited), 1):
        yield replace(usage, part=part, kind=LineKind.CREDIT, sku=name, unit="", amount_micro=0, cost_pico=credit)


def focus_lines(number: int, row: Row) -> list[BillLine]:
    """The line of a row of FOCUS 1.2 as Google exports it."""
    kind = _COST_TYPES.get(_text(row, "ChargeCategory").lower(), LineKind.ADJUSTMENT)
    cost = scaled(_needed(row, "BilledCost"), 12)[0]
    billing = _text(row, "BillingPeriodStart")
    month = billing[:7] or None
    days = _days(_text(row, "ChargePeriodStart"), _text(row, "ChargePeriodEnd"), month)
    amount = _text(row, "ConsumedQuantity") or _text(row, "PricingQuantity") or "0"
    line = BillLine(
        number=number,
        kind=kind,
        service=_text(row, "ServiceName"),
        sku_id=_text(row, "SkuId"),
        sku=_text(row, "x_SkuDescription") or _text(row, "ChargeDescription") or kind.value,
        project=_text(row, "SubAccountId") or None,
        location=_text(row, "RegionId") or None,
        first_day=days[0],
        last_day=days[1],
        amount_micro=scaled(amount, 6)[0] if kind is LineKind.USAGE else 0,
        unit=_text(row, "ConsumedUnit"),
        cost_pico=cost,
        currency=_needed(row, "BillingCurrency"),
        rate=_text(row, "x_CurrencyConversionRate") or None,
        decimals=_DECIMALS,
        month=month,
        exported_us=_instant(_text(row, "x_ExportTime")) if _text(row, "x_ExportTime") else None,
    )
    return [line]


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if type(value) is str:
        return value.strip()
    return "" if value is None else str(value).strip()


def _needed(row: Row, name: str) -> str:
    text = _text(row, name)
    if not text:
        raise Unreadable(f"it has no {name}")
    return text


def _credits(value: object) -> Iterator[tuple[str, int]]:
    """Name and amount of each credit: a list, its JSON, or one sum."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = json.loads(value, parse_float=str, parse_int=str)
        except ValueError:
            raise Unreadable("its credits are not JSON") from None
    if isinstance(value, list):
        for credit in value:
            if not isinstance(credit, dict) or credit.get("amount") is None:
                raise Unreadable("a credit of it has no amount")
            yield str(credit.get("name") or "credit"), scaled(str(credit["amount"]), 12)[0]
    elif value not in (None, ""):
        yield "credits", scaled(str(value), 12)[0]


def _month(text: str) -> str | None:
    return f"{text[:4]}-{text[-2:]}" if len(text) in (6, 7) else None


@lru_cache(maxsize=65536)
def _days(start: str, end: str, month: str | None) -> tuple[int, int]:
    """The Pacific days that a row covers; those of its month where it says no time, as rows of tax do."""
    if not start:
        if month is None:
            raise Unreadable("it says neither when the usage was nor on which invoice it is")
        return month_days(month)
    first = _pacific_day(_instant(start))
    return first, max(first, _pacific_day(_instant(end) - 1)) if end else first


def _instant(text: str) -> int:
    """Microseconds of a time in UTC as BigQuery writes it."""
    part = text[_SECOND:].removesuffix(" UTC")
    if part[:1] == "." and part[1:].isdecimal() and len(part) <= 7 and part.isascii():  # most: the second is known
        return _whole_instant(text[:_SECOND]) + int(part[1:].ljust(6, "0"))
    return _whole_instant(text)


@lru_cache(maxsize=65536)
def _whole_instant(text: str) -> int:
    try:
        if text.replace(".", "").replace("E", "").replace("e", "").replace("+", "").isdigit():
            return scaled(text, 6)[0]
        when = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        raise Unreadable(f"'{text}' is not a time") from None
    return us(when if when.tzinfo else when.replace(tzinfo=UTC))


@lru_cache(maxsize=65536)
def _pacific_day(at_us: int) -> int:
    return day_of(at_us, _PACIFIC).toordinal() - _EPOCH

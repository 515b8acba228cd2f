"""Made-up bills written as the files that Google gives.

Owns: the text of each form. Not here: what is billed (`synthetic`). Invariant: what is written is read back as the same
lines, but for what the form does not have: a report has no project, rate or tax, only exports have locations, and cents
are rounded.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gembill.period import midnight, zone
from gembill.reconcile.bill_line import BillForm, BillLine, LineKind
from gembill.reconcile.numerals import date_of, day_text
from gembill.reconcile.synthetic import decimal_text

_SERVICE_ID = "AEFD-7695-64FA"
_COST_TABLE = (
    *("Project name", "Project ID", "Service description", "Service ID", "SKU description", "SKU ID", "Cost type"),
    *("Usage start date", "Usage end date", "Usage amount", "Usage unit", "Unrounded cost ({0})", "Cost ({0})"),
)
_REPORT = (
    *("Date", "Service description", "Service ID", "SKU description", "SKU ID", "Usage amount", "Usage unit"),
    *("List cost ({0})", "Unrounded subtotal ({0})", "Subtotal ({0})"),
)
_FOCUS_TYPES = {LineKind.USAGE: "Usage", LineKind.TAX: "Tax", LineKind.CREDIT: "Credit"}


def written(lines: Sequence[BillLine], form: BillForm) -> str:
    """The file. A cost table has the lines of one invoice month, those of the last."""
    return _WRITERS[form](lines)


def _csv(rows: Iterator[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _cost_table(lines: Sequence[BillLine]) -> str:
    month = max(line.month or "" for line in lines)
    return _csv(_cost_rows([line for line in lines if line.month == month], month))


def _cost_rows(lines: Sequence[BillLine], month: str) -> Iterator[Sequence[str]]:
    currency = lines[0].currency
    yield from (("Invoice number", "0000-DEMO"), ("Invoice date", f"{month}-28"), ("Currency", currency))
    yield from (("Currency exchange rate", lines[0].rate or "1"), ())
    yield tuple(name.format(currency) for name in _COST_TABLE)
    for line in lines:
        usage = line.kind is LineKind.USAGE
        days = (day_text(line.first_day), day_text(line.last_day)) if usage else ("", "")
        project = (line.project or "", line.project or "") if usage else ("", "")
        service = (line.service, _SERVICE_ID) if usage else ("", "")
        amounts = (decimal_text(line.amount_micro, 6), line.unit) if usage else ("", "")
        kind = line.kind.value.capitalize()
        yield (*project, *service, line.sku, line.sku_id, kind, *days, *amounts, *_costs(line))


def _costs(line: BillLine) -> tuple[str, str]:
    return decimal_text(line.cost_pico, 12), f"{round(line.cost_pico, -10) / 10**12:.2f}"


def _report(lines: Sequence[BillLine]) -> str:
    return _csv(_report_rows([line for line in lines if line.kind is LineKind.USAGE]))


def _report_rows(lines: Sequence[BillLine]) -> Iterator[Sequence[str]]:
    yield tuple(name.format(lines[0].currency) for name in _REPORT)
    for line in lines:
        amounts = (f"{line.amount_micro // 10**6:,}", line.unit) if line.amount_micro % 10**6 == 0 else _amounts(line)
        head = (day_text(line.first_day), line.service, _SERVICE_ID, line.sku, line.sku_id)
        yield (*head, *amounts, _costs(line)[0], *_costs(line))
    total = sum(line.cost_pico for line in lines)
    yield ("",) * 8 + ("Subtotal", decimal_text(total, 12))


def _amounts(line: BillLine) -> tuple[str, str]:
    return decimal_text(line.amount_micro, 6), line.unit


def _bigquery(lines: Sequence[BillLine]) -> str:
    return "".join(json.dumps(_row(line)) + "\n" for line in lines)


def _row(line: BillLine) -> dict[str, Any]:
    usage = line.kind is LineKind.USAGE
    return {
        "service": {"id": _SERVICE_ID, "description": line.service},
        "sku": {"id": line.sku_id, "description": line.sku},
        "usage_start_time": _time(line.first_day),
        "usage_end_time": _time(line.last_day, hours=1),
        "project": {"id": line.project},
        "location": {"location": line.location or "global", "region": None},
        "cost": decimal_text(line.cost_pico, 12),
        "currency": line.currency,
        "currency_conversion_rate": line.rate,
        "usage": {"amount": decimal_text(line.amount_micro, 6), "unit": line.unit},
        "credits": [],
        "invoice": {"month": (line.month or "").replace("-", "")},
        "cost_type": "regular" if usage else line.kind.value,
        "export_time": _exported(line),
    }


def _time(day: int, hours: int = 0) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=midnight(date_of(day), zone()), hours=hours)
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _exported(line: BillLine) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=line.exported_us or 0)
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _focus(lines: Sequence[BillLine]) -> str:
    rows = [_focus_row(line) for line in lines]
    return _csv(iter([tuple(rows[0]), *(tuple(row.values()) for row in rows)]))


def _focus_row(line: BillLine) -> dict[str, str]:
    return {
        "BilledCost": decimal_text(line.cost_pico, 12),
        "BillingCurrency": line.currency,
        "BillingPeriodStart": f"{line.month}-01T08:00:00Z",
        "ChargeCategory": _FOCUS_TYPES.get(line.kind, "Adjustment"),
        "ChargeDescription": line.sku,
        "ChargePeriodStart": _time(line.first_day).removesuffix(" UTC").replace(" ", "T") + "Z",
        "ChargePeriodEnd": _time(line.last_day, hours=1).removesuffix(" UTC").replace(" ", "T") + "Z",
        "ConsumedQuantity": decimal_text(line.amount_micro, 6),
        "ConsumedUnit": line.unit,
        "ServiceName": line.service,
        "RegionId": line.location or "",
        "SkuId": line.sku_id,
        "SubAccountId": line.project or "",
        "x_CurrencyConversionRate": line.rate or "",
        "x_ExportTime": _exported(line),
    }


_WRITERS: dict[BillForm, Callable[[Sequence[BillLine]], str]] = {
    BillForm.BIGQUERY: _bigquery,
    BillForm.FOCUS: _focus,
    BillForm.COST_TABLE: _cost_table,
    BillForm.REPORTS: _report,
}

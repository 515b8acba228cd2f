"""Exports: streams whose lines are the records and charges of the ledger."""

import csv as reader
import json
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

from gembill.ledger import Ledger, LedgerRecord, Selection, read_records
from gembill.money import usd
from gembill_reports.exports.records import Export, ExportFormat, Grain
from gembill_reports.views.records import record_dict
from tests.gembill_reports.making import FAILED, OK, PRO, call, put


def exported(ledger: Ledger, records: list[LedgerRecord], form: ExportFormat, account: str = "unknown") -> str:
    return "".join(Export(ledger, records, lambda ids: {}, ZoneInfo("UTC"), account).text(form))


def test_csv_and_jsonl_hold_every_call(ledger: Ledger) -> None:
    put(ledger, *(call(f"2026-11-05T10:{n:02d}:00+00:00", (n, 1, 2), labels={"team": "=1+1"}) for n in range(7)))
    stored = list(read_records(ledger, Selection()))
    lines = [json.loads(line) for line in exported(ledger, stored, ExportFormat.JSONL).splitlines()]
    assert [{**line, "events": [{}]} for line in lines] == lines  # the events of made-up calls are empty
    assert [list(line.items())[:-1] for line in lines] == [list(record_dict(one).items()) for one in stored]
    rows = list(reader.DictReader(StringIO(exported(ledger, stored, ExportFormat.CSV))))
    assert [row["tokens_input"] for row in rows] == [str(one.record.tokens.input) for one in stored]


def test_focus_is_written_page_by_page_and_adds_up(ledger: Ledger, monkeypatch: object) -> None:
    put(ledger, *(call(f"2026-11-05T10:{n:02d}:00+00:00", (n + 1, 1, 2), "=cmd()") for n in range(3)))
    put(ledger, *(call(f"2026-11-05T11:{n % 60:02d}:00+00:00", (n + 1, 1, 2)) for n in range(620)))
    stored = list(read_records(ledger, Selection()))
    rows = list(reader.DictReader(StringIO(exported(ledger, stored, ExportFormat.FOCUS, "=evil"))))
    cost = sum(one.cost_pico or 0 for one in stored)
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(usd(cost))
    assert {row["BillingAccountId"] for row in rows} == {"'=evil"}
    assert {row["x_CallId"] for row in rows} == {one.record.id for one in stored if one.cost_pico is not None}


def test_focus_by_day_adds_up_to_focus_by_call(ledger: Ledger) -> None:
    zone = ZoneInfo("America/Los_Angeles")
    put(
        ledger,
        *(call(f"2026-11-05T{n:02d}:30:00+00:00", (n + 1, 0, 2), outcomes=[OK, FAILED]) for n in range(24)),
        *(call(f"2026-11-05T10:{n:02d}:00+00:00", (3, 4, 5), PRO, labels={"team": "a"}) for n in range(5)),
        call("2026-11-05T10:00:00+00:00", None),
    )
    stored = list(read_records(ledger, Selection()))

    def rows(grain: Grain) -> list[dict[str, str]]:
        text = "".join(Export(ledger, stored, lambda ids: {}, zone, "a", grain).text(ExportFormat.FOCUS))
        return list(reader.DictReader(StringIO(text)))

    calls, days = rows(Grain.CALL), rows(Grain.DAY)
    assert len(days) == 2 * 2 + 3  # two Pacific days of two meters, and a day of the other model's three
    assert list(days[0]) == list(calls[0])
    for column in ("BilledCost", "ListCost", "ConsumedQuantity", "PricingQuantity", "x_RequestCount"):
        assert sum(Decimal(row[column]) for row in days) == sum(Decimal(row[column]) for row in calls)
    assert sum(int(row["x_FailedExecutionCount"]) for row in days) == 24
    assert {row["x_CallId"] for row in days} == {""}
    assert {(row["ChargePeriodStart"], row["ChargePeriodEnd"]) for row in days} == {
        ("2026-11-05T08:00:00Z", "2026-11-06T08:00:00Z"),
        ("2026-11-04T08:00:00Z", "2026-11-05T08:00:00Z"),
    }
    assert {row["Tags"] for row in days} == {"{}", '{"team": "a"}'}

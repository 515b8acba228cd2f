"""Exports: streams whose lines are the records and charges of the ledger."""

import csv as reader
import json
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

from gembill.ledger import Ledger, LedgerRecord, Selection, read_records
from gembill.money import usd
from gembill_reports.exports.records import Export, ExportFormat
from gembill_reports.views.records import record_dict
from tests.gembill_reports.making import call, put


def exported(ledger: Ledger, records: list[LedgerRecord], form: ExportFormat, account: str = "unknown") -> str:
    return "".join(Export(ledger, records, lambda ids: {}, ZoneInfo("UTC"), account).text(form))


def test_csv_and_jsonl_hold_every_call(ledger: Ledger) -> None:
    put(ledger, *(call(f"2026-11-05T10:{n:02d}:00+00:00", (n, 1, 2), labels={"team": "=1+1"}) for n in range(7)))
    stored = list(read_records(ledger, Selection()))
    lines = [json.loads(line) for line in exported(ledger, stored, ExportFormat.JSONL).splitlines()]
    assert lines == [record_dict(one) for one in stored]
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

"""Records one by one: the exact JSON, streamed; CSV; and the table."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from itertools import islice

from gembill.ledger import Ledger, LedgerRecord, Selection, read_records
from gembill.model import ApiError, Status
from gembill.period import parse
from gembill_reports.views.records import RecordsView, csv_rows, json_chunks, record_dict, sheet, utc
from gembill_reports.views.view import Format, text
from tests.gembill_reports.conftest import Snapshots
from tests.gembill_reports.making import FAILED, FLASH, OK, PRO, call, put, us

AT = "2026-11-21T09:00:00+00:00"


def whole(ledger: Ledger, form: Format, limit: int | None = None) -> str:
    return "".join(
        text(RecordsView(lambda number: read_records(ledger, Selection(), limit=number), parse(), limit), form)
    )


def all_of(ledger: Ledger) -> list[LedgerRecord]:
    return list(read_records(ledger, Selection()))


def test_a_record_has_exactly_the_keys_of_the_contract_in_their_order(ledger: Ledger) -> None:
    posting = call(AT, (147, 360, 276), outcomes=[OK], labels={"team": "search"}, key="k_7f3a")
    put(ledger, posting)
    expected = (
        '{"schema_version": 1, "truncated": false, "records": [\n'
        f'{{"id": "{posting.record.id}", "occurred_at": "2026-11-21T09:00:00.000000Z", "api": "gemini", '
        '"operation": "generate_content", "streamed": true, "model": "gemini-3-flash-preview", '
        '"requested_model": "gemini-3-flash-preview", "agent": null, "service_tier": "standard", "key": "k_7f3a", "location": null, "project": null, '
        '"status": "complete", "http_status": 200, "error": null, "finish_reason": "STOP", "response_id": "r1", '
        '"conversation_id": null, "tokens": {"input": 147, "intermediate": 360, "output": 276, "total": 783, '
        '"cached": 0, "thinking": 0}, "code_execution": {"declared": true, "used": true, "executions": 1, "failed": 0, '
        '"outcomes": ["ok"]}, "cost_usd": "0.001081500000", "cost": {"input": "0.000073500000", '
        '"intermediate": "0.000180000000", "output": "0.000828000000", "grounding": "0.000000000000"}, '
        '"priced": true, "unpriced_reason": null, "flags": [], "anomalies": [], "labels": {"team": "search"}}\n]}\n'
    )
    assert whole(ledger, Format.JSON) == expected


def test_what_is_not_known_is_null_and_an_error_costs_nothing(ledger: Ledger) -> None:
    fault = ApiError(code=429, status="RESOURCE_EXHAUSTED", kind="rate")
    put(
        ledger,
        call("2026-11-21T09:00:02+00:00", None),
        call("2026-11-21T09:00:01+00:00", None, status=Status.ERROR, error=fault, http_status=429),
    )
    unknown, error = map(record_dict, all_of(ledger))
    assert unknown["cost_usd"] is None
    assert set(unknown["cost"].values()) == set(unknown["tokens"].values()) == {None}
    assert error["cost_usd"] == error["cost"]["input"] == "0.000000000000"
    assert error["error"] == {"code": 429, "status": "RESOURCE_EXHAUSTED", "class": "rate"}
    assert error["tokens"]["input"] is None


def test_a_limit_says_whether_it_left_something_out(ledger: Ledger) -> None:
    put(ledger, *(call(f"2026-11-21T09:00:0{n}+00:00", (n, 0, 0)) for n in range(4)))
    for limit, truncated, count in ((None, False, 4), (5, False, 4), (4, False, 4), (3, True, 3), (0, True, 0)):
        document = json.loads(whole(ledger, Format.JSON, limit))
        assert list(document) == ["schema_version", "truncated", "records"]
        assert (document["truncated"], len(document["records"])) == (truncated, count)
        assert [one["tokens"]["input"] for one in document["records"]] == [3, 2, 1, 0][:count]


def test_an_empty_ledger_is_an_empty_list(ledger: Ledger) -> None:
    assert json.loads(whole(ledger, Format.JSON)) == {
        "schema_version": 1,
        "truncated": False,
        "records": [],
    }
    assert "No call was recorded" in " ".join(sheet(all_of(ledger), parse()).notes)


def test_records_are_written_while_they_are_read(ledger: Ledger) -> None:
    put(ledger, call(AT, (1, 0, 0)))
    (stored,) = all_of(ledger)
    read = 0

    def endless() -> Iterator[LedgerRecord]:
        nonlocal read
        while True:
            read += 1
            yield stored

    assert len(list(islice(json_chunks(endless()), 1000))) == 1000
    assert read < 1001
    assert len(list(islice(csv_rows(endless()).rows, 1000))) == 1000


def test_csv_has_the_fields_of_the_json_flattened(ledger: Ledger) -> None:
    evil = '=HYPERLINK("x")'
    fault = ApiError(code=500, kind="@internal")
    put(
        ledger,
        call(AT, (147, 360, 276), outcomes=[OK, FAILED], labels={"team": 'a,"b"\r\n'}, key=evil, flags=("incomplete",)),
        call("2026-11-21T08:00:00+00:00", None, status=Status.ERROR, error=fault, declared=None),
    )
    first, second = csv.DictReader(StringIO(whole(ledger, Format.CSV), newline=""))
    assert first["key"] == "'" + evil
    assert (first["tokens_intermediate"], first["cost_usd"]) == ("360", "0.001081500000")
    assert (first["code_execution_outcomes"], first["code_execution_failed"]) == ("ok failed", "1")
    assert (first["streamed"], first["flags"]) == ("true", "incomplete")
    assert json.loads(first["labels"]) == {"team": 'a,"b"\r\n'}
    assert (second["error_code"], second["error_status"], second["error_class"]) == ("500", "", "'@internal")
    assert (second["code_execution_declared"], second["tokens_input"], second["cost_input"]) == (
        "",
        "",
        "0.000000000000",
    )
    flattened = [key for key in first if not key.startswith("error_")]
    assert [key.split("_")[0] for key in flattened][:3] == ["id", "occurred", "api"]


def test_the_table_shows_the_newest_on_the_zones_clock(ledger: Ledger) -> None:
    put(ledger, *(call(f"2026-11-21T09:00:0{n}+00:00", (1_000 + n, 0, 0), outcomes=[FAILED, OK]) for n in range(3)))
    page = sheet(all_of(ledger), parse(tz="Asia/Kolkata"), 2)
    shown = page.terminal(140)
    assert "2026-11-21 14:30:02" in shown
    assert "1,002" in shown
    assert "1,000" not in shown
    assert "The newest 2 calls; there are more" in shown
    assert "Asia/Kolkata" in shown


def test_ids_in_the_table_are_as_long_as_it_takes_to_tell_them_apart(ledger: Ledger) -> None:
    ids = ["0199aaaa-0000-7000-8000-000000000001", "0199aaaa-0000-7000-8000-000000000002"]
    put(ledger, *(call(AT, (1, 0, 0), id=one) for one in ids))
    assert [row[0] for row in sheet(all_of(ledger), parse()).table.rows] == ids[::-1]


def test_an_unpriced_call_is_called_so(ledger: Ledger) -> None:
    put(ledger, call(AT, (1, 0, 0), "nobody-knows"), call(AT, None, FLASH), call(AT, None, None))
    page = sheet(all_of(ledger), parse())
    costs = {row[2]: row[9] for row in page.table.rows}
    assert costs == {"nobody-knows": "unpriced", FLASH: "unknown", "(unknown)": "unknown"}


def test_instants_have_microseconds_and_z() -> None:
    assert utc(us("2026-11-21T09:00:00.000007+00:00")) == "2026-11-21T09:00:00.000007Z"


def test_records_look_as_they_did(ledger: Ledger, snapshot: Snapshots) -> None:
    def recorded(second: int, split: tuple[int, int, int] | None, model: str | None = FLASH, **more: object) -> None:
        at, one = f"2026-11-21T09:00:{second:02d}+00:00", f"019aa5{second:02d}-0000-7000-8000-000000000001"
        put(ledger, call(at, split, model, id=one, **more))

    period = parse(month="2026-11")
    snapshot("records-none", sheet([], period))
    recorded(1, (147, 360, 276), outcomes=[OK], key="k_7f3a", labels={"team": "search"})
    recorded(2, (1_210_004, 17_410_002, 65_003), PRO, outcomes=[OK, FAILED, FAILED], labels={"team": "data-science"})
    recorded(3, None, status=Status.ERROR, http_status=429, error=ApiError(code=429, kind="rate"), key="k_0c9d")
    recorded(4, None)
    recorded(5, (30, 0, 0), "gemini-9-flash-of-the-far-future-preview-11-2026", key="nightly-evaluation-runs")
    recorded(6, (30, 2, 1), status=Status.PARTIAL, labels={"stage": "nightly", "team": "data-science", "a": "b"})
    recorded(7, None, None)
    snapshot("records", sheet(all_of(ledger), period, demo=True))


def test_records_of_one_instant_look_as_they_did(ledger: Ledger, snapshot: Snapshots) -> None:
    ids = [f"019aa5e0-4b71-7000-8000-00000000000{n}" for n in range(3)]
    put(ledger, *(call(AT, (10, 20, 30), id=one) for one in ids))
    snapshot("records-alike", sheet(all_of(ledger), parse("2026-11-21", "2026-11-22", tz="UTC"), 2))

"""From items to the ledger, on both engines."""

import json
from pathlib import Path

import msgspec
import pytest

from gembill.capture.fingerprint import Fingerprint
from gembill.importing import ImportDefaults, Importer, ImportItem, ImportSummary, importer
from gembill.importing.har import read as read_har
from gembill.ledger import NATURAL_SOURCES, InvalidPosting, Ledger, LedgerRecord, Selection, open_ledger, read_records
from gembill.model import Status
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import bundled
from gembill.rules.rating import Policies

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
SECRET = Fingerprint(b"a secret of the tests")
TERMS = PricingTerms(bundled(), Policies())
KEY = "AIza-a-key-that-must-not-be-kept"


def line(number: int, prompt: object = 7, **changes: object) -> ImportItem:
    usage = {"promptTokenCount": prompt, "totalTokenCount": prompt}
    answer = {"modelVersion": "gemini-2.5-flash", "responseId": f"r{number}", "usageMetadata": usage}
    whole = {"path": PATH, "status": 200, "occurred_at": "2026-11-21T12:00:00Z", "response": answer} | changes
    return ImportItem(f"f, line {number}", json.dumps(whole).encode())


class Import:
    """An importer on a ledger, and what it said."""

    def __init__(self, ledger: Ledger) -> None:
        self.said: list[str] = []
        self.ledger = ledger

    def run(self, *items: ImportItem) -> ImportSummary:
        self.said.clear()
        made = Importer(self.ledger, SECRET, TERMS, assumed=ImportDefaults(), say=self.said.append)
        for item in items:
            made.take(item)
        made.finish()
        return made.summary

    def records(self) -> list[LedgerRecord]:
        return list(read_records(self.ledger, Selection()))


@pytest.fixture
def importing(ledger: Ledger) -> Import:
    return Import(ledger)


def test_an_exchange_becomes_a_priced_record_under_its_natural_key(importing):
    assert importing.run(line(1, labels={"team": "a"})) == ImportSummary(new=1)
    (stored,) = importing.records()
    record = stored.record
    assert (record.tokens.input, record.status, record.labels) == (7, Status.COMPLETE, {"team": "a"})
    assert stored.cost_pico == 7 * 300_000  # 0.30 dollars per million
    assert record.source_id in NATURAL_SOURCES
    assert record.ended_us is None


def test_importing_twice_changes_nothing(importing):
    lines = [line(number) for number in range(50)]
    assert importing.run(*lines, lines[0]) == ImportSummary(new=50, known=1)
    before = importing.records()
    assert importing.run(*lines) == ImportSummary(known=50)
    assert importing.records() == before


def test_batches_are_written_as_they_fill(importing, monkeypatch):
    monkeypatch.setattr(importer, "_WAITING", 10)
    monkeypatch.setattr(importer, "BATCH", 3)
    assert importing.run(*(line(number) for number in range(64))) == ImportSummary(new=64)
    assert len(importing.records()) == 64


def test_what_is_not_a_call_is_skipped_and_what_is_wrong_is_reported_with_its_place(importing):
    summary = importing.run(
        line(1),
        line(2, path="/v1beta/models/m:countTokens"),
        line(3, status="x"),
        ImportItem("f, line 4", b"{"),
        ImportItem("g", trouble="no"),
    )
    assert summary == ImportSummary(new=1, skipped=1, refused=3)
    assert [said.split(":")[0] for said in importing.said] == ["f, line 3", "f, line 4", "g"]


def test_ten_refusals_are_named_and_all_are_counted_by_reason(importing):
    wrong = [ImportItem(f"f, line {n}", b"nonsense") for n in range(12)]
    odd = [line(1, status=n) for n in range(600, 603)]
    summary = importing.run(line(1), *wrong, *odd)
    assert len(importing.said) == 10
    assert list(summary.refusals()) == [
        "10 of 15 refused lines are named above; by reason:",
        "- 12: it is not JSON (expecting value, character ...)",
        "- 3: status is ...; it must be a number from ... to ...",
    ]
    assert list(importing.run(*wrong[:10]).refusals()) == []


def test_what_the_ledger_cannot_keep_is_refused_alone(importing, monkeypatch):
    append = importer.append

    def picky(ledger, source_id, postings, rate):
        if any(posting.record.response_id == "r13" for posting in postings):
            raise InvalidPosting("response_id is unlucky")
        return append(ledger, source_id, postings, rate)

    monkeypatch.setattr(importer, "append", picky)
    assert importing.run(*(line(number) for number in range(200))) == ImportSummary(new=199, refused=1)
    assert importing.said == ["f, line 13: the ledger cannot keep it: response_id is unlucky"]


def test_what_cannot_be_metered_is_refused_alone(importing, monkeypatch):
    meter = importer.meter

    def stumbling(event, source_id):
        if event.seen.response_id == "r2":
            raise ZeroDivisionError("\x1b[31mboom")
        return meter(event, source_id)

    monkeypatch.setattr(importer, "meter", stumbling)
    assert importing.run(line(1), line(2), line(3)) == ImportSummary(new=2, refused=1)
    assert importing.said == ["f, line 2: it cannot be metered (ZeroDivisionError: \\x1b[31mboom)"]


@pytest.mark.parametrize("prompt", [-1, 2**63, 10**30, 1.5, "12", True, [], {}, float("nan"), float("inf")])
def test_a_count_that_is_none_makes_a_record_of_unknown_usage(prompt, importing):
    assert importing.run(line(1, prompt), line(2)) == ImportSummary(new=2)
    (odd,) = (stored.record for stored in importing.records() if stored.record.response_id == "r1")
    assert (odd.status, odd.anomalies, odd.tokens.input) == (Status.UNKNOWN, ("invalid_usage",), None)


@pytest.mark.parametrize("odd", ["\0", "\ud800", "x" * 10_000, "\u2028", "é"])
def test_odd_texts_in_every_field_keep_back_nothing(odd, importing):
    answer = {
        "modelVersion": odd, "responseId": odd, "candidates": [{"finishReason": odd, "content": {"parts": [{"text": odd}]}}],
        "usageMetadata": {"promptTokenCount": 1, "serviceTier": odd},
    }  # fmt: skip
    asked = {"model": odd, "serviceTier": odd, "contents": [{"parts": [{"text": odd}]}], "cachedContent": odd}
    summary = importing.run(line(1, response=answer, request=asked, labels={odd: odd}), line(2))
    assert (summary.new, summary.refused, importing.said) == (2, 0, [])


@pytest.mark.parametrize("odd", ["\0", "\ud800", "x" * 10_000])
def test_a_name_in_a_path_that_cannot_be_kept_is_refused(odd, importing):
    assert importing.run(line(1, path=f"/v1beta/models/m{odd}:generateContent"), line(2)) == ImportSummary(
        new=1, refused=1
    )
    assert importing.said[0].startswith("f, line 1: its path names 'm")
    assert len(importing.said[0]) < 200


def entry(**headers: str) -> ImportItem:
    request = {
        "method": "POST", "url": f"https://example.org{PATH}?key={KEY}",
        "headers": [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()],
    }  # fmt: skip
    answer = {"usageMetadata": {"promptTokenCount": 1}, "modelVersion": KEY, "responseId": f"r-{KEY}"}
    response = {"status": 200, "headers": [], "content": {"text": json.dumps(answer)}}
    whole = {"startedDateTime": "2026-11-21T12:00:00Z", "time": 20, "request": request, "response": response}
    return ImportItem("f, entry 1", json.dumps(whole).encode(), read_har)


def test_a_key_is_fingerprinted_and_struck_out_and_written_nowhere(tmp_path: Path):
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    importing = Import(ledger)
    assert importing.run(entry(), entry(authorization=f"Bearer {KEY}x", x_gembill_label_who=f"me-{KEY}")).refused == 0
    records = [stored.record for stored in importing.records()]
    ledger.close()
    assert {record.key for record in records} == {SECRET.key(KEY.encode())}
    assert {record.response_id for record in records} == {"r-[redacted]"}
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"AIza" not in written
    assert b"redacted" in written


def test_the_event_of_an_entry_knows_how_long_it_took(importing):
    importing.run(entry())
    (stored,) = importing.records()
    assert stored.record.ended_us == stored.record.occurred_us + 20_000


def test_an_entry_without_an_answer_is_unknown_and_one_cut_off_is_partial(importing):
    whole = msgspec.json.decode(entry().text)
    whole["response"]["status"] = 0
    cut = msgspec.json.decode(entry().text)
    cut["response"]["_error"] = "net::ERR_CONNECTION_RESET"
    importing.run(*(ImportItem("f", json.dumps(each).encode(), read_har) for each in (whole, cut)))
    assert sorted(stored.record.status for stored in importing.records()) == [Status.PARTIAL, Status.UNKNOWN]


def test_a_summary_says_what_happened():
    assert str(ImportSummary(new=98, known=4, skipped=3, refused=1)) == (
        "imported 102 calls (98 new, 4 known), skipped 3 that are not calls, 1 line refused"
    )
    assert str(ImportSummary(new=1, skipped=1, refused=2)) == (
        "imported 1 call (1 new, 0 known), skipped 1 that is not a call, 2 lines refused"
    )
    assert str(ImportSummary()) == "imported 0 calls (0 new, 0 known)"

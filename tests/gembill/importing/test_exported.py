"""An export read in again: the same books, once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gembill.capture.fingerprint import Fingerprint
from gembill.cli import gembill
from gembill.cli.demo import own_settings
from gembill.config import Settings
from gembill.demo.month import fill
from gembill.importing import ImportDefaults, Importer, ImportItem, ImportSummary
from gembill.importing.exported import is_exported, read
from gembill.importing.member import RefusedLine, members_of
from gembill.ledger import (
    Ledger,
    Selection,
    audit_ledger,
    holds_demo_data,
    open_ledger,
    read_records,
    read_totals,
    sum_charges,
)
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import bundled
from gembill.rules.rating import Policies
from tests.gembill.calls import event, put

TERMS = PricingTerms(bundled(), Policies())


def exported(ledger: Ledger) -> str:
    url = ledger.engine.url.render_as_string(hide_password=False)
    return (
        CliRunner()
        .invoke(gembill, ["export", "--format", "jsonl", "--database-url", url], catch_exceptions=False)
        .stdout
    )


def imported(ledger: Ledger, text: str) -> tuple[ImportSummary, list[str]]:
    said: list[str] = []
    importer = Importer(
        ledger, Fingerprint(b"another secret"), TERMS, assumed=ImportDefaults(model="not-used"), say=said.append
    )
    for number, line in enumerate(text.splitlines(), 1):
        importer.take(ImportItem(f"line {number}", line.encode()))
    importer.finish()
    return importer.summary, said


def books(ledger: Ledger) -> tuple[object, ...]:
    """Everything that is summed up of a ledger."""
    by = ("model", "api", "operation", "service_tier", "status", "key", "label.team", "hour")
    return read_totals(ledger, Selection(), by), sum_charges(ledger, Selection())


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Ledger]:
    """A made-up month of some calls, and a chain of interactions."""
    settings = own_settings(Settings(data_dir=tmp_path))
    assert sum(fill(settings, 80)) == 80
    opened = open_ledger(settings.ledger_url)
    put(opened, TERMS, event(1, "2026-10-20T12:00:00+00:00"), event(2, "2026-10-21T12:00:00+00:00"))
    lines = []
    for number in range(4):
        usage = {"total_input_tokens": 5, "total_output_tokens": 2, "total_tokens": 7}
        before = {"previous_interaction_id": f"v1_{number - 1}"} if number else {}
        request = {"model": "gemini-2.5-flash", "input": "hi", **before}
        answer = {"id": f"v1_{number}", "model": "gemini-2.5-flash", "status": "completed", "usage": usage, **before}
        lines.append(
            {"path": "/v1beta/interactions", "status": 200, "request": request, "response": answer}
            | {"occurred_at": f"2026-10-2{number}T12:00:00Z", "labels": {"team": "chain"}}
        )
    assert imported(opened, "\n".join(map(json.dumps, lines)))[0].new == 4
    yield opened
    opened.close()


def test_an_export_read_into_another_ledger_gives_equal_books(month: Ledger, ledger: Ledger) -> None:
    text = exported(month)
    summary, said = imported(ledger, text)
    assert (summary.new, summary.known, said) == (86, 0, [])
    assert exported(ledger) == text
    assert books(ledger) == books(month)
    assert audit_ledger(ledger) == []


def test_made_up_calls_are_marked_in_an_export_and_wherever_it_is_imported(month: Ledger, ledger: Ledger) -> None:
    lines = exported(month).splitlines()
    assert all(json.loads(line)["demo_data"] is True for line in lines)
    assert not holds_demo_data(ledger)
    imported(ledger, "\n".join(lines[:3]))
    assert holds_demo_data(ledger)
    assert audit_ledger(ledger) == []
    assert json.loads(exported(ledger).splitlines()[0])["demo_data"] is True


def test_calls_that_are_not_made_up_mark_nothing(month: Ledger, ledger: Ledger) -> None:
    line = json.loads(exported(month).splitlines()[0])
    imported(ledger, json.dumps(line | {"demo_data": False}))
    assert not holds_demo_data(ledger)
    assert "demo_data" not in json.loads(exported(ledger))


def test_calls_that_are_known_change_nothing_neither_there_nor_where_they_come_from(
    month: Ledger, ledger: Ledger
) -> None:
    text = exported(month)
    for target in (month, ledger, ledger):
        before = books(month)
        summary, _ = imported(target, text)
        assert summary.new + summary.known == 86
        assert books(target) == before
    assert exported(month) == text == exported(ledger)
    assert audit_ledger(month) == []


def test_pages_of_a_chain_that_come_newest_first_keep_its_conversation(
    month: Ledger, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gembill.importing.importer._WAITING", 1)
    imported(ledger, exported(month))
    chain = [one.record.conversation for one in read_records(ledger, Selection(labels={"team": "chain"}))]
    assert chain == ["v1_0"] * 4


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"id": "x", "events": []}, "it has no events"),
        ({"id": "x", "events": None}, "it has no events"),
        ({"id": "x", "events": ["text"]}, "its event cannot be read"),
        ({"id": "x", "events": [{"id": "x"}]}, "its event cannot be read"),
        ({"id": "x", "events": "text"}, "events is a text"),
        (
            {
                "id": "x",
                "events": [{"id": "no-uuid", "occurred_us": 1, "api": "gemini", "operation": "x", "ending": "cut"}],
            },
            "its event cannot be read",
        ),
    ],
)
def test_a_line_that_is_no_call_of_an_export_is_refused(line: dict[str, object], why: str) -> None:
    members = members_of(json.dumps(line).encode())
    assert is_exported(members)
    with pytest.raises(RefusedLine) as refused:
        read(members)
    assert why in str(refused.value)


def test_an_event_of_a_document_that_is_spread_is_kept_in_one_line() -> None:
    event = {"id": "019a0000-0000-7000-8000-000000000001", "occurred_us": 1, "api": "gemini"}
    document = {"id": "x", "events": [event | {"operation": "generate_content", "ending": "cut"}]}
    (kept,) = read(members_of(json.dumps(document, indent=2).encode())).events
    assert b"\n" not in kept.body
    assert json.loads(kept.body) == document["events"][0]


def test_an_exchange_is_not_taken_for_one() -> None:
    assert not is_exported(members_of(b'{"id": "x", "events": [], "path": "/v1beta/interactions"}'))
    assert not is_exported(members_of(b'{"response": {}}'))

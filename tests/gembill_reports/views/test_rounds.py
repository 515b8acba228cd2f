"""The rounds of a receipt: from the event behind the record, reported or marked as an estimate."""

import json

import msgspec
import pytest
from msgspec.structs import replace

from gembill.event import Ending, Event, Part, RequestFacts, ResponseFacts, Snapshot
from gembill.ledger import Ledger, LedgerRecord, RatedEvent, read_record
from gembill.model import Api, Operation
from gembill.period import zone
from gembill.rules.metering import meter
from gembill_reports.analysis.receipt import receipt, rounds_of
from gembill_reports.views.receipt import receipt_dict, sheets
from gembill_reports.views.rounds import explanation, rounds_dicts, sheet
from tests.gembill_reports.analysis.test_receipt import explained
from tests.gembill_reports.conftest import Snapshots
from tests.gembill_reports.making import FAILED, OK, call, put

AT = "2026-11-21T09:00:00+00:00"
OUTLINE = (Part(kind="code", chars=40), Part(kind="result", outcome="OUTCOME_OK", chars=8), Part(kind="text", chars=9))


def usage(candidates: int, tool_use: int) -> str:
    counts = {
        "promptTokenCount": 43,
        "candidatesTokenCount": candidates,
        "thoughtsTokenCount": 59,
        "toolUsePromptTokenCount": tool_use,
    }
    return json.dumps({**counts, "totalTokenCount": sum(counts.values())})


def event(tool_use: int, *, shown: bool = True) -> Event:
    snapshots = tuple(
        Snapshot(after=n, usage=usage(*state)) for n, state in enumerate([(16, 0), (16, 0), (40, tool_use)], 1)
    )
    return Event(
        id="0199a0b0-0000-7000-8000-000000000001", occurred_us=0, api=Api.GEMINI, operation=Operation.GENERATE_CONTENT,
        asked=RequestFacts(model="gemini-2.5-flash"), ending=Ending.FINISHED, http_status=200,
        seen=ResponseFacts(usage=usage(44, tool_use), outline=OUTLINE, snapshots=snapshots if shown else ()),
    )  # fmt: skip


def kept(ledger: Ledger, body: bytes) -> LedgerRecord:
    posting = call(AT, (43, 123, 103))
    put(ledger, replace(posting, body=body))
    stored = read_record(ledger, posting.record.id)
    assert stored is not None
    return stored


def test_a_receipt_shows_what_each_round_read_again(ledger: Ledger) -> None:
    stored = kept(ledger, msgspec.json.encode(event(123)))
    explained_call = receipt(stored, [], {}, rounds_of(ledger, stored))
    (shown,) = receipt_dict(explained_call)["rounds"]
    assert shown == {
        "number": 1, "intermediate": 123, "expected": 43 + 16 + 59, "results_at_most": 2 * 8 + 16, "estimate": False, "explained": True,
    }  # fmt: skip
    titles = [page.heading for page in sheets(explained_call, zone("UTC"))]
    assert "Rounds" in titles


def test_rounds_that_are_not_shown_are_marked_as_an_estimate(ledger: Ledger) -> None:
    stored = kept(ledger, msgspec.json.encode(event(123, shown=False)))
    rounds = rounds_of(ledger, stored)
    assert [(one["estimate"], one["intermediate"]) for one in rounds_dicts(rounds)] == [(True, 123)]
    assert "estimate" in sheet(rounds).markdown()


def test_a_count_that_cannot_be_explained_is_an_anomaly_with_both_numbers(ledger: Ledger) -> None:
    odd = event(5_000)
    assert "intermediate_unexplained" in meter(odd, 1).anomalies
    assert "intermediate_unexplained" not in meter(event(123), 1).anomalies
    text = sheet(rounds_of(ledger, kept(ledger, msgspec.json.encode(odd)))).markdown()
    assert "not explained" in text
    assert "reported with 5,000 tokens; the rule gives 118" in text


@pytest.mark.parametrize(
    "body", [b"{}", b"no event", msgspec.json.encode(msgspec.structs.replace(event(1), version=99))]
)
def test_an_event_that_cannot_be_read_has_no_rounds(ledger: Ledger, body: bytes) -> None:
    stored = kept(ledger, body)
    assert rounds_of(ledger, stored) == ()
    assert "Rounds" not in [page.heading for page in sheets(receipt(stored, [], {}), zone("UTC"))]


def test_rounds_look_as_they_did(ledger: Ledger, snapshot: Snapshots) -> None:
    odd, guessed = event(5_000_000), event(123, shown=False)
    for name, one in (("rounds", event(123)), ("rounds-estimated", guessed), ("rounds-unexplained", odd)):
        snapshot(name, sheet(rounds_of(ledger, kept(ledger, msgspec.json.encode(one)))))


@pytest.mark.parametrize(
    ("posting", "words"),
    [
        (
            call(AT, (147, 360, 276), outcomes=[OK]),
            (
                "The model ran code once and after each run read the prompt, its own code and thinking, and the results "
                "so far once more as input: these are the 360 intermediate tokens, 46% of all tokens and 17% of the "
                "bill ($0.00018)."
            ),
        ),
        (call(AT, (147, 360, 276), outcomes=[OK, FAILED]), "The model ran code 2 times"),
        (call(AT, (147, 18329, 276)), "There are 18,329 intermediate tokens"),
        (call(AT, (147, 18329, 276)), "although no code ran"),
        (call(AT, (147, 0, 276)), "no intermediate tokens, because no code ran"),
        (call(AT, (147, 0, 276), outcomes=[OK]), "reported no intermediate tokens, although code ran once"),
        (call(AT, None, outcomes=[OK]), "did not report"),
        (call(AT, (1, 98, 1), "nobody-knows", outcomes=[OK]), "98 intermediate tokens, 98% of all tokens."),
    ],
)
def test_one_sentence_says_why_there_are_intermediate_tokens(posting: RatedEvent, words: str) -> None:
    assert words in explanation(explained(posting))

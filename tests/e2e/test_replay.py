"""Recorded answers of the real API, played through the proxy: counts exact, bytes identical, however they are cut."""

import gzip
import itertools
import json
import random
import re

import pytest

from gembill.ledger import Selection, open_ledger, read_event_body, read_records
from gembill.posting import read_event
from gembill.rules.metering import rounds
from tests.e2e import corpus
from tests.e2e.player import Player, Reply

SURFACES = ("generateContent", "streamGenerateContent", "interactions", "interactions-stream")
pytestmark = corpus.needed
STAND_IN = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
POLLED = re.compile(r"/(?:interactions|batches)/[^/:]+$")
CALLED = re.compile(r":(?:stream)?[gG]enerateContent|/interactions$")


def path_of(case: dict) -> str:
    """The path of a case, a stand-in where none was recorded; placeholders of the recorders are not a path."""
    return re.sub(r"<\w+>", "us-central1", case.get("path") or STAND_IN)


def wire(case: dict) -> tuple[bytes, str]:
    """The answer's body and content type, framed as its path asked for it."""
    chunks = case.get("chunks")
    if chunks is None:
        return json.dumps(case["response"], indent=1).encode(), "application/json; charset=UTF-8"
    texts = [d if isinstance(d := chunk["data"], str) else json.dumps(d, ensure_ascii=False) for chunk in chunks]
    if "alt=sse" in case["path"] or "interactions" in case["surface"]:
        names = [f"event: {chunk['event']}\r\n" if chunk.get("event") else "" for chunk in chunks]
        events = (f"{name}data: {text}\r\n\r\n" for name, text in zip(names, texts, strict=True))
        return "".join(events).encode(), "text/event-stream"
    return ("[" + "\r\n,".join(texts) + "\r\n]").encode(), "application/json; charset=UTF-8"


def reply(case: dict, manner: str, chance: random.Random) -> Reply:
    body, kind = wire(case)
    headers = [("Content-Type", kind)]
    if "gzip" in manner:
        body = gzip.compress(body)
        headers.append(("Content-Encoding", "gzip"))
    edges = sorted({0, len(body), *(chance.randrange(len(body) + 1) for _ in range(8 if "cut" in manner else 0))})
    pieces = [body[a:b] for a, b in itertools.pairwise(edges)]
    streamed = case.get("chunks") is not None or "gzip" in manner
    return Reply(
        pieces,
        case.get("status") or 200,
        headers,
        "chunked" if streamed else "length",
        0.0005 if "cut" in manner else 0,
    )


def play(proxy, name: str, case: dict) -> tuple[int, bytes]:
    headers, path = {"x-gembill-label-case": name}, path_of(case)
    return proxy.get(path, headers) if POLLED.search(path) else proxy.post(path, case.get("request"), headers)


@pytest.mark.parametrize("manner", ["plain", "cut", "gzip", "gzip and cut"])
def test_every_recorded_answer_gives_the_numbers_of_its_row(manner, recording):
    chosen, rows, chance = corpus.cases(*SURFACES), corpus.rows(), random.Random(manner)
    replies = [reply(case, manner, chance) for case in chosen.values()]
    assert len(chosen) > 120
    with Player(list(replies)).serving() as player, (proxy := recording(player.url)).running():
        for (name, case), prepared in zip(chosen.items(), replies, strict=True):
            assert play(proxy, name, case) == (prepared.status, prepared.body), name
    by_case = {stored.record.labels["case"]: stored.record for stored in proxy.records()}
    for name in chosen:
        record, tokens = by_case[name], by_case[name].tokens
        got = {
            "input": tokens.input, "intermediate": tokens.intermediate, "output": tokens.output,
            "executions": len(record.executions), "failed": record.failed,
        }  # fmt: skip
        assert got == corpus.counts(rows[name]), name
        assert record.status == corpus.STATES.get(name[:3], "complete"), name


def test_every_recorded_refusal_of_a_call_is_an_error_with_its_code_and_no_cost(recording):
    chosen = {n: case for n, case in corpus.cases("error").items() if CALLED.search(path_of(case).split("?")[0])}
    replies = [reply(case, "plain", random.Random(0)) for case in chosen.values()]
    assert len(chosen) >= 7
    with Player(list(replies)).serving() as player, (proxy := recording(player.url)).running():
        for (name, case), prepared in zip(chosen.items(), replies, strict=True):
            assert play(proxy, name, case) == (prepared.status, prepared.body), name
    stored = {stored.record.labels["case"]: stored for stored in proxy.records()}
    assert set(stored) == set(chosen)
    for name, case in chosen.items():
        said = (case.get("response") or case["chunks"][0]["data"])["error"]
        record = stored[name].record
        assert (record.status, record.error.code, record.error.status) == ("error", said["code"], said.get("status")), (
            name
        )
        assert record.error.kind == ("rate" if said["code"] == 429 else None), name
        assert (stored[name].cost_pico, record.tokens.total, record.incomplete) == (0, None, False), name


def test_no_recorded_answer_has_a_round_that_the_law_cannot_explain(recording):
    """Laws 5 to 8 and 13 of the corpus: of the streams that show their rounds all are explained."""
    chosen = corpus.cases("streamGenerateContent")
    replies = [reply(case, "plain", random.Random(0)) for case in chosen.values()]
    with Player(list(replies)).serving() as player, (proxy := recording(player.url)).running():
        for name, case in chosen.items():
            play(proxy, name, case)
        ledger = open_ledger(proxy.settings.ledger_url)
    try:
        kept = [
            (stored, read_event(read_event_body(ledger, stored) or b"")) for stored in read_records(ledger, Selection())
        ]
    finally:
        ledger.close()
    shown = [one for _, event in kept for one in rounds(event) if not one.estimated]
    assert len(shown) == 11
    assert all(one.explained for one in shown)
    assert not [stored.record.labels for stored, _ in kept if "intermediate_unexplained" in stored.record.anomalies]


def test_recorded_batch_results_read_three_times_are_a_record_for_each_entry(recording):
    chosen, rows = corpus.cases("batch"), corpus.rows()
    replies = [reply(case, "plain", random.Random(0)) for case in chosen.values()]
    with Player(replies * 3).serving() as player, (proxy := recording(player.url)).running():
        for _ in range(3):
            for (name, case), prepared in zip(chosen.items(), replies, strict=True):
                assert play(proxy, name, case) == (prepared.status, prepared.body), name
    results = [stored.record for stored in proxy.records()]
    (counted,) = (name for name in chosen if rows[name][4])
    split = corpus.counts(rows[counted])
    assert len(results) == 2
    assert {record.service_tier for record in results} == {"batch"}
    assert any((r.tokens.input, r.tokens.output) == (split["input"], split["output"]) for r in results)

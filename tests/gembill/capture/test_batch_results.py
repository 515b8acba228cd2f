"""Exchanges that are no single call: results of batches by entry, notices that are only remembered."""

import gzip
import itertools
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.capture.attribution import Caller
from gembill.capture.batch_results import BatchResults, ContextExchange, exchange_for
from gembill.capture.cache_storage import CacheExchange
from gembill.capture.context import ContextCache
from gembill.capture.exchange import Exchange
from gembill.capture.fingerprint import Fingerprint
from gembill.event import Ending, Event, UnreadReason
from gembill.model import Api, Status
from gembill.rules.metering import meter
from gembill.wire.routes import route

ID = "0199a0b0-0000-7000-8000-000000000001"
KEY = b"AIzaSyD-canary-0123456789"
USAGE = {"promptTokenCount": 3, "totalTokenCount": 3}
LINES = b"".join(
    json.dumps({"key": f"k{n}", "response": {"usageMetadata": USAGE}}).encode() + b"\r\n" for n in range(5)
)
FILE = "/v1beta/files/f:download"


def exchange(
    method: str, path: str, context: ContextCache | None = None, event_id: str = ID, **labels: str
) -> Exchange:
    way = route(method, path)
    assert way is not None
    who = Caller((KEY,), labels, labels_cut=False)
    return exchange_for(event_id, 1_000_000, route=way, caller=who, fingerprint=Fingerprint(b"0" * 16), context=context)


def events(
    call: Exchange, answer: bytes, status: int = 200, *, cuts: tuple[int, ...] = (), ending: Ending = Ending.FINISHED
) -> list[Event]:
    edges = [0, *sorted(c % (len(answer) + 1) for c in cuts), len(answer)]
    call.answered(status, [])
    for start, end in itertools.pairwise(edges):
        call.received(answer[start:end])
    kept = call.events(ending, 2_000_000)
    assert call.finished
    assert [event_id for event_id, _ in kept] == [msgspec.json.decode(body)["id"] for _, body in kept]
    return [msgspec.json.decode(body, type=Event) for _, body in kept]


def test_every_route_has_its_observer():
    paths = [("POST", "/v1/interactions"), ("GET", "/v1/interactions/i"), ("GET", FILE), ("GET", "/v1/batches/b"), ("POST", "/v1/cachedContents"), ("POST", "/v1/models/m:batchGenerateContent")]  # fmt: skip
    assert [type(exchange(*one)) for one in paths] == [
        Exchange,
        Exchange,
        BatchResults,
        BatchResults,
        CacheExchange,
        ContextExchange,
    ]


@given(st.lists(st.integers(0, 10_000), max_size=6))
@settings(max_examples=50, deadline=None)
def test_a_file_of_results_gives_the_same_events_in_any_cut(cuts):
    entries = events(exchange("GET", FILE), LINES, cuts=tuple(cuts))
    assert entries == events(exchange("GET", FILE), LINES)
    assert [event.natural for event in entries] == [("batch", "gemini", "files/f", f"k{n}") for n in range(5)]


def test_whoever_reads_results_gets_the_same_records_and_events_of_its_own():
    one = events(exchange("GET", FILE), LINES)
    two = events(exchange("GET", FILE, event_id=ID[:-1] + "2"), LINES)
    assert [meter(event, 1).id for event in one] == [meter(event, 2).id for event in two]
    assert not {event.id for event in one} & {event.id for event in two}
    assert {meter(event, 1).status for event in one} == {Status.COMPLETE}


def test_a_cut_file_gives_the_lines_that_came_whole():
    assert len(events(exchange("GET", FILE), LINES[: len(LINES) // 2], ending=Ending.CUT)) == 2


@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_an_error_in_place_of_results_is_not_an_event(status):
    call = exchange("GET", FILE)
    assert events(call, LINES, status) == []
    assert not call.wanted


def test_a_file_that_is_none_of_ours_is_looked_at_no_more():
    call = exchange("GET", FILE)
    call.answered(200, [])
    call.received(b"\x89PNG")
    assert not call.wanted
    assert call.events(Ending.CUT, 2) == []


def test_an_answer_that_never_came_is_not_an_event():
    for one in (("GET", FILE), ("GET", "/v1/batches/b"), ("GET", "/v1/interactions/i"), ("POST", "/v1/cachedContents")):
        assert exchange(*one).events(Ending.UNANSWERED, 2) == []


def test_a_poll_is_an_event_only_with_usage_or_at_the_end():
    path = "/v1/interactions/i-1"
    for running in ("in_progress", "queued"):
        assert events(exchange("GET", path), json.dumps({"id": "i-1", "status": running}).encode()) == []
    assert events(exchange("GET", path), b'{"error": {"code": 404}}') == []
    for method, at in (("GET", path), ("POST", f"{path}/cancel")):
        (event,) = events(exchange(method, at), b'{"id": "i-1", "status": "cancelled"}')
        assert (event.seen.finish_reason, event.natural) == ("cancelled", ("interaction", "gemini", "i-1"))
    (event,) = events(exchange("GET", path), b'{"status": "completed", "usage": {"total_input_tokens": 1}}')
    assert event.natural == ("interaction", "gemini", "i-1")
    assert event.asked == type(event.asked)()


def test_a_batch_is_remembered_with_who_made_it():
    context = ContextCache()
    made = exchange("POST", "/v1beta/models/m:batchGenerateContent", context, team="night")
    asked = {"requests": {"requests": [{"request": {"tools": [{"codeExecution": {}}]}}, {}]}}
    made.sent(json.dumps({"batch": {"inputConfig": asked}}).encode())
    assert events(made, b'{"name": "batches/b"}') == []
    entry = {"response": {"usageMetadata": USAGE}}
    done = json.dumps({"response": {"inlinedResponses": {"inlinedResponses": [entry, entry, entry]}}}).encode()
    entries = events(exchange("GET", "/v1beta/batches/b", context, team="reader"), done)
    assert [event.asked.declared for event in entries] == [True, False, None]
    assert {(event.labels["team"], event.asked.model) for event in entries} == {("night", "m")}
    (alone, *_) = events(exchange("GET", "/v1beta/batches/b", ContextCache(), team="reader"), done)
    assert (alone.labels, alone.asked.declared) == ({"team": "reader"}, None)


_ENTRY = {"response": {"usageMetadata": USAGE}}


@pytest.mark.parametrize(
    ("poll", "left"),
    [
        ({"metadata": {"state": "BATCH_STATE_RUNNING"}}, ("batches/b",)),
        ({"response": {"responsesFile": "files/f"}}, ("batches/b",)),
        ({"response": {"inlinedResponses": {"inlinedResponses": [_ENTRY]}}}, ()),
        ({"metadata": {"state": "BATCH_STATE_FAILED"}}, ()),
        ({"error": {"code": 3}}, ()),
    ],
)
def test_a_batch_is_unread_until_its_results_pass(poll, left):
    context = ContextCache()
    refused = exchange("POST", "/v1beta/models/m:batchGenerateContent", context)
    events(refused, b'{"name": "batches/refused"}', 429)
    assert context.unread_batches == ()
    made = exchange("POST", "/v1beta/models/m:batchGenerateContent", context)
    made.sent(b'{"batch": {}}')
    events(made, b'{"name": "batches/b"}')
    assert context.unread_batches == ("batches/b",)
    events(exchange("GET", "/v1beta/batches/b", context), json.dumps(poll).encode())
    assert context.unread_batches == left


def test_a_batch_is_read_with_the_file_of_its_results():
    context = ContextCache()
    made = exchange("POST", "/v1beta/models/m:batchGenerateContent", context)
    made.sent(b'{"batch": {}}')
    events(made, b'{"name": "batches/b"}')
    events(exchange("GET", "/v1beta/batches/b", context), b'{"response": {"responsesFile": "files/f"}}')
    events(exchange("GET", FILE, context), LINES)
    assert context.unread_batches == ()


@pytest.mark.parametrize(
    ("ending", "status", "known"), [(Ending.FINISHED, 200, True), (Ending.CUT, 200, None), (Ending.FINISHED, 400, None)]
)
def test_a_cached_content_is_remembered_once_the_api_has_made_it(ending, status, known):
    context = ContextCache()
    made = exchange("POST", "/v1beta/cachedContents", context)
    made.sent(b'{"tools": [{"codeExecution": {}}]}')
    events(made, b'{"name": "cachedContents/c"}', status, ending=ending)
    assert context.cached(Api.GEMINI, "cachedContents/c") is known
    assert context.cached(Api.VERTEX, "cachedContents/c") is None


def test_a_key_that_an_entry_repeats_is_struck():
    line = json.dumps({"key": "k", "error": {"code": 400, "status": KEY.decode()}}).encode()
    (body,) = exchange_events(line)
    assert KEY not in body


def exchange_events(line: bytes) -> list[bytes]:
    call = exchange("GET", FILE)
    call.answered(200, [])
    call.received(line)
    return [body for _, body in call.events(Ending.FINISHED, 2)]


def test_results_that_confuse_us_are_said_aloud_and_cost_only_themselves(monkeypatch, caplog):
    monkeypatch.setattr(BatchResults, "_entry", lambda *_: 1 / 0)
    assert events(exchange("GET", FILE), LINES) == []
    assert "could not be read" in caplog.text


EMBEDDED = {"response": {"embedding": {"values": [0.1]}, "tokenCount": "5"}}


def embedding_batch(**output: object) -> bytes:
    kind = "type.googleapis.com/google.ai.generativelanguage.v1main.EmbedContentBatch"
    return json.dumps({"name": "batches/e", "metadata": {"@type": kind, "output": output}, "response": output}).encode()


def test_a_batch_of_embeddings_completes_the_call_that_made_it():
    context = ContextCache()
    made = exchange("POST", "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent", context, team="night")
    made.sent(b'{"batch": {"inputConfig": {}}}')
    (call,) = events(made, b'{"name": "batches/e", "metadata": {}}')
    inlined = embedding_batch(inlinedEmbedContentResponses={"inlinedResponses": [EMBEDDED, EMBEDDED]})
    (poll,) = events(exchange("GET", "/v1beta/batches/e", context), inlined)
    assert call.natural == poll.natural == ("batch", "gemini", "batches/e")
    assert [meter(one, 1).status for one in (call, poll)] == [Status.UNKNOWN, Status.COMPLETE]
    record = meter(poll, 1)
    assert (record.tokens.input, record.tokens.total, record.service_tier) == (10, 10, "batch")
    named = (record.operation, record.model, record.labels)
    assert named == ("embed_content", "gemini-embedding-001", {"team": "night"})


def test_a_file_of_embeddings_completes_the_call_too():
    context = ContextCache()
    made = exchange("POST", "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent", context)
    events(made, b'{"name": "batches/e", "metadata": {}}')
    assert events(exchange("GET", "/v1beta/batches/e", context), embedding_batch(responsesFile="files/f")) == []
    lines = b"".join(
        json.dumps(one).encode() + b"\n" for one in (EMBEDDED, {"key": "b", "error": {"code": 3}}, EMBEDDED)
    )
    (event,) = events(exchange("GET", FILE, context), lines)
    assert (event.natural, meter(event, 1).tokens.input) == (("batch", "gemini", "batches/e"), 10)


def test_embeddings_of_a_batch_that_nobody_saw_made_are_not_calls():
    inlined = embedding_batch(inlinedEmbedContentResponses={"inlinedResponses": [EMBEDDED]})
    assert events(exchange("GET", "/v1beta/batches/e"), inlined) == []
    assert events(exchange("GET", FILE), json.dumps(EMBEDDED).encode()) == []


@pytest.mark.parametrize(
    "end", [{"error": {"code": 13, "message": "x"}}, {"metadata": {"state": "BATCH_STATE_EXPIRED"}}]
)
def test_a_batch_of_embeddings_that_failed_costs_nothing(end):
    context = ContextCache()
    made = exchange("POST", "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent", context)
    events(made, b'{"name": "batches/e", "metadata": {}}')
    document = json.loads(embedding_batch())
    document["metadata"].update(end.pop("metadata", {}))
    (event,) = events(exchange("GET", "/v1beta/batches/e", context), json.dumps(document | end).encode())
    record = meter(event, 1)
    assert (record.status, record.readings, record.error is not None) == (Status.ERROR, (), True)


def test_a_batch_of_embeddings_that_runs_says_nothing():
    context = ContextCache()
    made = exchange("POST", "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent", context)
    events(made, b'{"name": "batches/e", "metadata": {}}')
    assert events(exchange("GET", "/v1beta/batches/e", context), embedding_batch()) == []


ENTRY = json.dumps({"response": {"usageMetadata": USAGE}}).encode()
POLL = ("GET", "/v1beta/batches/b")


def inlined(items: list[bytes], before: bytes = b"", behind: bytes = b"") -> bytes:
    """An answer with its results inline, and members before and behind them."""
    listed = b'"response": {"inlinedResponses": {"inlinedResponses": [%s]}}' % b",".join(items)
    return b"{%s}" % b",".join(part for part in (before, listed, behind) if part)


MODEL = b'"metadata": {"model": "models/m", "state": "BATCH_STATE_SUCCEEDED"}'


@given(st.lists(st.integers(0, 10_000), max_size=6), st.sampled_from([(MODEL, b""), (b"", MODEL), (b"", b"")]))
@settings(max_examples=50, deadline=None)
def test_inlined_results_give_the_same_events_in_any_cut_wherever_the_model_is_named(cuts, where):
    answer = inlined([ENTRY, b'{"error": {"code": 13}}', b"7"], *where)
    entries = events(exchange(*POLL), answer, cuts=tuple(cuts))
    assert [event.natural[-1] for event in entries] == ["0", "1", "2"]
    assert {event.asked.model for event in entries} == {"models/m" if any(where) else None}
    assert [meter(event, 1).status for event in entries][:2] == [Status.COMPLETE, Status.ERROR]
    assert entries == events(exchange(*POLL), answer)


@pytest.mark.parametrize("less", [("AT_ONCE", 3), ("_MUCH", 700)])
def test_results_are_taken_out_as_they_come_once_many_wait_and_the_model_is_known(less, monkeypatch):
    monkeypatch.setattr(f"gembill.capture.batch_results.{less[0]}", less[1])
    call = exchange(*POLL)
    call.answered(200, [])
    call.received(inlined([ENTRY] * 2, MODEL)[:-4])
    assert not call.has_results, "too few for a sync"
    call.received(b"," + ENTRY)
    assert call.has_results
    assert [len(portion) for portion in call.results()] == [3]
    assert not call.has_results
    call.received(b"]}}}")
    assert call.events(Ending.FINISHED, 2) == []


def test_results_before_the_model_wait_for_it_but_not_for_ever(monkeypatch):
    monkeypatch.setattr("gembill.capture.batch_results.AT_ONCE", 1)
    monkeypatch.setattr("gembill.capture.batch_results._PATIENT", 2_000)
    call = exchange(*POLL)
    call.answered(200, [])
    call.received(inlined([ENTRY] * 2)[:-4])
    assert not call.has_results
    call.received(b"," + b",".join([ENTRY] * 10))
    assert call.has_results
    assert sum(map(len, call.results())) == 12
    call.received(b"]}}}")
    call.end_answer()
    assert not call.has_results
    assert not exchange(*POLL).has_results


def test_events_are_made_in_portions(monkeypatch):
    monkeypatch.setattr("gembill.capture.batch_results._PORTION", 2)
    call = exchange(*POLL)
    call.answered(200, [])
    call.received(inlined([ENTRY] * 5))
    call.end_answer()
    assert call.has_results
    assert [len(portion) for portion in call.results()] == [2, 2, 1]


def test_an_answer_that_is_cut_gives_the_results_that_came_whole():
    body = inlined([ENTRY] * 3, MODEL)
    assert len(events(exchange(*POLL), body[: -len(ENTRY)], ending=Ending.CUT)) == 2


def test_a_result_that_was_not_read_whole_is_a_call_that_says_so():
    long = b'{"response": {"usageMetadata": %s, "candidates": [%s]}}' % (
        json.dumps(USAGE).encode(),
        b",".join([b"{}"] * 40_000),
    )
    lost = b'{"response": {%s}}' % b",".join(b'"%d": 1' % n for n in range(100_000))
    first, second, third = events(
        exchange(*POLL), inlined([long, lost, ENTRY]), cuts=tuple(range(0, 2_000_000, 16_384))
    )
    assert (first.seen.unread, meter(first, 1).tokens.input) == ("too_many_parts", 3)
    assert (second.seen.unread, meter(second, 1).status) == ("too_large", Status.UNKNOWN)
    assert (third.seen.unread, meter(third, 1).status) == (None, Status.COMPLETE)


def test_lines_of_errors_wait_for_one_that_says_whether_it_is_a_file_of_calls(monkeypatch):
    monkeypatch.setattr("gembill.capture.batch_results.AT_ONCE", 1)
    failed = b'{"key": "e", "error": {"code": 3}}\n'
    for line, count in ((b'{"key": "c", "response": {}}\n', 2), (json.dumps(EMBEDDED).encode() + b"\n", 0)):
        call = exchange("GET", FILE)
        call.answered(200, [])
        call.received(failed)
        assert not call.has_results
        call.received(line)
        assert call.has_results
        assert sum(map(len, call.results())) == count
    assert len(events(exchange("GET", FILE), failed)) == 1, "only errors"


def test_a_line_that_is_too_large_to_be_kept_is_a_call_of_unknown_usage():
    large = b'{"key": "big", "response": {%s}}\n' % b",".join(b'"member %d": {}' % n for n in range(400_000))
    whole = LINES.splitlines(keepends=True)
    for cuts in ((), (700_000, 700_001, 3_000_000)):
        entries = events(exchange("GET", FILE), b"".join([*whole[:2], large, *whole[2:]]), cuts=cuts)
        assert [one.natural[-1] for one in entries] == ["k0", "k1", "line 2", "k2", "k3", "k4"]
        lost = entries[2]
        assert (lost.seen.unread, meter(lost, 1).status) == (UnreadReason.TOO_LARGE, Status.UNKNOWN)
        assert lost.natural[-1] not in ("big", "2"), "it may be the key of another one"
    assert events(exchange("GET", FILE), large) == [], "nothing says that it is a file of calls"


def test_a_key_that_a_file_has_twice_is_one_call_with_two_events():
    line = json.dumps({"key": "k", "response": {"usageMetadata": USAGE}}).encode() + b"\n"
    one, two = events(exchange("GET", FILE), line * 2)
    assert one.natural == two.natural
    assert one.id != two.id


def test_results_that_are_missing_are_said_aloud(caplog):
    call = exchange("GET", FILE)
    call.answered(200, [(b"content-encoding", b"gzip")])
    call.received(gzip.compress(LINES) + b"damage")
    assert call.events(Ending.FINISHED, 2)
    assert "are missing, or were cut: encoding" in caplog.text


def test_requests_of_a_batch_are_read_one_by_one_however_many_there_are():
    context = ContextCache()
    tools = [{"request": {"tools": [{"codeExecution": {}}]}}, {"request": {"contents": ["x" * 5_000]}}] * 1_000
    body = json.dumps({"batch": {"inputConfig": {"requests": {"requests": tools}}}}).encode()
    made = exchange("POST", "/v1beta/models/m:batchGenerateContent", context)
    for start in range(0, len(body), 65_536):
        made.sent(body[start : start + 65_536])
    assert events(made, b'{"name": "batches/b"}') == []
    answer = inlined([ENTRY] * 2)
    assert [event.asked.declared for event in events(exchange(*POLL, context), answer)] == [True, False]

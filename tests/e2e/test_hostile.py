"""Hostile counts and bodies through the proxy: the bytes pass unchanged, the record is unknown, the raw text is kept."""

import json
import socket
import threading
import time

import pytest

from gembill.ledger import Selection, open_ledger, read_event_body, read_records
from tests.e2e.player import Player, Reply, Request

GENERATE = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
CREATE = "/v1beta/interactions"
CHAT = "/v1beta/openai/chat/completions"
FIELDS = {
    GENERATE: ("usageMetadata", "promptTokenCount"),
    CREATE: ("usage", "total_input_tokens"),
    CHAT: ("usage", "prompt_tokens"),
}
WRONG = [
    "-1",
    str(2**63),
    "NaN",
    "Infinity",
    '"12"',
    "9" * 5_000,
    "1.5",
    "1e400",
    "[1]",
    '{"a": 1}',
    "true",
    '"\\ud800"',
    "[" * 3_000 + "]" * 3_000,
]
SSE = [("Content-Type", "text/event-stream")]


@pytest.mark.parametrize("path", FIELDS)
def test_hostile_counts_pass_unchanged_and_are_kept_raw(path, recording):
    field, count = FIELDS[path]
    bodies = [f'{{"{field}": {{"{count}": {wrong}, "odd": "kept"}}}}'.encode() for wrong in WRONG]
    with Player([Reply([body]) for body in bodies]).serving() as player, (proxy := recording(player.url)).running():
        for number, body in enumerate(bodies):
            assert proxy.post(path, None, {"x-gembill-label-n": str(number)}) == (200, body)
    ledger = open_ledger(proxy.settings.ledger_url)
    try:
        kept = {int(s.record.labels["n"]): (s, read_event_body(ledger, s)) for s in read_records(ledger, Selection())}
    finally:
        ledger.close()
    for number, wrong in enumerate(WRONG):
        stored, event = kept[number]
        assert (stored.record.status, stored.record.tokens.total, stored.cost_pico) == ("unknown", None, None), wrong[
            :20
        ]
        assert "invalid_usage" in stored.record.anomalies, wrong[:20]
        assert count in json.loads(event or b"")["seen"]["usage"], wrong[:20]


def test_a_body_as_deep_as_it_is_odd_delays_no_one(recording):
    deep = b'{"usageMetadata": ' + b'{"a":' * 60_000 + b"1" + b"}" * 60_000 + b"}"
    good = json.dumps({"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}).encode()

    def answer(request: Request) -> Reply:
        return Reply([deep if b"deep" in request.body else good])

    with Player(answer=answer).serving() as player, (proxy := recording(player.url)).running():
        threads = [threading.Thread(target=proxy.post, args=(GENERATE, b'{"deep": 1}')) for _ in range(5)]
        for thread in threads:
            thread.start()
        assert proxy.post(GENERATE, b'{"plain": 1}') == (200, good)  # a reader in quadratic time would outlast the test
        for thread in threads:
            thread.join()
    assert sorted(s.record.status for s in proxy.records()) == ["complete"] + ["unknown"] * 5


def interaction_events(count: int) -> list[bytes]:
    """A stream of an interaction; its counts come with the last event alone."""
    documents: list[dict] = [
        {"event_type": "interaction.created", "interaction": {"id": "ID", "status": "in_progress"}}
    ]
    documents += [{"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "word " * 20}}] * count
    usage = {"total_input_tokens": 10, "total_output_tokens": count, "total_tokens": 10 + count}
    documents.append(
        {"event_type": "interaction.completed", "interaction": {"id": "ID", "status": "completed", "usage": usage}}
    )
    return [f"event: {one['event_type']}\r\ndata: {json.dumps(one)}\r\n\r\n".encode() for one in documents]


def test_clients_that_leave_the_stream_of_an_interaction_have_its_final_usage(recording):
    def answer(request: Request) -> Reply:
        name = json.loads(request.body)["input"].encode()
        pieces = [piece.replace(b'"ID"', b'"' + name + b'"') for piece in interaction_events(10)]
        return Reply(pieces, headers=SSE, framing="chunked", pause=0.01)

    with Player(answer=answer).serving() as player, (proxy := recording(player.url)).running():
        threads = [threading.Thread(target=leave, args=(proxy.port, n, (1, 1_000, 2_300)[n % 3])) for n in range(300)]
        for n, thread in enumerate(threads):
            thread.start()
            if n % 30 == 29:
                time.sleep(0.1)
        for thread in threads:
            thread.join()
        until = time.monotonic() + 60
        while proxy.health()["calls_under_way"] and time.monotonic() < until:
            time.sleep(0.05)
    calls = [s.record for s in proxy.records()]
    assert len(calls) == 300
    assert {(r.status.value, r.tokens.output, r.tokens.total, r.source_id < 0) for r in calls} == {
        ("complete", 10, 20, True)
    }


def leave(port: int, number: int, after_bytes: int) -> None:
    """Ask for a stream and hang up after N bytes of the answer."""
    body = json.dumps({"model": "m", "input": f"i{number}", "stream": True}).encode()
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(
            f"POST {CREATE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        while after_bytes > 0 and (piece := connection.recv(min(4096, after_bytes))):
            after_bytes -= len(piece)

"""What goes wrong around a call: the caller leaves, the upstream fails, the ledger is away, the disk is full."""

import json
import socket
import threading
import time

import pytest

from gembill.model import Status
from tests.e2e.player import Player, Reply

STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
ANSWER = json.dumps(
    {
        "modelVersion": "gemini-2.5-flash",
        "candidates": [{"content": {"parts": [{"text": "x" * 500}]}}],
        "usageMetadata": USAGE,
    }
).encode()


def events(count: int) -> list[bytes]:
    """A stream whose counts grow with every event; only the last has them whole."""
    return [
        b"data: "
        + json.dumps(
            {
                "candidates": [{"content": {"parts": [{"text": "word " * 20}]}}],
                "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": n, "totalTokenCount": 10 + n},
            }
        ).encode()
        + b"\r\n\r\n"
        for n in range(1, count + 1)
    ]


SSE = [("Content-Type", "text/event-stream")]


def leave(port: int, path: str, case: str, after_bytes: int) -> None:
    """Ask for a stream and hang up after N bytes of the answer."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        body = b'{"contents": []}'
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\nx-gembill-label-case: {case}\r\n\r\n".encode()
            + body
        )
        while after_bytes > 0 and (piece := connection.recv(min(4096, after_bytes))):
            after_bytes -= len(piece)


def test_1000_clients_that_leave_mid_stream_have_the_final_usage(recording):
    count = 12
    player = Player(answer=lambda _: Reply(events(count), headers=SSE, framing="chunked", pause=0.01))
    with player.serving(), (proxy := recording(player.url)).running():
        threads = [
            threading.Thread(target=leave, args=(proxy.port, STREAM, str(n), (1, 1200, 2600)[n % 3]))
            for n in range(1_000)
        ]
        for n, thread in enumerate(threads):
            thread.start()
            if n % 20 == 19:
                time.sleep(0.05)
        for thread in threads:
            thread.join()
        wait_until(lambda: proxy.health()["calls_under_way"] == 0)
    records = {stored.record.labels["case"]: stored.record for stored in proxy.records()}
    assert len(records) == 1_000
    assert {(r.status, r.tokens.output, r.tokens.total) for r in records.values()} == {
        (Status.COMPLETE, count, 10 + count)
    }


def test_a_client_that_leaves_before_its_request_is_whole_costs_nothing(recording):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player, (proxy := recording(player.url)).running():
        with socket.create_connection(("127.0.0.1", proxy.port), 60) as connection:
            connection.sendall(f"POST {STREAM} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{{".encode())
            time.sleep(0.3)
        wait_until(lambda: proxy.health()["calls_under_way"] == 0)
    (stored,) = proxy.records()
    assert (stored.record.status, stored.cost_pico) == (Status.ERROR, 0)
    assert all(len(request.body) < 100 for request in player.requests), "the API never had a whole request"


def test_an_upstream_that_cannot_be_reached_is_a_502_and_an_error_record(recording):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with (proxy := recording(url)).running():
        status, body = proxy.post()
    assert status == 502
    assert json.loads(body)["error"]["details"][0]["reason"] == "GEMBILL_UPSTREAM_UNREACHABLE"
    (stored,) = proxy.records()
    assert (stored.record.status, stored.cost_pico, stored.record.http_status) == (Status.ERROR, 0, None)


def test_an_upstream_that_does_not_answer_is_a_504_and_unknown(recording):
    with (
        Player(answer=lambda _: Reply(silent=True)).serving() as player,
        (proxy := recording(player.url, answer_seconds=1)).running(),
    ):
        status, body = proxy.post()
    assert (status, json.loads(body)["error"]["status"]) == (504, "DEADLINE_EXCEEDED")
    (stored,) = proxy.records()
    assert (stored.record.status, stored.cost_pico, stored.record.incomplete) == (Status.UNKNOWN, None, True)


def test_an_answer_that_breaks_off_is_cut_for_the_client_and_partial_in_the_ledger(recording):
    player = Player(answer=lambda _: Reply(events(3), headers=SSE, framing="chunked", cut=True))
    with player.serving(), (proxy := recording(player.url)).running():
        received = b""
        with socket.create_connection(("127.0.0.1", proxy.port), 60) as connection:
            connection.sendall(f"POST {STREAM} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}".encode())
            while piece := connection.recv(65536):
                received += piece
        wait_until(lambda: proxy.health()["calls_under_way"] == 0)
    assert all(event in received.replace(b"\r\n", b"") for event in [e.replace(b"\r\n", b"") for e in events(3)])
    assert not received.endswith(b"0\r\n\r\n")
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.tokens.output, stored.record.flags) == (
        Status.PARTIAL,
        3,
        ("incomplete",),
    )


def test_a_full_disk_refuses_before_forwarding_and_recovers_by_itself(recording, monkeypatch):
    from gembill.errors import SpoolUnwritable
    from gembill.spool import Spool

    full = threading.Event()
    check = Spool.check

    def checked(self):
        if full.is_set():
            raise SpoolUnwritable("the disk of the spool is full")
        check(self)

    monkeypatch.setattr(Spool, "check", checked)
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player, (proxy := recording(player.url)).running():
        assert proxy.post()[0] == 200
        full.set()
        status, body = proxy.post()
        assert (status, json.loads(body)["error"]["details"][0]["reason"]) == (503, "GEMBILL_CANNOT_RECORD")
        assert proxy.health()["refused_calls"] == 1
        full.clear()
        assert proxy.post()[0] == 200
    assert len(player.requests) == 2
    assert len(proxy.records()) == 2


def test_on_record_failure_open_serves_and_counts_loudly(recording, monkeypatch, caplog):
    from gembill.errors import SpoolUnwritable
    from gembill.spool import Spool

    async def refuse(self, event_id, body):
        raise SpoolUnwritable("no space left")

    monkeypatch.setattr(Spool, "intend", refuse)
    with (
        Player(answer=lambda _: Reply([ANSWER])).serving() as player,
        (proxy := recording(player.url, on_record_failure="open")).running(),
    ):
        assert proxy.post() == (200, ANSWER)
        assert proxy.health()["unrecorded_calls"] == 1
    assert "UNRECORDED" in caplog.text


@pytest.mark.parametrize("size", [1, 2, 70_000, 3_000_000])
def test_bodies_of_any_size_pass_unaltered_both_ways(size, recording):
    big = json.dumps({"data": "A" * size, "usageMetadata": USAGE}).encode()
    with Player(answer=lambda _: Reply([big])).serving() as player, (proxy := recording(player.url)).running():
        request = json.dumps({"contents": [{"parts": [{"inlineData": {"data": "B" * size}}]}]}).encode()
        assert proxy.post(body=request) == (200, big)
    assert player.requests[0].body == request
    assert proxy.records()[0].record.tokens.total == 15


def test_the_request_is_forwarded_as_it_came_but_for_what_the_contract_excepts(recording):
    with (
        Player(
            answer=lambda _: Reply(
                [ANSWER], headers=[("X-Odd", "a;b"), ("x-odd", "c"), ("Content-Type", "application/json")]
            )
        ).serving() as player,
        (proxy := recording(player.url)).running(),
    ):
        raw = (
            b"POST /v1beta/models/gemini-2.5-flash:generateContent?b=2&a=%20x&key=kkkkkkkk HTTP/1.1\r\nHost: LocalHost:1\r\nX-One:  1 \r\nx-gembill-label-team: search\r\n"
            b"Connection: close, X-Hop\r\nX-Hop: 1\r\nX-Two: 2\r\nx-one: again\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", proxy.port), 60) as connection:
            connection.sendall(raw)
            assert connection.recv(100).startswith(b"HTTP/1.1 100")
            connection.sendall(b"{}")
            received = b""
            while piece := connection.recv(65536):
                received += piece
    (request,) = player.requests
    assert request.target == "/v1beta/models/gemini-2.5-flash:generateContent?b=2&a=%20x&key=kkkkkkkk"
    assert [line.strip().split(": ", 1) for line in request.head.decode().lower().split("\r\n")[1:-2]] == [
        ["host", player.url.removeprefix("http://")], ["x-one", "1"], ["x-two", "2"], ["x-one", "again"], ["content-length", "2"],
    ]  # fmt: skip
    assert b"x-odd: a;b\r\nx-odd: c\r\ncontent-type: application/json\r\n" in received
    assert proxy.records()[0].record.labels == {"team": "search"}


def wait_until(condition, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)

"""The relay itself: what it refuses, what passes unrecorded, what happens when something of ours fails; upload URLs."""

import json
import socket
import time

import pytest

from gembill.capture import proxy as relay
from gembill.capture import slices
from gembill.capture.proxy import Proxy, rewrite_upload_url
from gembill.model import Status
from gembill.upstream import Origin
from tests.e2e.player import Player, Reply

ANSWER = b'{"totalTokens": 8}'
GOOGLE = Origin.parse("https://generativelanguage.googleapis.com")
LOCAL = Origin.parse("http://127.0.0.1:9000")
TAIL = "/upload/v1beta/files?upload_id=A%2Fb&upload_protocol=resumable"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1beta/models/gemini-2.5-flash:countTokens"),
        ("GET", "/v1beta/models"),
        ("GET", "/v1/files/abc-123"),
        ("DELETE", "/v1beta/cachedContents/xyz"),
        ("PATCH", "/v1beta/cachedContents/xyz?updateMask=ttl"),
        ("HEAD", "/v1beta/models/gemini-2.5-flash"),
    ],
)
def test_what_is_not_a_call_passes_and_is_not_recorded(method, path, recording):
    with (
        Player(answer=lambda _: Reply([b"" if method == "HEAD" else ANSWER])).serving() as player,
        (proxy := recording(player.url)).running(),
    ):
        assert request(proxy.port, method, path).endswith(b"\r\n\r\n" if method == "HEAD" else ANSWER)
    assert [r.head.split(b" ")[:2] for r in player.requests] == [[method.encode(), path.encode()]]
    assert proxy.records() == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1beta/unknown",
        "/v1beta/models/../../secret",
        "/v1beta/models/a%2fb:generateContent",
        "/v2",
        "/_gembill/other",
        "/v1beta/models/a:generateContent/x:y:z",
    ],
)
def test_a_path_outside_the_allow_list_is_never_forwarded(path, recording):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player, (proxy := recording(player.url)).running():
        answer = request(proxy.port, "POST", path)
    assert answer.startswith(b"HTTP/1.1 404")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["status"] == "NOT_FOUND"
    assert player.requests == []


def test_live_interactions_are_refused_with_one_sentence(recording):
    path = "/v1beta/interactions/live?key=kkkkkkkk"
    with Player().serving() as player, (proxy := recording(player.url)).running():
        answer = request(proxy.port, "GET", path, "Connection: Upgrade\r\nUpgrade: websocket\r\n")
    assert answer.startswith(b"HTTP/1.1 501")
    assert "Live API" in json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"]


def test_the_health_page_says_whether_calls_are_recorded(recording):
    with Player().serving() as player, (proxy := recording(player.url)).running():
        health = proxy.health()
    assert health["recording"] is True
    assert health["unposted"] == {"records": 0, "oldest_age_seconds": None}
    assert health["last_error"] is None
    assert health["version"]


def test_a_fault_of_ours_is_a_500_that_says_so_and_the_call_is_closed(recording, monkeypatch, caplog):
    async def broken(self, request, admitted, call):
        raise RuntimeError("made to fail")

    monkeypatch.setattr(Proxy, "_relay", broken)
    with Player().serving() as player, (proxy := recording(player.url)).running():
        status, body = proxy.post()
        assert (status, json.loads(body)["error"]["details"][0]["reason"]) == (500, "GEMBILL_INTERNAL")
        until = time.monotonic() + 60
        while proxy.health()["calls_under_way"]:
            assert time.monotonic() < until
    assert "made to fail" in caplog.text
    (record,) = proxy.records()
    assert (record.record.status, record.cost_pico) == (Status.ERROR, 0), "it never left, so it cost nothing"


def test_a_body_shorter_than_its_head_says_costs_nothing(recording):
    with Player().serving() as player, (proxy := recording(player.url)).running():
        path = "/v1beta/models/gemini-2.5-flash:generateContent"
        with socket.create_connection(("127.0.0.1", proxy.port), 60) as client:
            client.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n".encode())
        until = time.monotonic() + 60
        while not proxy.records():
            assert time.monotonic() < until
            time.sleep(0.05)
    assert [record.record.status for record in proxy.records()] == [Status.ERROR]


def test_a_call_whose_body_has_not_come_has_no_intent_that_a_kill_could_leave_behind(recording):
    head = "POST /v1beta/models/m:generateContent HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    with (
        Player(answer=lambda _: Reply([ANSWER])).serving() as player,
        (proxy := recording(player.url)).running(),
        socket.create_connection(("127.0.0.1", proxy.port), 60) as client,
    ):
        client.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 100"), "the call is known, and its body waited for"
        assert proxy.health()["calls_under_way"] == 0
        client.sendall(b"{}")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    (record,) = proxy.records()
    assert record.record.status == "unknown", "the answer has no usage"
    assert record.record.ended_us > record.record.occurred_us


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_passes(status, recording):
    with (
        Player(answer=lambda _: Reply(status=status, headers=[], framing="none")).serving() as player,
        (proxy := recording(player.url)).running(),
    ):
        assert request(proxy.port, "GET", "/v1beta/models").startswith(b"HTTP/1.1 %d" % status)


def test_an_empty_answer_to_a_call_is_recorded_as_unknown(recording):
    with Player(answer=lambda _: Reply([b""])).serving() as player, (proxy := recording(player.url)).running():
        assert proxy.post() == (200, b"")
    assert [s.record.status for s in proxy.records()] == ["unknown"]


def test_an_answer_framed_by_the_connections_end_passes_whole(recording):
    with (
        Player(answer=lambda _: Reply([ANSWER, ANSWER], framing="close")).serving() as player,
        (proxy := recording(player.url)).running(),
    ):
        assert proxy.post() == (200, ANSWER + ANSWER)


def test_of_a_long_image_only_the_ends_are_looked_at_in_slices(recording, monkeypatch):
    sliced = 0

    async def in_slices(take, data, size, *each):
        nonlocal sliced
        sliced += len(data)
        await slices.in_slices(take, data, size, *each)

    monkeypatch.setattr(relay, "in_slices", in_slices)
    image = b'{"contents": [{"parts": [{"inlineData": {"data": "' + b"A" * 8_000_000 + b'"}}]}]}'
    said = b'{"candidates": [{"content": {"parts": [{"inlineData": {"data": "' + b"B" * 8_000_000 + b'"}}]}}]}'
    with Player(answer=lambda _: Reply([said])).serving() as player, (proxy := recording(player.url)).running():
        assert proxy.post(body=image) == (200, said)
    assert player.requests[0].body == image
    assert 0 < sliced < len(image) // 2
    assert len(proxy.records()) == 1


def request(port: int, method: str, path: str, headers: str = "Connection: close\r\n") -> bytes:
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
            if b"\r\n\r\n" in received and "Upgrade" in headers:
                break
    return received


# An upload URL leads back through the proxy if it is the upstream's, and stays if it is anyone else's.


def rewritten(
    address: str, origin: Origin = GOOGLE, host: bytes = b"localhost:8787", name: bytes = b"X-Goog-Upload-URL"
) -> str:
    other = (b"Content-Type", b"text/plain")
    headers = rewrite_upload_url([other, (name, address.encode()), other], origin, (b"http", host))
    assert (headers[0], headers[2], headers[1][0]) == (other, other, name)
    return headers[1][1].decode()


@pytest.mark.parametrize("address", ["https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com:443", "https://GenerativeLanguage.googleapis.com"])  # fmt: skip
def test_an_address_of_the_upstream_leads_to_where_the_client_called(address):
    assert rewritten(address + TAIL) == "http://localhost:8787" + TAIL
    assert rewritten(address + TAIL, name=b"x-goog-upload-url") == "http://localhost:8787" + TAIL


def test_a_port_is_part_of_the_upstream():
    assert rewritten("http://127.0.0.1:9000" + TAIL, LOCAL) == "http://localhost:8787" + TAIL
    assert rewritten("http://127.0.0.1:9001" + TAIL, LOCAL) == "http://127.0.0.1:9001" + TAIL


@pytest.mark.parametrize(
    "address",
    [
        "https://storage.googleapis.com/upload?x=1", "http://generativelanguage.googleapis.com/upload", "//generativelanguage.googleapis.com/u",
        "https://generativelanguage.googleapis.com.evil.example/u", "https://generativelanguage.googleapis.com@evil.example/u",
        "https://evil.example/https://generativelanguage.googleapis.com/u", "https://generativelanguage.googleapis.com", "/upload", "", "\u20ac",
        "https://generativelanguage.googleapis.com\\@evil.example/u", "https://generativelanguage.googleapis.com#/u",
    ],
)  # fmt: skip
def test_any_other_address_stays(address):
    assert rewritten(address) == address


def test_other_headers_and_a_client_without_a_host_change_nothing():
    address = "https://generativelanguage.googleapis.com" + TAIL
    assert rewritten(address, name=b"Location") == address
    assert rewritten(address, host=b"") == address

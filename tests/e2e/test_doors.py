"""A web page in a real browser asks the proxy: a foreign one gets nothing forwarded and nothing recorded."""

import contextlib
import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.browsing import CHROMIUM, chromium
from tests.e2e.player import Player, Reply

CALL = "/v1beta/models/gemini-2.5-flash:generateContent?key=kkkkkkkk"
ANSWER = b'{"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}'
LABELLED = {"content-type": "application/json", "x-gembill-label-team": "forged"}
ASK = """async ([url, options]) => {
  try { const answer = await fetch(url, options); return answer.type + ' ' + answer.status + ' ' + await answer.text(); }
  catch (error) { return 'failed'; }
}"""
SOCKET = """(url) => new Promise((done) => {
  const session = new WebSocket(url); session.onopen = () => done('open'); session.onerror = () => done('failed');
})"""
FORM = """(url) => new Promise((done) => {
  const frame = document.createElement('iframe'); frame.name = 'target'; document.body.append(frame);
  const form = document.createElement('form');
  Object.assign(form, { action: url, method: 'post', enctype: 'text/plain', target: 'target' });
  document.body.append(form); frame.onload = () => done('loaded'); form.submit(); setTimeout(() => done('late'), 5000);
})"""


class Page(http.server.BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page</title><body></body>")

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def page_server() -> Iterator[str]:
    """Another server of this machine; gives its origin."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def api() -> Player:
    """An API that lets every page read its answers, as Google's does."""
    headers = [
        ("Content-Type", "application/json"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Headers", "*"),
    ]
    return Player(answer=lambda _: Reply([ANSWER], headers=headers))


def test_a_foreign_page_gets_nothing_forwarded_and_nothing_recorded(recording):
    with (
        chromium() as browser,
        page_server() as origin,
        api().serving() as player,
        (proxy := recording(player.url)).running(),
    ):
        page = browser.new_page()
        page.goto(origin)
        call = f"http://127.0.0.1:{proxy.port}{CALL}"
        blind = {"method": "POST", "mode": "no-cors", "headers": {"content-type": "text/plain"}, "body": "{}"}
        assert page.evaluate(ASK, [call, blind]) == "opaque 0 "  # it was sent, which no browser prevents
        assert page.evaluate(ASK, [call, {"mode": "no-cors"}]) == "opaque 0 "
        for health in ("health", "ready", "metrics"):
            assert page.evaluate(ASK, [f"http://localhost:{proxy.port}/_gembill/{health}", {}]) == "failed"
        assert page.evaluate(ASK, [call, {"method": "POST", "headers": LABELLED, "body": "{}"}]) == "failed"
        live = "google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
        assert page.evaluate(SOCKET, f"ws://127.0.0.1:{proxy.port}/ws/{live}?key=kkkkkkkk") == "failed"
        page.evaluate(FORM, call)
        assert proxy.health()["calls_under_way"] == 0
    assert player.requests == []
    assert proxy.records() == []


def test_a_name_that_was_pointed_at_this_machine_reads_nothing(recording):
    with chromium() as browser, api().serving() as player, (proxy := recording(player.url)).running():
        mapped = ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
        rebinding = browser.browser_type.launch(executable_path=CHROMIUM, args=mapped)
        try:
            page = rebinding.new_page()
            answer = page.goto(f"http://evil.example:{proxy.port}/_gembill/health")
            assert (answer.status, "GEMBILL_HOST_NOT_ALLOWED" in answer.text()) == (403, True)
            options = {"method": "POST", "headers": LABELLED, "body": "{}"}
            assert page.evaluate(ASK, [CALL, options]).startswith("basic 403 ")
        finally:
            rebinding.close()
    assert player.requests == []
    assert proxy.records() == []


def test_a_page_of_the_users_own_is_served_and_its_address_can_be_typed(recording):
    with (
        chromium() as browser,
        page_server() as origin,
        api().serving() as player,
        (proxy := recording(player.url, origins=(origin,))).running(),
    ):
        page = browser.new_page()
        page.goto(origin)
        options = {"method": "POST", "headers": LABELLED, "body": "{}"}
        answer = page.evaluate(ASK, [f"http://127.0.0.1:{proxy.port}{CALL}", options])
        assert answer == f"cors 200 {ANSWER.decode()}"
        typed = browser.new_page().goto(f"http://127.0.0.1:{proxy.port}/_gembill/health")
        assert typed.status == 200
    assert [stored.record.labels for stored in proxy.records()] == [{"team": "forged"}]


@pytest.mark.parametrize(
    ("host", "status"), [("localhost.evil", b"403"), ("evil.example", b"403"), ("gembill.lan", b"200")]
)
def test_a_name_is_answered_where_the_setting_has_it(host, status, recording):
    with (
        api().serving() as player,
        (proxy := recording(player.url, hosts=("gembill.lan",))).running(),
        socket.create_connection(("127.0.0.1", proxy.port), 60) as client,
    ):
        client.sendall(f"POST {CALL} HTTP/1.1\r\nHost: {host}:1\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 " + status)
    assert len(proxy.records()) == len(player.requests) == (status == b"200")

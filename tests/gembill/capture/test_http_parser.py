"""An offer to upgrade changes nothing: the request is read as if it was not there, on raw sockets and by curl."""

import shutil
import socket
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.capture.http_parser import HttpParser
from tests.e2e.player import Player, Reply

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
BODY = b'{"contents":[{"parts":[{"text":"hello"}]}]}'
CHUNKED = (
    b"Transfer-Encoding: chunked\r\n\r\n9\r\n" + BODY[:9] + b"\r\n%x\r\n" % len(BODY[9:]) + BODY[9:] + b"\r\n0\r\n\r\n"
)
SIZED = b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
NONE = b"\r\n"
ANSWER = b'{"usageMetadata":{"promptTokenCount":1,"totalTokenCount":1}}'


class Heard:
    switching = False
    """What a protocol hears: heads and bodies, in their order."""

    def __init__(self):
        self.headers: list[tuple[bytes, bytes]] = []
        self.events: list[object] = []
        self.parser = HttpParser(self)

    def on_message_begin(self):
        self.headers = []
        self.events.append(bytearray())

    def on_url(self, url):
        self.events[-1] += url

    def on_header(self, name, value):
        self.headers.append((name.lower(), value))

    def on_headers_complete(self):
        self.events.append((self.parser.get_method(), self.parser.should_keep_alive()))
        self.events.append(bytearray())

    def on_body(self, body):
        self.events[-1] += body

    def on_message_complete(self):
        if not self.parser.should_upgrade():
            self.events.append("end")


def heard(data: bytes, cuts: list[int]) -> list[object]:
    protocol = Heard()
    borders = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(borders):
        protocol.parser.feed_data(data[start:end])
    return protocol.events


def stream(messages: list[tuple[bytes, bytes, bytes]], offer: bytes) -> bytes:
    return b"".join(
        b"%b %b HTTP/1.1\r\nHost: a\r\n%b%b" % (method, target, offer, rest) for method, target, rest in messages
    )


def answered(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(ANSWER) and (piece := connection.recv(65536)):
        received += piece
    return received


MESSAGES = st.lists(
    st.sampled_from([(b"POST", b"/sized", SIZED), (b"POST", b"/chunked", CHUNKED), (b"GET", b"/none", NONE)]),
    min_size=1,
    max_size=4,
)


@given(MESSAGES, st.lists(st.integers(0, 5000), max_size=12))
def test_requests_with_an_offer_are_heard_like_those_without(messages, cuts):
    assert heard(stream(messages, OFFER), cuts) == heard(stream(messages, b""), [])


def test_a_body_that_came_with_an_offer_ends_the_connection_only_where_the_head_says_so():
    closing = OFFER.replace(b"Upgrade, ", b"close, Upgrade, ")
    assert (b"POST", False) in heard(stream([(b"POST", b"/", SIZED)], closing), [])


@pytest.mark.parametrize("framing", [SIZED, CHUNKED], ids=["sized", "chunked"])
def test_a_call_that_offers_an_upgrade_is_forwarded_whole_and_recorded(framing, recording):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player, (proxy := recording(player.url)).running():
        request = b"POST %b HTTP/1.1\r\nHost: localhost\r\n%b" % (PATH.encode(), OFFER)
        with socket.create_connection(("127.0.0.1", proxy.port), 60) as connection:
            for _ in range(2):
                connection.sendall(request + framing)
                assert answered(connection).startswith(b"HTTP/1.1 200")
    assert [sent.body for sent in player.requests] == [BODY, BODY]
    assert not any(b"upgrade" in sent.head.lower() or b"http2" in sent.head.lower() for sent in player.requests)
    assert len(proxy.records()) == 2


def test_curl_that_offers_http2_makes_its_call(recording):
    curl = shutil.which("curl")
    if curl is None or b"HTTP2" not in subprocess.run([curl, "--version"], capture_output=True, check=True).stdout:
        pytest.skip("SKIPPED CURL: curl with HTTP/2 is not installed")
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player, (proxy := recording(player.url)).running():
        url = f"http://127.0.0.1:{proxy.port}{PATH}"
        told = subprocess.run(
            [curl, "-s", "-o", "-", "-w", "%{http_code}", "--http2", "--noproxy", "*", "-d", BODY.decode(), url],
            capture_output=True,
            check=True,
            timeout=60,
        )
    assert told.stdout.endswith(b"200")
    assert [sent.body for sent in player.requests] == [BODY]

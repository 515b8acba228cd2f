"""How many Python functions a recorded call runs through, by thread: what the hot path costs, without a clock.

Measured with calls one after the other over one kept connection, so that every hand-over between threads is there once
a call; counts of functions in C are in it, because each of them is a step of the interpreter too.
"""

import http.client
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import pytest

from gembill.config import Settings
from gembill.posting_progress import PostingProgress
from gembill.service import ProxyService
from gembill.spool import Spool
from tests.bench import answers

CALLS = 40
MOST = 580  # measured: 540, of which turns of chats and the proof of what was not read are 50; the rest is for other Pythons
ASIDE = "Thread-"  # those of the API here


class Api(socketserver.StreamRequestHandler):
    """Answers every request of a kept connection in full."""

    def handle(self) -> None:
        body = answers.answer()
        while True:
            length = 0
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line[15:])
            if not line:
                return
            self.rfile.read(length)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)


@pytest.fixture
def upstream() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Api) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class Nobody:
    """Posts nothing: that is another process's work."""

    progress = PostingProgress()

    def begin(self, spool: Spool, adopted: Sequence[Spool]) -> None:
        pass

    def end(self, timeout: float) -> None:
        pass


class Counting:
    """Counts calls of functions by thread while `on`; threads that begin in its `with` block are watched."""

    def __init__(self) -> None:
        self.on = False
        self.calls: Counter[str] = Counter()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if self.on and event in ("call", "c_call"):
            self.calls[threading.current_thread().name] += 1

    def __enter__(self) -> "Counting":
        threading.setprofile(self)
        return self

    def __exit__(self, *_: object) -> None:
        threading.setprofile(None)


def call(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", answers.GENERATE, answers.request(), {"x-goog-api-key": "k" * 20})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, answers.answer())


def test_a_recorded_call_runs_through_a_bounded_number_of_functions(tmp_path: Path, upstream: str) -> None:
    with Counting() as counting:
        service = ProxyService(Settings(data_dir=tmp_path, upstream=upstream, port=0), Nobody())
        with service.running() as url:
            connection = http.client.HTTPConnection(urlsplit(url).netloc)
            for _ in range(10):
                call(connection)
            counting.on = True
            for _ in range(CALLS):
                call(connection)
            counting.on = False
            connection.close()
    hot = {name: count / CALLS for name, count in counting.calls.items() if not name.startswith(ASIDE)}
    assert 0 < sum(hot.values()) <= MOST, hot

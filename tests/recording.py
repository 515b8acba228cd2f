"""A proxy for the tests: the whole station in this process, on a data folder of its own."""

import contextlib
import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gembill.config import Settings
from gembill.ledger import LedgerRecord, Selection, open_ledger, read_records
from gembill.posting_thread import PostingThread
from gembill.service import ProxyService

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"


class Recording:
    """A running proxy, requests through it, and its ledger once it has stopped."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = ""

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @contextlib.contextmanager
    def running(self) -> Iterator["Recording"]:
        with ProxyService(self.settings, PostingThread(self.settings)).running() as url:
            self.url = url
            yield self

    def post(self, path: str = PATH, body: object = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        raw = (
            body
            if isinstance(body, bytes)
            else json.dumps(body or {"contents": [{"parts": [{"text": "hi"}]}]}).encode()
        )
        connection.request(
            "POST", path, raw, {"content-type": "application/json", "x-goog-api-key": "a-test-key", **(headers or {})}
        )
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def health(self) -> dict:
        return json.loads(self.get("/_gembill/health")[1])

    def records(self) -> list[LedgerRecord]:
        ledger = open_ledger(self.settings.ledger_url)
        try:
            return list(read_records(ledger, Selection()))
        finally:
            ledger.close()


@pytest.fixture
def recording(tmp_path: Path) -> Callable[..., Recording]:
    def make(upstream: str, **settings: object) -> Recording:
        return Recording(Settings(data_dir=tmp_path, port=0, upstream=upstream, **settings))

    return make

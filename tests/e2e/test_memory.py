"""Memory stays bounded however large what passes: long strings are elided as they pass, counts stay exact."""

import http.client
import json
import re
import sys
import threading
from pathlib import Path

import pytest

from gembill.ledger import Selection, open_ledger, read_records
from tests.e2e.child import Child
from tests.e2e.player import Player, Reply, Request

GENERATE = "/v1beta/models/gemini-2.5-flash-image:generateContent"
CREATE = "/v1beta/interactions"
BATCH = "/v1beta/batches/b-1"
FILE = "/v1beta/files/f-1:download?alt=media"
UPLOAD = "/upload/v1beta/files?upload_id=u"
MEGABYTE = 1 << 20
IMAGE = "QUJD" * (5 * MEGABYTE // 4)
COUNTS = {"promptTokenCount": 33, "candidatesTokenCount": 310, "toolUsePromptTokenCount": 1200, "totalTokenCount": 1543}
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def response() -> dict:
    parts = [{"inlineData": {"mimeType": "audio/wav", "data": IMAGE}} for _ in range(2)]
    return {"candidates": [{"content": {"parts": parts}}], "usageMetadata": COUNTS}


def cut(body: bytes) -> Reply:
    return Reply([body[n : n + 65_536] for n in range(0, len(body), 65_536)])


ANSWER = cut(json.dumps(response()).encode())
INTERACTION = cut(json.dumps({"id": "i-1", "status": "completed", "steps": [{"type": "model_output", "content": [{"type": "image", "data": IMAGE}] * 2}], "usage": {"total_input_tokens": 33, "total_tokens": 33}}).encode())  # fmt: skip
INLINED = cut(
    json.dumps(
        {"name": "batches/b-1", "response": {"inlinedResponses": {"inlinedResponses": [{"response": response()}]}}}
    ).encode()
)
LINES = cut(json.dumps({"key": "k", "response": response()}).encode())
DONE = Reply([b"{}"])


def answer(request: Request) -> Reply:
    request.body = b""  # the tests need not keep it
    kinds = {GENERATE: ANSWER, CREATE: INTERACTION, BATCH: INLINED, FILE: LINES}
    return kinds.get(request.target, DONE)


def kilobytes(pid: int, field: str) -> int:
    return int(re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])


def talk(port: int, method: str, path: str, body: bytes | None, answers: list) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, {"content-type": "application/json"})
    answered = connection.getresponse()
    size = 0
    while piece := answered.read(65_536):
        size += len(piece)
    answers.append((path, answered.status, size))
    connection.close()


def at_once(port: int, work: list[tuple[str, str, bytes | None]]) -> list:
    answers: list = []
    threads = [threading.Thread(target=talk, args=(port, *one, answers)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_ten_large_answers_and_ten_large_uploads_at_once_grow_by_less_than_64_megabytes(tmp_path):
    upload, small = bytes(20 * MEGABYTE), b'{"contents": []}'
    work = [("POST", GENERATE, small)] * 10 + [("POST", UPLOAD, upload)] * 10
    work += [("POST", CREATE, b"{}")] * 3 + [("GET", BATCH, None), ("GET", FILE, None)]
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with Player(answer=answer).serving() as player, (child := Child(tmp_path, player.url, url)).running():
        at_once(child.port, [("POST", GENERATE, small)])
        Path(f"/proc/{child.process.pid}/clear_refs").write_text("5")
        before = kilobytes(child.process.pid, "VmRSS")
        answers = at_once(child.port, work)
        grown = kilobytes(child.process.pid, "VmHWM") - before
    sizes = {
        GENERATE: len(ANSWER.body),
        UPLOAD: 2,
        CREATE: len(INTERACTION.body),
        BATCH: len(INLINED.body),
        FILE: len(LINES.body),
    }
    assert sorted(answers) == sorted((path, 200, sizes[path]) for _, path, _ in work)
    assert grown < 64 * 1024, f"{grown} kB"
    ledger = open_ledger(url)
    kept = [
        (s.record.operation, s.record.status.value, s.record.tokens.total) for s in read_records(ledger, Selection())
    ]
    ledger.close()
    assert sorted(kept) == [("batch", "complete", 1543)] * 2 + [("generate_content", "complete", 1543)] * 11 + [
        ("interactions", "complete", 33)
    ]


ENTRY = json.dumps({"key": "k", "response": {"candidates": [{"content": {"parts": [{"text": "x" * 8_000}]}}], "usageMetadata": COUNTS}})  # fmt: skip
COUNT = 3_000
MANY = {
    "/v1beta/files/junk:download?alt=media": b"junk" * (6 * MEGABYTE),
    BATCH: b'{"response": {"inlinedResponses": {"inlinedResponses": [%s]}}}' % ",".join([ENTRY] * COUNT).encode(),
    FILE: "\n".join([ENTRY.replace('"k"', f'"k{n}"') for n in range(COUNT)]).encode(),
}


def test_results_of_a_batch_take_no_more_memory_than_their_bytes_that_pass(tmp_path):
    """24 MB of them inline and in a file, beside as many bytes that nobody looks at."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    replies = {path: cut(body) for path, body in MANY.items()}
    grown: dict[str, int] = {}
    with (
        Player(answer=lambda request: replies[request.target]).serving() as player,
        (child := Child(tmp_path, player.url, url)).running(),
    ):
        at_once(child.port, [("GET", next(iter(MANY)), None)])
        for path, body in MANY.items():
            Path(f"/proc/{child.process.pid}/clear_refs").write_text("5")
            before = kilobytes(child.process.pid, "VmRSS")
            assert at_once(child.port, [("GET", path, None)]) == [(path, 200, len(body))]
            grown[path] = kilobytes(child.process.pid, "VmHWM") - before
    relayed, *read = grown.values()
    assert max(read) - relayed < 8 * 1024, grown
    ledger = open_ledger(url)
    tokens = [stored.record.tokens.total for stored in read_records(ledger, Selection())]
    ledger.close()
    assert tokens == [1543] * 2 * COUNT

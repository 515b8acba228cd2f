"""A key that passes through is written nowhere: not to log, spool, ledger or error text."""

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gembill.spool.frames import grouped
from tests.e2e.player import Player, Reply, Request
from tests.gembill.spool.harm import groups

CANARY = "canary-8f3a91c27de045b6"
PATH = "/v1beta/models/gemini-2.5-flash:generateContent"


def echo(request: Request) -> Reply:
    """An upstream that repeats the key wherever it can, in answers and in errors."""
    body = f'{{"error": {{"code": 400, "status": "{CANARY}", "message": "API key {CANARY} not valid"}}, "modelVersion": "{CANARY}", "responseId": "{CANARY}", "usageMetadata": {{"note": "{CANARY}", "promptTokenCount": 3, "totalTokenCount": 3}}}}'
    if b"cut" in request.body:
        return Reply([body.encode()[:60]], cut=True)
    return Reply(
        [gzip.compress(body.encode())],
        400 if b"bad" in request.body else 200,
        [("Content-Encoding", "gzip"), ("x-gemini-service-tier", CANARY)],
    )


CALLS = [
    (PATH, {"x-goog-api-key": CANARY}),
    (f"{PATH}?key={CANARY}", {}),
    (f"{PATH}?key={CANARY.replace('c', '%63')}&alt=json", {}),
    (PATH, {"authorization": f"Bearer {CANARY}"}),
    (PATH, {"x-goog-api-key": CANARY, "x-gembill-label-team": CANARY, f"x-gembill-label-{CANARY}": "x"}),
    (f"/v1beta/models/gemini-2.5-flash:countTokens?key={CANARY}", {}),
    (f"/nowhere?key={CANARY}", {"x-goog-api-key": CANARY}),
]


@pytest.mark.parametrize("trouble", ["", "--traceback"])
def test_a_canary_key_is_found_nowhere(trouble, tmp_path):
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "GEMBILL_DATA_DIR": str(tmp_path / "data"),
        "PYTHONASYNCIODEBUG": "1",
    }
    log = tmp_path / "log.txt"
    with Player(answer=echo).serving() as player, log.open("wb") as out:
        command = [
            sys.executable,
            *(["-c", BROKEN] if trouble else ["-m", "gembill"]),
            "proxy",
            "--port",
            "0",
            "--log-level",
            "debug",
            "--upstream",
            player.url,
        ]
        child = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=tmp_path)
        try:
            port = wait_for_port(log, child)
            for body in (b'{"contents": []}', b'{"contents": [], "x": "bad"}', b'{"contents": [], "x": "cut"}'):
                for path, headers in CALLS:
                    send(port, path, headers, body)
            time.sleep(1.0)
        finally:
            child.terminate()
            child.wait(60)
        assert any(CANARY.encode() in request.head for request in player.requests), "the key was passed on"
    assert "gembill" in log.read_text()
    if trouble:
        assert "Traceback" in log.read_text()
    spelled = [CANARY.encode(), CANARY.encode("utf-16-le"), CANARY[::-1].encode()]
    leaks = [p for p in tmp_path.rglob("*") if p.is_file() and any(word in written(p) for word in spelled)]
    assert leaks == []
    assert any(b"generate_content" in written(p) for p in tmp_path.rglob("*.seg")), "the spool was looked into"
    assert any(p.suffix == ".db" for p in tmp_path.rglob("*"))


BROKEN = """
import sys
from gembill.capture import recorder
from gembill.wire import generate_content
def broken(document, sighting):
    raise ValueError(f"cannot read {document!r}")
generate_content.observe = broken
begin = recorder.Recorder.begin
async def failing(self, route, caller, headers, **more):
    if b"alt=json" in caller.credentials or any(name.startswith(b"authorization") for name, _ in headers):
        self._remember(caller.credentials)
        raise RuntimeError(f"forced: {headers!r} {caller.credentials!r}")
    return await begin(self, route, caller, headers, **more)
recorder.Recorder.begin = failing
from gembill.cli import main
main()
"""


def written(path: Path) -> bytes:
    """What a file has, and a segment of the spool inflated."""
    data = path.read_bytes()
    if path.suffix == ".seg":
        data += b"".join(frame.payload for _, group in groups(path) for frame in grouped(group))
    return data


def wait_for_port(log: Path, child: subprocess.Popen) -> int:
    for _ in range(1200):
        for line in log.read_text().splitlines():
            if "GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:" in line:
                return int(line.rsplit(":", 1)[1])
        assert child.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def send(port: int, path: str, headers: dict[str, str], body: bytes) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, headers)
        connection.getresponse().read()
    except (http.client.HTTPException, OSError):
        pass  # a cut answer is one of the cases
    finally:
        connection.close()

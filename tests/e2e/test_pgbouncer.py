"""The ledger behind PgBouncer in transaction mode, where nothing of a session outlives a transaction."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import make_url

from gembill.config import Settings
from tests.e2e.player import Player, Reply
from tests.pgbouncer import pgbouncer
from tests.recording import Recording

LINES = 1_500
POSTS = 60
USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
ANSWER = {"candidates": [], "usageMetadata": USAGE, "modelVersion": "gemini-2.5-flash"}


@pytest.fixture
def bouncer(empty_postgres_url):
    server = make_url(empty_postgres_url)
    with pgbouncer(Path(str(server.query["host"]))) as place:
        yield f"postgres://{server.username}@{place}/{server.database}"


def gembill(folder: Path, url: str, *arguments: str) -> str:
    environment = {"PATH": "", "HOME": str(folder), "GEMBILL_DATABASE_URL": url}
    command = [sys.executable, "-m", "gembill", *arguments]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines(count: int) -> str:
    path = "/v1beta/models/gemini-2.5-flash:generateContent"
    call = {"path": path, "status": 200, "request": {}, "response": ANSWER}
    return "".join(
        json.dumps(call | {"occurred_at": f"2026-11-10T12:{n // 60:02}:{n % 60:02}Z"}) + "\n" for n in range(count)
    )


def test_an_import_two_proxies_a_report_and_an_audit_work_behind_it(tmp_path, bouncer):
    (tmp_path / "traffic.jsonl").write_text(lines(LINES))
    gembill(tmp_path, bouncer, "db", "upgrade")
    with Player(answer=lambda _: Reply([json.dumps(ANSWER).encode()])).serving() as player:
        settings = [
            Settings(data_dir=tmp_path / name, port=0, upstream=player.url, database_url=bouncer) for name in "ab"
        ]
        first, second = map(Recording, settings)
        with first.running(), second.running():
            crew = [threading.Thread(target=post, args=(each,)) for each in (first, second)]
            for thread in crew:
                thread.start()
            gembill(tmp_path, bouncer, "import", "traffic.jsonl")
            for thread in crew:
                thread.join()
            errors = [each.health()["last_error"] for each in (first, second)]
    assert errors == [None, None]
    report = json.loads(gembill(tmp_path, bouncer, "report", "monthly", "--format", "json"))
    assert report["total"]["calls"] == LINES + 2 * POSTS
    assert report["total"]["tokens"]["total"] == 15 * (LINES + 2 * POSTS)
    gembill(tmp_path, bouncer, "audit")
    assert len({stored.record.source_id for stored in first.records() if stored.record.source_id > 0}) == 2


def post(recording: Recording) -> None:
    for _ in range(POSTS):
        assert recording.post()[0] == 200

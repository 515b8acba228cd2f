"""An operator's evening, by the commands that docs/operations.md names and nothing else."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from gembill.cli import gembill
from gembill.errors import GembillError
from gembill.ledger import engine as engines
from gembill.ledger import migration
from tests.e2e.player import Player, Reply
from tests.gembill.spool.harm import groups
from tests.recording import PATH
from tests.surroundings import postgres_servers

ANSWER = json.dumps(
    {
        "candidates": [],
        "modelVersion": "gemini-2.5-flash",
        "usageMetadata": {"promptTokenCount": 1234, "candidatesTokenCount": 567, "totalTokenCount": 1801},
    }
).encode()


def wait_for(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.05)


class Machine:
    """A data folder and the commands on it."""

    def __init__(self, folder: Path, upstream: str, **variables: str) -> None:
        self.folder = folder
        self.url = ""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("GEMBILL_")}
        self.environment = {
            **plain,
            "GEMBILL_DATA_DIR": str(folder),
            "GEMBILL_UPSTREAM": upstream,
            "GEMBILL_SPOOL_MIN_FREE_BYTES": "0",
            "COLUMNS": "200",
            **variables,
        }

    def gembill(self, *words: str, code: int = 0) -> str:
        """What a command prints, once it ended with this code. In this process: starting Python takes a second."""
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("GEMBILL_")]:
                patch.delenv(name)
            result = CliRunner().invoke(gembill, words, env=self.environment)
        error = result.exception
        ended = error.exit_code if isinstance(error, GembillError) else result.exit_code
        assert ended == code, (words, result.output, error)
        return result.stdout

    @contextlib.contextmanager
    def proxy(self) -> Iterator[None]:
        """`gembill proxy` for the time of a `with` block."""
        log = Path(tempfile.mkstemp(prefix="gembill-log-")[1])
        command = [sys.executable, "-m", "gembill", "proxy", "--port", "0"]
        with log.open("w") as stream:
            process = subprocess.Popen(command, env=self.environment, stderr=stream, stdout=stream)
        try:
            wait_for(lambda: "GOOGLE_GEMINI_BASE_URL=" in log.read_text() or process.poll() is not None)
            found = re.search(r"GOOGLE_GEMINI_BASE_URL=(\S+)", log.read_text())
            assert found, log.read_text()
            self.url = found[1]
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            log.unlink()

    def call(self, count: int) -> None:
        """So many calls through the proxy, all of them posted."""
        for _ in range(count):
            self.ask()
        wait_for(lambda: self.health()["unposted"]["records"] == 0)

    def ask(self) -> None:
        request = urllib.request.Request(
            self.url + PATH, b'{"contents":[{"parts":[{"text":"hi"}]}]}', {"content-type": "application/json"}
        )
        request.add_header("x-goog-api-key", "a-test-key")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200
            answer.read()  # its end waits for the record

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.url + "/_gembill/health", timeout=60) as answer:
            health: dict[str, Any] = json.load(answer)
            return health

    def month(self) -> Any:
        """All figures of the report of this month."""
        return json.loads(self.gembill("report", "monthly", "--by", "model,key", "--format", "json"))["total"]


@pytest.fixture
def upstream() -> Iterator[str]:
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        yield player.url


def test_a_deleted_ledger_and_last_weeks_backup_are_filled_up_to_the_digit(tmp_path: Path, upstream: str) -> None:
    machine = Machine(tmp_path / "data", upstream)
    backup = str(tmp_path / "last-week.db.gz")
    with machine.proxy():
        machine.call(4)
        machine.gembill("db", "backup", backup)
        machine.call(3)
        whole = machine.month()
        for end in ("-wal", "-shm", ""):
            (tmp_path / "data" / f"ledger.db{end}").unlink(missing_ok=True)
        wait_for(lambda: "the ledger lacks calls" in (machine.health()["last_error"] or ""))
        machine.call(1)
        machine.gembill("replay")
        eight = machine.month()
        wait_for(lambda: machine.health()["last_error"] is None)
    assert (whole["calls"], eight["calls"]) == (7, 8)
    machine.gembill("audit")
    machine.gembill("db", "restore", backup, code=2)
    machine.gembill("db", "restore", backup, "--replace")
    assert machine.month()["calls"] == 4
    assert "gembill replay" in machine.gembill("doctor", code=1)
    for _ in range(2):
        machine.gembill("replay")
        assert machine.month() == eight
    machine.gembill("audit")
    machine.gembill("doctor")


def test_a_cloned_machine_and_its_original_both_go_on(tmp_path: Path, upstream: str) -> None:
    ledger = f"sqlite:///{tmp_path / 'shared.db'}"
    original = Machine(tmp_path / "one", upstream, GEMBILL_DATABASE_URL=ledger)
    clone = Machine(tmp_path / "two", upstream, GEMBILL_DATABASE_URL=ledger)
    with original.proxy():
        original.call(3)
        shutil.copytree(tmp_path / "one", tmp_path / "two", ignore=shutil.ignore_patterns("*.sock"))
        with clone.proxy():
            for each in (original, clone, original, clone):
                each.call(2)
            assert clone.health()["stuck_spools"] == []
    assert original.month()["calls"] == 11
    original.gembill("audit")
    spools = json.loads(clone.gembill("spool", "list", "--format", "json"))["spools"]
    states = {each["state"]: each["source"] for each in spools}
    assert sorted(states) == ["copy", "idle"]
    clone.gembill("spool", "renew", states["copy"])
    clone.gembill("replay")
    assert original.month()["calls"] == 11
    for each in (original, clone):
        each.gembill("doctor")


def test_a_lost_secret_is_named_and_put_back(tmp_path: Path, upstream: str) -> None:
    machine = Machine(tmp_path / "data", upstream)
    with machine.proxy():
        machine.call(1)
    secret = tmp_path / "data" / "fingerprint.secret"
    kept = secret.rename(tmp_path / "kept")
    assert "is lost" in machine.gembill("doctor", code=1)
    kept.rename(secret)
    machine.gembill("doctor")


def test_a_damaged_segment_is_salvaged_and_the_books_balance(tmp_path: Path, upstream: str) -> None:
    machine = Machine(tmp_path / "data", upstream)
    for calls in (6, 1):
        with machine.proxy():
            machine.call(calls)
    segment = min((tmp_path / "data" / "spool").glob("*/*.seg"))
    at, last = groups(segment)[-1]
    data = bytearray(segment.read_bytes())
    data[(at + last.end) // 2] ^= 0x10  # the end of the last call of the first run
    segment.write_bytes(data)
    (tmp_path / "data" / "ledger.db").unlink()
    assert "cannot be read" in machine.gembill("replay", code=1)
    assert "the first missing one is 6" in machine.gembill("audit", code=1)
    said = machine.gembill("spool", "salvage")
    assert "1 recorded as unknown" in said
    assert "no call is lost" in said
    month = machine.month()
    assert (month["calls"], month["incomplete_calls"]) == (7, 1)
    machine.gembill("audit")


@pytest.fixture
def database() -> Iterator[tuple[str, str]]:
    """A PostgreSQL that asks for the password of its role gembill: its address for us, and with `{}` for the role."""
    folder = Path(tempfile.mkdtemp(prefix="gembill-pg-"))
    server = postgres_servers().get_server(folder, cleanup_mode="stop")
    ours = server.get_uri()
    with psycopg.connect(ours, autocommit=True) as connection:
        connection.execute("CREATE ROLE gembill LOGIN PASSWORD 'old-word'")
        connection.execute("CREATE DATABASE books OWNER gembill")
    for file in folder.rglob("pg_hba.conf"):
        file.write_text("local all gembill scram-sha-256\nhost all gembill all scram-sha-256\n" + file.read_text())
    with psycopg.connect(ours, autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
    theirs = re.sub(r"//[^/]*/[^?]*", "//gembill:{}@/books", ours)
    yield ours, theirs
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_changed_database_password_loses_nothing(tmp_path: Path, upstream: str, database: tuple[str, str]) -> None:
    ours, theirs = database
    machine = Machine(tmp_path / "data", upstream, GEMBILL_DATABASE_URL=theirs.format("old-word"))
    engine = engines.create(engines.parse(theirs.format("old-word")))
    migration.upgrade(engine)
    engine.dispose()
    with machine.proxy():
        machine.call(2)
        with psycopg.connect(ours, autocommit=True) as connection:
            connection.execute("ALTER ROLE gembill PASSWORD 'new-word'")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gembill'")
        for _ in range(3):
            machine.ask()
        wait_for(lambda: not machine.health()["ledger_available"])
        said = machine.gembill("doctor", code=1)
        assert "its password may have changed" in said
        assert "old-word" not in said
    machine.environment["GEMBILL_DATABASE_URL"] = theirs.format("new-word")
    with machine.proxy():
        wait_for(lambda: machine.health()["unposted"]["records"] == 0)
    assert machine.month()["calls"] == 5
    machine.gembill("audit")
    machine.gembill("db", "backup", str(tmp_path / "b.gz"))
    machine.gembill("db", "restore", str(tmp_path / "b.gz"), "--replace")
    assert machine.month()["calls"] == 5

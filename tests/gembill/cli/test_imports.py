"""`gembill import`: files in, one sentence for each that cannot be, an exit code."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError, LedgerError

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"


def call(number: int = 1, **changes: object) -> str:
    answer = {"modelVersion": "gemini-2.5-flash", "responseId": f"r{number}", "usageMetadata": {"promptTokenCount": 5}}
    whole = {"path": PATH, "status": 200, "response": answer, "occurred_at": "2026-11-21T12:00:00Z"} | changes
    return json.dumps({name: value for name, value in whole.items() if value is not ...}) + "\n"


class Home:
    """A data folder of its own, and commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"GEMBILL_DATA_DIR": str(folder / "data"), "COLUMNS": "120"}

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run(self, *arguments: str, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(gembill, list(arguments), env=self.environment, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def records(self) -> list[dict]:
        return json.loads(self.run("records", "--format", "json").stdout)["records"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_file_is_imported_once_and_known_the_second_time(home: Home):
    path = home.file("traffic.jsonl", call(1) + call(2) + call(3, path="/v1beta/models/m:countTokens"))
    first, second = home.run("import", path), home.run("import", path)
    assert (first.exit_code, first.stdout) == (0, "")
    assert first.stderr == "gembill: imported 2 calls (2 new, 0 known), skipped 1 that is not a call\n"
    assert second.stderr == "gembill: imported 2 calls (0 new, 2 known), skipped 1 that is not a call\n"
    assert len(home.records()) == 2


def test_a_bad_line_is_named_and_the_rest_goes_on_and_the_exit_code_says_so(home: Home):
    path = home.file("traffic.jsonl", call(1) + "nonsense\n" + call(2) + call(3, status=...))
    other = home.file("other.jsonl", call(4))
    result = home.run("import", path, other)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"gembill: {path}, line 2: it is not JSON (expecting value, character 1)",
        f"gembill: {path}, line 4: status is missing; it must be a number from 100 to 599",
        "gembill: imported 3 calls (3 new, 0 known), 2 lines refused",
    ]
    assert len(home.records()) == 3


def test_standard_input_is_a_file_too(home: Home):
    result = home.run("import", "-", stdin=call(1) + "{\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("gembill: standard input, line 2: it is not JSON")
    assert len(home.records()) == 1


def test_a_missing_time_is_assumed_only_where_it_is_given(home: Home):
    path = home.file("traffic.jsonl", call(1, occurred_at=...))
    assert home.run("import", path).exit_code == 1
    assert home.run("import", path, "--occurred-at", "2026-11-21").exit_code == 0
    assert home.run("import", path, "--occurred-at", "2026-11-21", "--tz", "UTC").exit_code == 0
    times = [record["occurred_at"] for record in home.records()]
    assert times == ["2026-11-21T08:00:00.000000Z", "2026-11-21T00:00:00.000000Z"]


def test_a_missing_model_is_assumed_where_the_path_names_none(home: Home):
    answer = {"usageMetadata": {"promptTokenCount": 5}}
    usage = {"total_input_tokens": 5, "total_tokens": 5}
    interaction = {"id": "v1_x", "status": "completed", "usage": usage}
    lines = (
        call(1, path=..., surface="generateContent", response=answer),
        call(2, path="/v1beta/interactions", request={"input": "hi"}, response=interaction),
        call(3, response=answer),
    )
    home.run("import", home.file("a.jsonl", "".join(lines)), "--model", "gemini-2.5-pro")
    assert sorted(record["model"] for record in home.records()) == [
        "gemini-2.5-flash",
        "gemini-2.5-pro",
        "gemini-2.5-pro",
    ]
    assert all(record["priced"] for record in home.records())


@pytest.mark.parametrize("arguments", [[], ["no-such-file"], ["."]])
def test_wrong_use_is_exit_code_2(home: Home, arguments: list[str]):
    assert home.run("import", *arguments).exit_code == 2


def test_a_time_that_cannot_be_read_stops_before_anything_is_written(home: Home):
    with pytest.raises(ConfigurationError, match="--occurred-at is 'soon'"):
        home.run("import", home.file("a.jsonl", call()), "--occurred-at", "soon")
    assert not (home.folder / "data").exists()


def test_a_ledger_that_cannot_be_used_is_said_after_what_was_done(home: Home):
    path = home.file("a.jsonl", call())
    with pytest.raises(LedgerError):
        home.run("import", path, "--database-url", "postgresql://nobody@127.0.0.1:1/none")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe{\x00}\x00",
        b"\x1f\x8b\x08\x00",
        b"\0" * 100,
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"log": {',
        b"\n\n",
    ],
)
def test_a_hostile_file_is_sentences_and_never_a_traceback(home: Home, content: bytes):
    bad = home.file("bad", content)
    result = home.run("import", bad, home.file("good.jsonl", call()))
    lines = result.stderr.splitlines()
    assert all(line.startswith((f"gembill: {bad}", "gembill: imported 1 call")) for line in lines)
    assert all(len(line) < len(bad) + 200 for line in lines)
    assert len(home.records()) == 1


def test_on_a_terminal_a_bar_shows_progress_and_nothing_goes_to_stdout(home: Home):
    path = home.file("traffic.jsonl", "".join(call(number) for number in range(300)) + "{\n")
    terminal, end = pty.openpty()
    environment = {**os.environ, **home.environment, "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "gembill", "import", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end, env=environment) as child:
        os.close(end)
        shown = b""
        while piece := _read(terminal):
            shown += piece
        assert child.stdout is not None
        assert child.stdout.read() == b""
    os.close(terminal)
    assert child.returncode == 1
    assert b"importing" in shown
    assert b"imported 300 calls (300 new, 0 known), 1 line refused" in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end was closed
        return b""

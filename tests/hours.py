"""The first hours of three users, played from the documents: `make hours` (three minutes; `python -m tests.hours`).

One watches the dashboard, one closes a month, one has a CI that must fail. A clone of HEAD is installed as the README says,
and the lines that the documents let people type are typed in their order: exit codes and a telling line of each are
checked, also that none is left out. The simulator stands for the API; 8787 and 8789 are free ports instead.

Owns: what is typed and what has to come of it. Not here: which lines there are (`tests.typed`), and those that are shown
with their output, which `make check` runs again. Invariant: every typed line of ours is played or named in `_ELSEWHERE`.
"""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from gembill_simulator import Simulator, in_thread
from tests.surroundings import clean
from tests.typed import DOCUMENTS, ROOT, blocks, typed

FIRST_RECEIPT_SECONDS = 120
_ELSEWHERE = {
    "gembill proxy --host 0.0.0.0 --allow-remote": "tests/gembill/test_service.py: it listens to the whole network",
    "GEMBILL_DASHBOARD_TOKEN=... gembill dashboard --host 0.0.0.0 --allow-host gembill.lan": "tests/gembill/cli/"
    "test_dashboard.py: the same",
    "gembill diff --baseline label.branch=main --max-increase 20%": "the same as in docs/ci.md",
}
_PLAYED_ELSEWHERE = {"operations.md"}  # an operator's evening: tests/e2e/test_operators_evening.py
_PROGRAM = """
from google import genai
from google.genai import types

code = types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution())])
client = genai.Client()
answer = client.models.generate_content(
    model="gemini-3-flash-preview", contents="What is the sum of the first 50 primes?", config=code
)
print(answer.text)
"""
_TESTS = """
import pytest
from google import genai

def ask():
    client = genai.Client()
    client.models.generate_content(model="gemini-3-flash-preview", contents="Hello")

def test_a_call():
    ask()

"""


class Stranger:
    """Somebody with a folder, an installation and an API."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self.folder = folder
        self.place = "."
        self.ports = {"8787": free_port(), "8789": free_port()}
        self.played: set[str] = set()
        self.environment = clean(
            HOME=str(folder),
            PATH=f"{folder}/venv/bin:/usr/local/bin:/usr/bin:/bin",
            NO_COLOR="1",
            COLUMNS="120",
            GEMBILL_PORT=self.ports["8787"],
            GEMBILL_UPSTREAM=upstream,
            GEMINI_API_KEY="made-up",
            PIP_DISABLE_PIP_VERSION_CHECK="1",
        )

    def own(self, line: str) -> str:
        """The line with this machine's free ports."""
        for usual, free in self.ports.items():
            line = line.replace(usual, free)
        return line

    def types(self, line: str, says: str = "", *, code: int = 0, add: str = "", of: str = "", at: str = "") -> str:
        """Type a line: its exit code and a text that it has to say.

        `add` is typed behind it, `of` in place of `ID`, and `at` is the folder to be in.
        """
        self.played.add(line)
        began = time.monotonic()
        typed_line = self.own(re.sub(r"\bID\b", of, line) if of else line) + (f" {add}" if add else "")
        done = subprocess.run(
            ["bash", "-c", typed_line],
            cwd=self.folder / (at or self.place),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        print(f"{time.monotonic() - began:6.1f} s  {typed_line}", file=sys.stderr)
        assert done.returncode == code, f"exit {done.returncode}, not {code}: {line}\n{done.stdout}"
        assert says in done.stdout, f"'{says}' is not in what was said to {line}\n{done.stdout}"
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout

    @contextlib.contextmanager
    def serves(self, line: str, path: str, says: str, *, add: str = "", **more: str) -> Iterator[None]:
        """Start a server by typing a line, wait until a page of it says this, and stop it at the end with Ctrl-C."""
        self.played.add(line)
        port = self.ports["8789" if "dashboard" in line else "8787"]
        environment = self.environment | more
        command = ["bash", "-c", f"exec {line} {add}" if not re.match("[A-Z_]+=", line) else f"{line} {add}"]
        with subprocess.Popen(
            command, cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            try:
                assert says in page(f"http://127.0.0.1:{port}{path}", process), line
                print(f"    serves  {line}", file=sys.stderr)
                yield
            finally:
                os.killpg(process.pid, signal.SIGINT)
                _, said = process.communicate(timeout=60)
                assert "Traceback" not in said, said


def free_port() -> str:
    """A port at which nothing listens now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def page(url: str, process: subprocess.Popen[str]) -> str:
    """A page, as soon as its server is up."""
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return str(answer.read().decode())
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.1)


def begins(stranger: Stranger) -> None:
    """From `git clone` to the first receipt of a call of one's own."""
    began, worked = time.monotonic(), work_of_children()
    stranger.types(f"git clone -q {ROOT} gembill && {sys.executable} -m venv venv")
    stranger.types("pip install .", at="gembill")
    (stranger.folder / "your_program.py").write_text(_PROGRAM)
    with stranger.serves("gembill proxy", "/_gembill/health", '"recording": true'):
        base = stranger.own("http://127.0.0.1:8787")
        stranger.types(f"export GOOGLE_GEMINI_BASE_URL={base} && python your_program.py", "5117")
        curl = next(line.text for line in typed(ROOT / "README.md") if line.text.startswith("curl"))
        stranger.types(curl, "usageMetadata", add="-s")
        posted(stranger, 2)
        stranger.types("gembill report monthly", "gemini-3-flash-preview")
        newest = calls(stranger)[-1]
        stranger.types("gembill receipt ID", "intermediate (text)", of=newest)
    stranger.played |= {"export GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787", "python your_program.py"}
    seconds, work = time.monotonic() - began, work_of_children() - worked
    print(
        f"{seconds:6.1f} s  from git clone to the first receipt of an own call ({work:.0f} s of work)", file=sys.stderr
    )
    assert work < FIRST_RECEIPT_SECONDS, "the processor alone takes longer than the whole should"


def work_of_children() -> float:
    """Seconds of the processor that ended children took, which do not depend on what else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def calls(stranger: Stranger) -> list[str]:
    """The ids of recorded calls, the newest first."""
    records = json.loads(stranger.types("gembill records --format json"))["records"]
    return [one["id"] for one in records]


def posted(stranger: Stranger, count: int) -> None:
    """Wait until so many calls are in the ledger."""
    until = time.monotonic() + 60
    while len(calls(stranger)) < count:
        assert time.monotonic() < until
        time.sleep(0.2)


def watches(stranger: Stranger) -> None:
    """The hour of the one who watches the dashboard."""
    said = stranger.types("gembill demo", "DEMO DATA")
    port = f"--port {stranger.ports['8789']}"
    with stranger.serves("gembill dashboard --demo", "/", "Overview <small>2026-10", add=port):
        pass
    given = re.search(r"--database-url (sqlite:\S+)", said)
    assert given, said
    with stranger.serves("gembill dashboard", "/", "Overview <small>2026-10", add=f"--database-url {given[1]} {port}"):
        table = page(stranger.own("http://127.0.0.1:8789/calls.csv?period=2026-10"), subprocess.Popen(["true"]))
        assert len(table.splitlines()) == 1 + 1_500, "a download has every call"
    with stranger.serves("gembill dashboard", "/", "gemini-3-flash-preview", add=port):
        pass
    stranger.types("gembill dashboard tokens add wall")
    stranger.types("gembill dashboard tokens list", "wall")
    stranger.types("gembill dashboard tokens revoke wall")
    health = ("/_gembill/health", "recording")
    with stranger.serves("gembill proxy", *health), stranger.serves("gembill proxy --take-over", *health):
        pass
    hosts = {"GEMBILL_HOSTS": "gembill.example.com,127.0.0.1"}
    with stranger.serves("GEMBILL_HOSTS=gembill.example.com gembill proxy", "/_gembill/health", "recording", **hosts):
        pass
    stranger.environment["GEMBILL_DATABASE_URL"] = given[1]


def closes(stranger: Stranger) -> None:
    """The hour of the one who closes a month; the ledger is the demo's."""
    stranger.types("gembill report monthly --month 2026-10", "Unpriced: 4 calls")
    stranger.types("gembill report monthly --month 2026-10 --model gemini-3-falsh-preview", "did you mean", code=2)
    groups = "--by model,label.team --compare --format html -o october-report.html"
    stranger.types(f"gembill report monthly --month 2026-10 {groups}")
    html = (stranger.folder / "october-report.html").read_text()
    assert "data-qa" in html, "the second group is there"
    assert "The period before, 2026-09-01" in html, "the month before is named; without calls it has no column"
    stranger.types("gembill reconcile --month 2026-10", "reconciled")
    stranger.types("gembill close 2026-10", "2026-10")
    stranger.types("gembill statement --by label.team --month 2026-10 --format html -o october.html")
    assert "data-qa" in (stranger.folder / "october.html").read_text()
    stranger.types("gembill export --format focus --grain day --month 2026-10", "BilledCost")
    stranger.types("gembill audit", "")
    for block in blocks(ROOT / "docs" / "notebook.md", "python"):
        (stranger.folder / "notebook.py").write_text(_notebook(block))
        stranger.types("python notebook.py", "")
    del stranger.environment["GEMBILL_DATABASE_URL"]


def _notebook(block: str) -> str:
    """A block of the notebook page with what the blocks before it have made."""
    every = blocks(ROOT / "docs" / "notebook.md", "python")
    return "\n".join(every[: every.index(block) + 1]).replace("2026-11", "2026-10")


def must_fail(stranger: Stranger) -> None:
    """The hour of the one whose CI must fail."""
    page_of_ci = ROOT / "docs" / "ci.md"
    project = stranger.folder / "project"
    project.mkdir()
    (project / "gembill.toml").write_text(blocks(page_of_ci, "toml")[0])
    (project / "test_it.py").write_text(_TESTS + blocks(page_of_ci, "python")[0])
    stranger.place = project.name
    stranger.types("pip install -q pytest")
    stranger.types("gembill budget check", "PASS")
    stranger.types("gembill run --budget 0.50 --label job=nightly -- pytest -q", "Gemini calls of this run")
    stranger.types("gembill run --budget 0.0000001 -- pytest -q", "BREACH", code=10)
    stranger.types("gembill run --budget 0.50 --strict -- true", "No paid Gemini call", code=12)
    stranger.types("pytest --gemini-budget 0.50", "Gemini calls")
    stranger.types("pytest --gemini-budget 0.0000001", "BREACH", code=1)
    for branch in ("main", "feature"):
        stranger.types(f"pytest -q --gemini-budget 0.50 --gemini-label branch={branch}", "2 passed")
    sides = "label.branch=feature --baseline label.branch=main"
    limits = "--max-increase 20% --max-test-increase 0.05"
    stranger.types(f"gembill diff {sides} {limits}", "test_it.py::test_answer")
    stranger.types(f"gembill diff label.branch=featrue {sides.split(' ', 1)[1]}", "did you mean", code=2)


def main() -> None:
    """All three, one after the other; what the documents have beyond that is named."""
    with tempfile.TemporaryDirectory(prefix="gembill-hours-") as scratch, in_thread(Simulator()) as upstream:
        stranger = Stranger(Path(scratch), upstream.url)
        for hour in (begins, watches, closes, must_fail):
            print(f"== {hour.__doc__}", file=sys.stderr)
            hour(stranger)
    left = unplayed(stranger.played)
    assert not left, f"the documents have lines that nobody typed: {left}"
    print("the hours were played: every line of the documents, with the exit codes they should have", file=sys.stderr)


def unplayed(played: set[str]) -> list[str]:
    """The lines of ours in the documents that were not typed and are not tried elsewhere."""
    documents = [document for document in DOCUMENTS if document.name not in _PLAYED_ELSEWHERE]
    lines = [line for document in documents for line in typed(document) if line.ours is not None and not line.shown]
    texts = dict.fromkeys(re.sub(r"\s+#.*", "", line.text) for line in lines)
    return [text for text in texts if text not in played and text not in _ELSEWHERE]


if __name__ == "__main__":
    main()

"""What the machine refuses: a full or closed stdout, a data folder that is none, no home, a locale without letters.

Every command is walked, as a process, because what is lost is lost at its end.
"""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gembill.cli import gembill
from gembill.ledger import open_ledger
from tests.gembill_reports.making import call, put
from tests.surroundings import clean

LINES = {
    "audit": "",
    "budget check": "",
    "budget explain": "b",
    "budget list": "",
    "budget test-alert": "",
    "budget watch": "--once",
    "close": "--list",
    "compare": "--tier batch",
    "dashboard tokens add": "--help",
    "dashboard tokens list": "--help",
    "dashboard tokens revoke": "--help",
    "db backup": "--help",
    "db check": "",
    "db restore": "--help",
    "db upgrade": "",
    "demo": "--records 5",
    "diff": "--baseline nobody",
    "doctor": "--help",
    "export": "--format csv",
    "import": "calls.jsonl",
    "prices check": "",
    "prices list": "",
    "prices set": "gemini-9 --from 2026-01-01 --input 1 --output 1",
    "prices sync": "",
    "proxy": "--help",
    "receipt": "nobody",
    "reconcile": "--help",
    "records": "",
    "replay": "--help",
    "report": "monthly",
    "repost": "--dry-run",
    "rerate": "--dry-run",
    "run": "-- true",
    "simulate bill": "--help",
    "spool adopt": "--help",
    "spool list": "--help",
    "spool renew": "--help",
    "spool salvage": "--help",
    "statement": "--by label.team --month 2026-11",
}
WITHOUT_OUTPUT = {
    "audit",
    "budget test-alert",
    "budget watch",
    "diff",
    "import",
    "prices set",
    "receipt",
    "run",
}  # on stdout
WITHOUT_FOLDER = {
    "budget list",
    "budget test-alert",
    "dashboard tokens add",
    "dashboard tokens list",
    "dashboard tokens revoke",
    "db backup",
    "db restore",
    "doctor",
    "prices list",
    "prices sync",
    "proxy",
    "reconcile",
    "replay",
    "simulate bill",
    "spool adopt",
    "spool list",
    "spool renew",
    "spool salvage",
}
FULL = Path("/dev/full")
WALK_SECONDS = 900  # a walk is forty processes, one after the other; two minutes were too few on a busy machine


def leaves(command: click.Command, *words: str) -> list[str]:
    if not isinstance(command, click.Group):
        return [" ".join(words)]
    context = click.Context(command)
    named = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return [leaf for name, child in named if child for leaf in leaves(child, *words, name)]


def test_the_walk_has_every_command():
    assert sorted(leaves(gembill)) == sorted(LINES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with a budget and the ledger of one call."""
    (tmp_path / "gembill.toml").write_text('[[budget]]\nname = "b"\nlimit_usd = "1"\nperiod = "total"\n')
    (tmp_path / "calls.jsonl").write_text("{}\n")
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    put(ledger, call("2026-11-01T10:00:00+00:00", (1_000, 0, 0), labels={"team": "Zoë"}))
    ledger.close()
    return tmp_path


def environment(folder: Path, **more: str) -> dict[str, str]:
    return clean(HOME=str(folder), GEMBILL_DATABASE_URL=f"sqlite:///{folder}/ledger.db", **more)


def run(folder: Path, words: str, env: dict[str, str], stdout: int = subprocess.PIPE) -> tuple[int, str, bytes]:
    """The exit code, stderr and stdout of a command line."""
    command = [sys.executable, "-m", "gembill", *words.split()]
    streams = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": subprocess.PIPE}
    done = subprocess.run(command, cwd=folder, env=env, **streams, timeout=100, check=False)
    return done.returncode, done.stderr.decode(), done.stdout or b""


def closed_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.timeout(WALK_SECONDS)
@pytest.mark.parametrize(
    ("opened", "reason"),
    [
        pytest.param(
            lambda: os.open(FULL, os.O_WRONLY),
            "No space left on device",
            marks=pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full"),
            id="full",
        ),
        pytest.param(closed_pipe, "Broken pipe", id="closed"),
    ],
)
def test_a_stdout_that_takes_nothing_is_one_sentence_and_exit_1(opened, reason, folder):
    seen = {}
    for words, flags in LINES.items():
        stdout = opened()
        seen[words] = run(folder, f"{words} {flags}", environment(folder), stdout)[:2]
        os.close(stdout)
    assert not [words for words, (_, said) in seen.items() if "Traceback" in said or "Exception ignored" in said]
    refused = {
        words for words, result in seen.items() if result == (1, f"gembill: the output cannot be written: {reason}\n")
    }
    assert refused == LINES.keys() - WITHOUT_OUTPUT


@pytest.mark.timeout(WALK_SECONDS)
def test_a_data_folder_that_cannot_be_one_is_one_sentence_and_exit_1(folder):
    env = environment(folder, GEMBILL_DATA_DIR=str(folder / "calls.jsonl"))
    del env["GEMBILL_DATABASE_URL"]
    for words, flags in LINES.items():
        code, said, _ = run(folder, f"{words} {flags}", env)
        if words not in WITHOUT_FOLDER:
            assert (code, said.count("\n"), str(folder / "calls.jsonl") in said) == (
                1 + (words == "import"),
                1,
                True,
            ), words


@pytest.mark.parametrize("words", ["records", "run -- true", "demo", "db upgrade", "import calls.jsonl"])
def test_without_a_home_a_command_says_what_to_name(words, folder):
    """As in a container: no HOME, and a user that the system has never heard of."""
    code, said, _ = run(folder, words, nobody(folder))
    assert (code, said) == (2, "gembill: this user has no home folder; name a data folder in GEMBILL_DATA_DIR\n")
    assert not (folder / "~").exists()


def test_without_a_home_what_is_named_is_used(folder):
    ledger = {"GEMBILL_DATABASE_URL": f"sqlite:///{folder}/ledger.db"}
    assert run(folder, "records", nobody(folder, **ledger))[:2] == (0, "")
    assert run(folder, "run -- true", nobody(folder, GEMBILL_DATA_DIR="data"))[0] == 0
    secret = {"GEMBILL_FINGERPRINT_SECRET": "sixteen letters or more"}
    assert "imported 0 calls" in run(folder, "import calls.jsonl", nobody(folder, **ledger, **secret))[1]


def nobody(folder: Path, **own: str) -> dict[str, str]:
    """No HOME, and `pwd` knows nobody; the user itself stays, so that the checkout can be read."""
    (folder / "unknown").mkdir(exist_ok=True)
    (folder / "unknown" / "sitecustomize.py").write_text(
        "import pwd\ndef getpwuid(uid):\n    raise KeyError(uid)\npwd.getpwuid = getpwuid\n"
    )
    env = clean(PYTHONPATH=str(folder / "unknown"), **own)
    env.pop("HOME", None)
    return env


@pytest.mark.parametrize("words", ["records --format csv", "records --format markdown", "export --format csv"])
@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "latin-1"}]
)
def test_what_programs_read_is_utf_8_in_any_locale(words, locale, folder):
    if "LC_ALL" in locale and not __file__.isascii():
        pytest.skip("Python itself does not start in locale C where the folder of an editable install is not ASCII")
    code, said, written = run(folder, words, environment(folder, **locale))
    assert (code, said) == (0, "")
    assert "Zoë" in written.decode("utf-8")


def test_a_table_in_a_locale_without_letters_is_written_out(folder):
    code, said, written = run(folder, "report monthly --by label.team", environment(folder, PYTHONIOENCODING="ascii"))
    assert (code, said) == (0, "")
    assert b"Zo\\xeb" in written

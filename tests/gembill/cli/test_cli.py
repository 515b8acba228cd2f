"""The command line as a whole: its help, and what it says to wrong words."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gembill.cli import gembill, main
from gembill.ledger import open_ledger
from tests.gembill_reports.making import call, put
from tests.surroundings import clean

WRONG = [
    ["reprot"],
    ["calls"],
    ["--verbose"],
    ["report"],
    ["report", "yearly"],
    ["report", "monthly", "--mnth", "2026-10"],
    ["report", "monthly", "--month", "October"],
    ["report", "monthly", "--month", "2026-13"],
    ["report", "monthly", "--period", "last_month"],
    ["report", "monthly", "--period", "today", "--month", "2026-10"],
    ["report", "monthly", "--since", "31.10.2026"],
    ["report", "monthly", "--since", "2026-11-02", "--until", "2026-11-01"],
    ["report", "monthly", "--until", "2026-11-02", "--through", "2026-11-01"],
    ["report", "monthly", "--tz", "Pacific"],
    ["report", "monthly", "--by", "colour"],
    ["report", "monthly", "--by", "day,hour"],
    ["report", "monthly", "--by", "model,model"],
    ["report", "monthly", "--model", "gemini-3-falsh-preview"],
    ["report", "monthly", "--key", "serach"],
    ["report", "monthly", "--tier", "cheap"],
    ["report", "monthly", "--label", "team"],
    ["report", "monthly", "--label", "team=serach"],
    ["report", "monthly", "--format", "pdf"],
    ["report", "monthly", "--format", "csv", "-o", "no/such/folder/x.csv"],
    ["report", "monthly", "--until", "2026-11-02", "--compare"],
    ["records", "--limit", "-1"],
    ["records", "--location", "moon"],
    ["receipt"],
    ["compare"],
    ["compare", "--model", "gpt-5"],
    ["compare", "--tier", "batch", "--cached", "120%"],
    ["diff"],
    ["diff", "--baseline", "team=search"],
    ["diff", "--baseline", "label.team=serach"],
    ["diff", "label.team=search", "--baseline", "label.team=search", "--max-increase", "some"],
    ["diff", "label.team=search", "--baseline", "label.team=search", "--period", "2026-01"],
    ["export"],
    ["export", "--format", "xlsx"],
    ["import", "no-such-file.jsonl"],
    ["import", "here.jsonl", "--occurred-at", "yesterday"],
    ["rerate", "--model", "gemini-9"],
    ["rerate", "--results-as-output", "guess"],
    ["run", "--budget", "much", "--", "true"],
    ["run", "--budget", "-1", "--", "true"],
    ["run"],
    ["budget", "chek"],
    ["budget", "check", "nightly"],
    ["budget", "explain", "nightly", "--at", "noon"],
    ["prices", "list", "--at", "soon"],
    ["prices", "set"],
    ["proxy", "--port", "70000"],
    ["proxy", "--host", "0.0.0.0"],
    ["proxy", "--upstream", "generativelanguage.googleapis.com"],
    ["dashboard", "--demo", "--database-url", "sqlite:///x.db"],
    ["dashboard", "--host", "0.0.0.0"],
    ["demo", "--records", "0"],
    ["close"],
    ["close", "2026-1"],
    ["close", "2099-01"],
    ["statement"],
    ["statement", "--by", "team"],
    ["statement", "--by", "label.team", "--markup", "10"],
    ["simulate", "--fault", "melt"],
    ["audit", "--database-url", "mysql://host/name"],
    ["db", "check", "--database-url", "ledger.db"],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of one call and a file to import."""
    made = tmp_path_factory.mktemp("data")
    ledger = open_ledger(f"sqlite:///{made / 'ledger.db'}")
    put(ledger, call("2026-11-05T10:00:00+00:00", (1, 2, 3), labels={"team": "search"}, key="search"))
    ledger.close()
    (made / "here.jsonl").write_text("{}\n")
    return made


def names(folder: Path) -> list[str]:
    """All files and folders, but for SQLite's own beside the ledger."""
    paths = (str(path.relative_to(folder)) for path in folder.rglob("*"))
    return sorted(name for name in paths if not re.search(r"-(wal|shm)$", name))


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_words_are_one_sentence_and_exit_2_and_nothing_is_made(
    words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in {*clean(), "GEMBILL_DATA_DIR"}:
        monkeypatch.delenv(name, raising=False) if name.startswith("GEMBILL") else None
    monkeypatch.setenv("GEMBILL_DATA_DIR", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["gembill", *words])
    before = names(folder)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert re.fullmatch(r"gembill: [^\n]+\n", said.err), said.err
    assert names(folder) == before


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_options(shell: str) -> None:
    def completed(**variables: str) -> str:
        command = [sys.executable, "-m", "gembill"]
        environment = clean(**variables)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert "_GEMBILL_COMPLETE" in completed(_GEMBILL_COMPLETE=f"{shell}_source")
    place = {"COMP_CWORD": "re" if shell == "fish" else "1"}
    words = completed(_GEMBILL_COMPLETE=f"{shell}_complete", COMP_WORDS="gembill re", **place)
    assert "report" in words
    assert "records" in words


def test_there_are_thirty_and_more_wrong_inputs() -> None:
    assert len(WRONG) >= 30


def test_the_help_has_every_command_once_and_begins_with_what_people_do_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gembill.main(["--help"], standalone_mode=False)
    text = capsys.readouterr().out
    commands = re.findall(r"^  ([a-z]+) +[A-Z]", text, re.MULTILINE)
    assert commands == gembill.list_commands(None)  # type: ignore[arg-type]
    assert len(set(commands)) == len(commands)
    assert commands[:2] == ["demo", "proxy"]
    assert commands.index("report") < commands.index("audit")

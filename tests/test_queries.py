"""How many statements each report sends to the ledger: a number that does not grow with the calls in it."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gembill import sqlite
from gembill.cli import gembill
from gembill.config import Settings
from gembill.ledger import Selection, open_ledger, read_records
from gembill_reports.dashboard.app import Dashboard
from tests.gembill_reports.dashboard.asking import ask
from tests.gembill_reports.making import FAILED, FLASH, OK, PRO, call, put, us

NOW = us("2026-11-28T09:00:00+00:00")
MONTH = ("--month", "2026-11")
BUDGETS = "".join(
    f'[[budget]]\nname = "b{number}"\nlimit_usd = "1"\nperiod = "month"\n{more}\n'
    for number, more in enumerate(("", 'models = ["gemini-3*"]', 'labels = {team = "a"}', 'keys = ["k1"]'))
)


@pytest.fixture(params=[1, 4])
def filled(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger of 20 days with two models and teams, with one call or four of each: the numbers are to be the same."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url)
    for day in range(1, 21):
        for number in range(request.param):
            at, key = f"2026-11-{day:02}T1{number}:30:00+00:00", f"k{day % 2}"
            put(ledger, call(at, (100, 50, 10), outcomes=[OK, FAILED], labels={"team": "a"}, key=key))
            put(ledger, call(at, (300, 20, 10), PRO, labels={"team": "b"}, key=key))
    ledger.close()
    (tmp_path / "gembill.toml").write_text(BUDGETS)
    monkeypatch.chdir(tmp_path)
    return url


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that read, of every connection that is opened from now on."""
    statements: list[str] = []

    def note(statement: str) -> None:
        if statement.lstrip("( ").upper().startswith(("SELECT", "WITH")):
            statements.append(statement)

    connect = sqlite.driver.connect

    def noting(*arguments: Any, **options: Any) -> Any:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(note)
        return connection

    monkeypatch.setattr(sqlite.driver, "connect", noting)
    return statements


@pytest.mark.parametrize(
    ("most", "command"),
    [
        (12, ("report", "monthly", *MONTH)),
        (13, ("report", "monthly", "--by", "label.team", *MONTH)),
        (10, ("report", "daily", "--by", "model", *MONTH)),
        (17, ("report", "monthly", *MONTH, "--compare")),
        (14, ("report", "monthly", *MONTH, "--model", FLASH, "--label", "team=a")),
        (7, ("budget", "check", "--at", "2026-11-20")),
        (5, ("records", "--limit", "10")),
        (27, ("audit",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_reads_with_few_statements(filled: str, said: list[str], most: int, command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(gembill, [*command, "--database-url", filled], catch_exceptions=False)
    assert result.exit_code in (0, 10), result.output
    assert 0 < len(said) <= most, said


def test_a_receipt_reads_with_few_statements(filled: str, said: list[str]) -> None:
    ledger = open_ledger(filled)
    known = next(iter(read_records(ledger, Selection(), limit=1))).record.id
    ledger.close()
    said.clear()
    CliRunner().invoke(gembill, ["receipt", known, "--database-url", filled], catch_exceptions=False)
    assert 0 < len(said) <= 10, said


@pytest.mark.parametrize(
    ("page", "most"),
    [
        ("overview", 33),
        ("models", 16),
        ("changes", 21),
        ("executions", 30),
        ("keys", 24),
        ("calls", 16),
        ("labels", 19),
    ],
)
def test_a_page_reads_with_few_statements(filled: str, said: list[str], tmp_path: Path, page: str, most: int) -> None:
    ledger = open_ledger(filled, read_only=True)
    app = Dashboard(ledger, Settings(data_dir=tmp_path), lambda: NOW).app()
    ask(app, f"/{page}?month=2026-11")
    said.clear()
    assert ask(app, f"/{page}?month=2026-11").status == 200
    ledger.close()
    assert 0 < len(said) <= most, said

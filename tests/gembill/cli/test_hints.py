"""A name that no call has is said where the answer would look whole; data and exit codes stay as they are."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.ledger import open_ledger
from tests.gembill_reports.making import call, put

BUDGETS = """
[[budget]]
name = "mistyped"
limit_usd = "1"
period = "total"
labels = {taem = "search"}

[[budget]]
name = "elsewhere"
limit_usd = "1"
period = "total"
models = ["gmini-3*"]

[[budget]]
name = "spelled"
limit_usd = "1"
period = "total"
labels = {team = "search"}
"""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(address)
    put(ledger, call("2026-10-15T10:00:00+00:00", (3, 0, 0), labels={"team": "search"}))
    ledger.close()
    return address


def run(url: str, *words: str) -> Result:
    result = CliRunner().invoke(gembill, [*words, "--database-url", url])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize(
    "words",
    [("report", "monthly", "--month", "2026-10", "--by"), ("statement", "--month", "2026-10", "--by")],
    ids=["report", "statement"],
)
def test_a_label_that_no_call_has_is_named_beside_the_rows(url: str, words: tuple[str, ...]) -> None:
    mistyped = run(url, *words, "label.taem", "--format", "csv")
    assert mistyped.stderr == "gembill: no call has a label 'taem'; did you mean team?\n"
    assert mistyped.stdout.count("\n") >= 2
    assert run(url, *words, "label.team", "--format", "csv").stderr == ""


def test_a_period_without_calls_is_no_reason_to_doubt_a_label(url: str) -> None:
    assert run(url, "report", "monthly", "--month", "2026-08", "--by", "label.taem", "--format", "csv").stderr == ""


def test_a_budget_of_names_that_no_call_has_is_named(url: str) -> None:
    Path("gembill.toml").write_text(BUDGETS)
    assert run(url, "budget", "check", "--format", "json").stderr.splitlines() == [
        "gembill: budget mistyped: no call has a label 'taem'; did you mean team?",
        "gembill: budget elsewhere: no call has the model 'gmini-3*'; there are gemini-3-flash-preview",
    ]


def test_a_run_that_no_call_has_is_named(url: str) -> None:
    ledger = open_ledger(url, read_only=False)
    put(ledger, call("2026-10-16T10:00:00+00:00", (3, 0, 0), labels={"run": "20261016T1"}))
    ledger.close()
    Path("gembill.toml").write_text('[[budget]]\nname = "one"\nlimit_usd = "9"\nperiod = "run"\n')
    check = ("budget", "check", "--format", "json")
    assert run(url, *check, "--run", "20261016T2").stderr == (
        "gembill: budget one: no call has the label 'run=20261016T2'; did you mean run=20261016T1?\n"
    )
    assert run(url, *check, "--run", "20261016T1").stderr == run(url, *check).stderr == ""


def test_a_budget_before_the_first_call_is_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    address = f"sqlite:///{tmp_path / 'empty.db'}"
    open_ledger(address).close()
    Path("gembill.toml").write_text(BUDGETS)
    assert run(address, "budget", "check", "--format", "json").stderr == ""

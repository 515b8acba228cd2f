"""`gembill diff` from flags to exit codes: 10 over a limit, 12 unknown and strict, 2 with one sentence."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError, LedgerError
from gembill.ledger import open_ledger
from tests.gembill_reports.making import call, put

AT = "2026-11-01T10:00:00+00:00"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run of main for 1 dollar, one of a branch for 1.50, and one of another whose model has no price."""
    address = f"sqlite:///{tmp_path_factory.mktemp('diff') / 'ledger.db'}"
    ledger = open_ledger(address)
    for run, branch, model, count in (
        ("r1", "main", "gemini-3-flash-preview", 2),
        ("r2", "feature", "gemini-3-flash-preview", 3),
        ("r3", "other", "newest", 1),
    ):
        labels = {"run": run, "branch": branch, "test": "test_a"}
        put(ledger, *(call(AT, (1_000_000, 0, 0), model, labels=labels) for _ in range(count)))
    ledger.close()
    return address


def diff(url: str, *words: str, actions: str = "") -> Result:
    result = CliRunner().invoke(
        gembill, ["diff", *words, "--database-url", url], env={"COLUMNS": "140", "GITHUB_ACTIONS": actions}
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


MAIN = ("--baseline", "label.branch=main")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 0),
        (("--max-increase", "50%"), 0),
        (("--max-increase", "49.999999%"), 10),
        (("--max-increase", "0.50"), 0),
        (("--max-increase", "0.49"), 10),
        (("--max-increase", "100%", "--max-increase", "0.49"), 10),
        (("--max-test-increase", "10%"), 10),
        (("--max-test-increase", "10%", "--ignore-below", "0.50"), 0),
        (("--max-increase", "10%", "--strict"), 10),
    ],
)
def test_a_rise_over_a_limit_is_exit_code_10(words: tuple[str, ...], code: int, url: str) -> None:
    result = diff(url, "label.branch=feature", *MAIN, *words)
    assert result.exit_code == code
    assert "+$0.50" in result.stdout


@pytest.mark.parametrize(("words", "code"), [(("--max-increase", "50%"), 0), (("--strict",), 12)])
def test_what_has_no_price_is_unknown_and_strictly_exit_code_12(words: tuple[str, ...], code: int, url: str) -> None:
    result = diff(url, "label.branch=other", *MAIN, *words, "--format", "json")
    assert result.exit_code == code
    shape = json.loads(result.stdout)
    assert shape["total"]["difference_usd"] is None
    assert shape["total"]["head"]["cost_usd"] is None
    assert shape["status"] == ("UNKNOWN" if code == 0 else "PASS")


def test_the_first_side_is_the_newest_run_or_the_one_named(url: str) -> None:
    assert json.loads(diff(url, *MAIN, "--format", "json").stdout)["head"]["run"] == "r3"
    assert json.loads(diff(url, "r2", *MAIN, "--format", "json").stdout)["head"]["run"] == "r2"
    both = diff(url, "label.run=r2", "--baseline", "r1", "--model", "gemini-3-*", "--format", "csv")
    assert both.stdout.splitlines()[1].endswith("1.000000000000,1.500000000000,0.500000000000")


def test_markdown_and_files(url: str, tmp_path: Path) -> None:
    assert "| **Total** |" in diff(url, "r2", *MAIN, "--format", "markdown").stdout
    diff(url, "r2", *MAIN, "--format", "markdown", "-o", str(tmp_path / "diff.md"))
    assert (tmp_path / "diff.md").read_text().startswith("### Gemini cost of run r2")


def test_a_job_of_github_gets_its_form_by_itself(url: str) -> None:
    said = diff(url, "r2", *MAIN, "--max-increase", "1%", actions="true")
    assert said.exit_code == 10
    assert said.stdout.startswith("::stop-commands::")
    assert "\n::error title=Gemini cost +$0.50 (+50%25)::BREACH: all calls" in said.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*MAIN, "label.branch=featre"), "no call has the label 'branch=featre'; did you mean branch=feature"),
        (("--baseline", "label.brnch=main"), "no call has a label 'brnch'; did you mean branch"),
        (("--baseline", "r9"), "no call has the label 'run=r9'; there are run=r1, run=r2, run=r3"),
        (("--baseline", "branch=main"), "--baseline is 'branch=main'; write label.NAME=VALUE"),
        (("--baseline", "label.branch"), "--baseline is 'branch', which is not a label"),
        ((*MAIN, "a=b"), "the first side is 'a=b'; write label.NAME=VALUE"),
        ((*MAIN, "--max-increase", "lots"), "--max-increase is 'lots'; write US dollars"),
        ((*MAIN, "--max-increase", "-1"), "--max-increase is -1; it cannot be negative"),
        ((*MAIN, "--ignore-below", "1%"), "--ignore-below is '1%'"),
        ((*MAIN, "--label", "branch=other"), "--label branch and label.branch=main choose by one label"),
        ((*MAIN, "--period", "2026-10"), "there is no run to compare"),
        ((*MAIN, "r2", "--period", "2026-10"), "no call of run r2 fits the period and the filters; it has some from"),
    ],
)
def test_sides_that_are_not_there_are_one_sentence(words: tuple[str, ...], sentence: str, url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        diff(url, *words)
    assert sentence in str(refused.value)


def test_it_makes_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        diff(f"sqlite:///{tmp_path / 'none.db'}", *MAIN)
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_without_calls_says_so(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_ledger(address).close()
    with pytest.raises(ConfigurationError, match="there is no run to compare"):
        diff(address, *MAIN)

"""`gembill prices check` writes its findings and says with its exit code whether something has to be done."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from tests.gembill.cli.test_prices import record


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def check(url: str, *flags: str) -> Result:
    result = CliRunner().invoke(gembill, ["prices", "check", *flags, "--database-url", url], env={"COLUMNS": "140"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_priced_ledger_exits_0_even_with_changes_to_come(url: str) -> None:
    record(url, "gemini-2.5-pro")
    found = check(url, "--days", "36500")
    assert found.exit_code == 0
    assert "Changes coming up for models called" in found.stdout


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_a_gap_exits_1_in_every_form(url: str, form: str) -> None:
    record(url, "newest")
    found = check(url, "--format", form, "--days", "36500")
    assert found.exit_code == 1
    assert "no price is known for the model 'newest'" in found.stdout
    if form == "json":
        assert json.loads(found.stdout)["in_order"] is False

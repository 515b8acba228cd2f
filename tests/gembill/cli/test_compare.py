"""`gembill compare` from flags to table, JSON and CSV."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError
from gembill.money import unit_price, usd
from tests.gembill.cli.test_prices import record


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    record(address, "gemini-2.5-pro", "gemini-4-argon", "newest")
    return address


def compare(url: str, *flags: str) -> Result:
    words = ["compare", *flags, "--month", "2026-11", "--database-url", url]
    result = CliRunner().invoke(gembill, words, env={"COLUMNS": "140"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_announced_prices_and_what_cannot_be_compared(url: str) -> None:
    shape = json.loads(compare(url, "--at", "2026-12-15", "--format", "json").stdout)
    argon = next(row for row in shape["rows"] if row["model"] == "gemini-4-argon")
    now = 1200 * unit_price("2") + 350 * unit_price("10")
    assert (argon["now_usd"], argon["then_usd"], argon["difference_usd"]) == (usd(now), usd(2 * now), usd(now))
    assert [one["model"] for one in shape["not_compared"]] == ["newest"]


def test_changes_can_be_combined_and_calls_chosen(url: str) -> None:
    flags = ("--model", "gemini-2.5-flash", "--tier", "batch", "--cached", "50%", "--of", "gemini-2.5-*")
    shape = json.loads(compare(url, *flags, "--format", "json").stdout)
    (row,) = shape["rows"]
    then = 700 * unit_price("0.15") + 500 * unit_price("0.03") + 350 * unit_price("1.25")
    assert (row["model"], row["then_usd"]) == ("gemini-2.5-pro", usd(then))
    assert shape["with"]["cached_share"] == "1/2"


def test_people_and_spreadsheets_get_theirs(url: str) -> None:
    assert "If it had been on the batch tier" in compare(url, "--tier", "batch").stdout
    assert "| **Total** |" in compare(url, "--tier", "batch", "--format", "markdown").stdout
    assert compare(url, "--cached", "0.8", "--format", "csv").stdout.startswith("model,calls,now_usd")


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ((), "say what should be otherwise"),
        (("--model", "gemini-9"), "no price is known for the model 'gemini-9'"),
        (("--cached", "1.2"), "--cached is '1.2'"),
        (("--cached", "lots"), "--cached is 'lots'"),
        (("--at", "soon"), "--at is 'soon'"),
    ],
)
def test_questions_without_sense_are_refused(url: str, flags: tuple[str, ...], error: str) -> None:
    with pytest.raises(ConfigurationError, match=error):
        compare(url, *flags)

"""`gembill prices sync` shows the difference and adds only what is accepted."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger, price_lists

NEW = "gemini-2.0-flash-lite"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def sync(url: str, *flags: str) -> Result:
    result = CliRunner().invoke(gembill, ["prices", "sync", *flags, "--database-url", url], env={"COLUMNS": "140"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def synced(url: str) -> list[price_lists.PriceList]:
    ledger = open_ledger(url)
    lists = [one for one in price_lists.lists(ledger) if one.origin is price_lists.Origin.SYNC]
    ledger.close()
    return lists


def different(shown: str) -> set[str]:
    """The models in the first table, of other figures for what the list prices."""
    table = shown.partition("What the list has no price for")[0]
    return {line.split()[0] for line in table.splitlines() if line.startswith("gemini-")}


def test_without_a_word_nothing_is_added(url: str) -> None:
    shown = sync(url).stdout
    assert NEW in shown
    assert different(shown) == {"gemini-3.5-flash-lite"}  # whose cached price in batch the package rounds
    assert not Path(url.removeprefix("sqlite:///")).exists()


def test_only_what_is_accepted_is_added_and_then_it_is_no_difference(url: str) -> None:
    sync(url, "--accept", NEW)
    (one,) = synced(url)
    assert {row.model for row in one.rows} == {NEW}
    assert {row.source.split()[0] for row in one.rows} == {"genai-prices"}
    assert NEW not in sync(url).stdout
    with pytest.raises(ConfigurationError, match=f"--accept '{NEW}'"):
        sync(url, "--accept", NEW)


def test_yes_adds_all_and_then_there_is_no_difference(url: str) -> None:
    sync(url, "--yes")
    again = sync(url, "--yes")
    assert "there is nothing to add" in again.stderr
    assert len(synced(url)) == 1


def test_what_a_user_set_is_no_difference(url: str) -> None:
    flags = ["prices", "set", "gemini-2.5-flash", "--input", "9", "--from", "2026-11-01", "--database-url", url]
    assert CliRunner().invoke(gembill, flags).exit_code == 0
    assert different(sync(url).stdout) == {"gemini-3.5-flash-lite"}

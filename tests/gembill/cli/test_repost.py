"""`gembill repost` on a real ledger."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from gembill.cli import gembill
from gembill.ledger import open_ledger
from tests.gembill.calls import SPOOL, event
from tests.gembill.cli.test_prices import record


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    record(address, "gemini-2.5-flash")
    ledger = open_ledger(address)
    ledger.add_dead_letter(SPOOL, 9, event(9).id, msgspec.json.encode(event(9)), "a fault that is mended by now")
    ledger.close()
    return address


def repost(url: str, *flags: str) -> dict[str, object]:
    result = CliRunner().invoke(gembill, ["repost", *flags, "--format", "json", "--database-url", url])
    assert result.exit_code == 0, result.exception
    shape: dict[str, object] = json.loads(result.stdout)
    return shape


def test_raw_events_are_read_again_and_dead_letters_revived_once(url: str) -> None:
    dry = repost(url, "--dry-run")
    assert (dry["revived_dead_letters"], dry["skipped"]) == (1, [])
    assert repost(url)["revived_dead_letters"] == 1
    again = repost(url)
    assert again["revived_dead_letters"] == 0
    assert again["total"] == {
        "records": 2,
        "changed": 0,
        "newly_priced": 0,
        "newly_unpriced": 0,
        "old_usd": "0.000000000000",
        "new_usd": "0.000000000000",
        "difference_usd": "0.000000000000",
    }

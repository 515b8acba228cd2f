"""`gembill receipt` on a real ledger."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError, LedgerError
from gembill.ledger import open_ledger
from gembill.money import unit_price, usd
from tests.gembill_reports.making import OK, call, put

FIRST = "0199aaaa-0000-7000-8000-000000000001"
SECOND = "0199aaaa-0000-7000-8000-000000000002"


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(address)
    at = "2026-11-05T10:00:00+00:00"
    put(ledger, call(at, (147, 360, 276), outcomes=[OK], id=FIRST), call(at, (1, 0, 0), id=SECOND))
    ledger.close()
    return address


def run(url: str, *flags: str) -> Result:
    result = CliRunner().invoke(gembill, ["receipt", *flags, "--database-url", url], env={"COLUMNS": "120"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_json_holds_the_record_and_its_lines(url: str) -> None:
    shape = json.loads(run(url, FIRST, "--format", "json").stdout)
    assert shape["record"]["id"] == FIRST
    assert shape["total"]["cost_usd"] == usd((147 + 360) * unit_price("0.50") + 276 * unit_price("3.00"))
    assert list(shape) == [
        *("schema_version", "record", "revision", "lines", "total", "executions", "rounds", "explanation"),
        *("documented_reading_estimate", "flags", "anomalies", "corrections"),
    ]


def test_people_read_it_in_their_zone(url: str) -> None:
    assert "2026-11-05T15:30:00+05:30 Asia/Kolkata" in run(url, FIRST, "--tz", "Asia/Kolkata").stdout
    assert "### What it used" in run(url, FIRST, "--format", "markdown").stdout


def test_the_beginning_of_an_id_will_do_if_it_is_the_only_one(url: str) -> None:
    with pytest.raises(LedgerError, match="begins the ids of 2 calls"):
        run(url, FIRST[:-1])
    with pytest.raises(LedgerError, match="has no call '0199a'"):
        run(url, "0199a")
    with pytest.raises(LedgerError, match="has no call '0199bb"):
        run(url, "0199bbbb-0000-7000-8000-000000000001")


def test_an_id_that_begins_like_no_other_is_found(url: str, tmp_path: Path) -> None:
    ledger = open_ledger(url)
    put(ledger, call("2026-11-05T10:00:00+00:00", (9, 0, 0), id="0199bbbb-0000-7000-8000-000000000001"))
    ledger.close()
    assert json.loads(run(url, "0199BB", "--format", "json").stdout)["total"]["tokens"] == 9


def test_an_unknown_zone_is_said_before_anything_is_read(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not a known time zone"):
        run(url, FIRST, "--tz", "Mars")

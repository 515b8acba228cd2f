"""`gembill export`: where it writes, and what it says."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger
from tests.gembill_reports.making import call, put


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(address)
    put(ledger, call("2026-11-05T10:00:00+00:00", (1, 2, 3), labels={"team": "=a"}))
    put(
        ledger,
        call("2026-11-06T10:00:00+00:00", (1, 2, 3), "nobody-knows"),
        call("2026-10-06T10:00:00+00:00", (1, 0, 0)),
    )
    ledger.close()
    return address


def run(url: str, *flags: str) -> Result:
    result = CliRunner().invoke(gembill, ["export", *flags, "--database-url", url])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_each_form_is_written(url: str) -> None:
    assert len(list(csv.DictReader(StringIO(run(url, "--format", "csv").stdout)))) == 3
    lines = run(url, "--format", "jsonl", "--month", "2026-11").stdout.splitlines()
    assert [json.loads(line)["tokens"]["input"] for line in lines] == [1, 1]


def test_focus_says_what_has_no_charge(url: str) -> None:
    done = run(url, "--format", "focus", "--month", "2026-11", "--billing-account", "ACC-1")
    rows = list(csv.DictReader(StringIO(done.stdout)))
    assert [row["x_TokenKind"] for row in rows] == ["prompt", "intermediate", "output"]
    assert {row["BillingAccountId"] for row in rows} == {"ACC-1"}
    assert "1 unpriced" in done.stderr


def test_focus_by_day_has_a_line_per_meter_and_no_call(url: str) -> None:
    ledger = open_ledger(url)
    put(ledger, call("2026-11-05T11:00:00+00:00", (5, 5, 5), labels={"team": "=a"}))
    ledger.close()
    rows = list(csv.DictReader(StringIO(run(url, "--format", "focus", "--grain", "day", "--month", "2026-11").stdout)))
    assert [(row["x_TokenKind"], row["ConsumedQuantity"], row["x_RequestCount"]) for row in rows] == [
        ("prompt", "6", "2"),
        ("intermediate", "7", "0"),
        ("output", "8", "0"),
    ]
    with pytest.raises(ConfigurationError, match="--grain is about --format focus"):
        run(url, "--format", "csv", "--grain", "day")


def test_a_file_is_whole_or_not_there(url: str, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    assert "wrote" in run(url, "--format", "csv", "-o", str(target)).stderr
    assert len(target.read_text().splitlines()) == 4
    with pytest.raises(ConfigurationError, match="cannot be written"):
        run(url, "--format", "csv", "-o", str(tmp_path / "none" / "out.csv"))
    assert list(tmp_path.glob(".*.part")) == []


def test_of_a_closed_month_that_was_corrected_it_is_said(url: str) -> None:
    CliRunner().invoke(gembill, ["close", "2026-10", "--database-url", url], catch_exceptions=False)
    october = ("--format", "csv", "--month", "2026-10")
    assert "closed" not in run(url, *october).stderr
    ledger = open_ledger(url)
    put(ledger, call("2026-10-07T10:00:00+00:00", (1, 0, 0)))
    ledger.close()
    assert "calls are as they are today. 2026-10 was closed on" in run(url, *october).stderr
    assert "corrections since, +$0.0000005, are adjustments" in run(url, *october).stderr
    assert "closed" not in run(url, "--format", "csv", "--month", "2026-11").stderr


def test_a_form_has_to_be_named(url: str) -> None:
    assert run(url).exit_code == 2

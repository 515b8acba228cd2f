"""`gembill rerate`: its flags, its forms, and that it may run beside a proxy."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.ledger import Selection, open_ledger, read
from gembill.money import unit_price, usd
from tests.gembill.cli.test_prices import record

FLASH_COST = 1200 * unit_price("0.30") + 350 * unit_price("2.50")


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    record(address, "gemini-2.5-flash", "gemini-2.5-pro")
    return address


def run(url: str, *words: str) -> Result:
    result = CliRunner().invoke(gembill, [*words, "--database-url", url], env={"COLUMNS": "140"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def half_off(url: str) -> None:
    run(url, "prices", "set", "gemini-2.5-flash", "--discount", "50%", "--from", "2026-11-01")


def test_a_dry_run_says_the_same_and_writes_nothing(url: str) -> None:
    half_off(url)
    dry = json.loads(run(url, "rerate", "--dry-run", "--format", "json").stdout)
    done = json.loads(run(url, "rerate", "--format", "json").stdout)
    assert (dry["dry_run"], done["dry_run"]) == (True, False)
    assert dry["total"] == done["total"]
    assert done["total"]["difference_usd"] == usd(FLASH_COST // 2 - FLASH_COST)
    assert json.loads(run(url, "rerate", "--format", "json").stdout)["total"]["changed"] == 0


def test_a_month_and_a_model_can_be_chosen(url: str) -> None:
    half_off(url)
    for flags in (("--month", "2026-10"), ("--model", "gemini-2.5-pro"), ("--since", "2026-11-06")):
        assert json.loads(run(url, "rerate", *flags, "--format", "json").stdout)["total"]["changed"] == 0
    assert "1" in run(url, "rerate", "--model", "gemini-2.5-flash", "--month", "2026-11", "--format", "csv").stdout


def test_a_policy_flag_counts_before_the_setting(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMBILL_FREE_TIER_KEYS", "nobody,else")
    monkeypatch.setenv("GEMBILL_LONG_CONTEXT_COUNTS", "prompt_and_intermediate")
    table = run(url, "rerate", "--long-context-counts", "prompt", "--results-as-output", "estimate").stdout
    assert "nothing changes" in table


def test_the_tables_are_for_people(url: str) -> None:
    half_off(url)
    assert "What would change · all" in run(url, "rerate", "--dry-run").stdout
    assert "### What changed" in run(url, "rerate", "--format", "markdown").stdout
    ledger = open_ledger(url, read_only=True)
    assert read.totals(ledger, Selection(models=("gemini-2.5-flash",)))[0].cost_pico == FLASH_COST // 2
    ledger.close()

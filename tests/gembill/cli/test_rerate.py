"""`gembill rerate` and `gembill repost`: their flags and forms, and that they may run beside a proxy."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.ledger import Selection, open_ledger, read_totals
from gembill.money import unit_price, usd
from tests.gembill.calls import SPOOL, event
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


def repost(url: str, *flags: str) -> dict[str, object]:
    shape: dict[str, object] = json.loads(run(url, "repost", *flags, "--format", "json").stdout)
    return shape


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
    assert read_totals(ledger, Selection(models=("gemini-2.5-flash",)))[0].cost_pico == FLASH_COST // 2
    ledger.close()


def test_repost_reads_raw_events_again_and_revives_dead_letters_once(url: str) -> None:
    ledger = open_ledger(url)
    ledger.add_dead_letter(SPOOL, 9, event(9).id, msgspec.json.encode(event(9)), "a fault that is mended by now")
    ledger.close()
    dry = repost(url, "--dry-run")
    assert (dry["revived_dead_letters"], dry["skipped"]) == (1, [])
    assert repost(url)["revived_dead_letters"] == 1
    again = repost(url)
    assert again["revived_dead_letters"] == 0
    assert again["total"] == {
        "records": 3,
        "changed": 0,
        "newly_priced": 0,
        "newly_unpriced": 0,
        "old_usd": "0.000000000000",
        "new_usd": "0.000000000000",
        "difference_usd": "0.000000000000",
    }

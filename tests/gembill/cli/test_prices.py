"""`gembill prices list` and `check`, and that the prices can be set, used and explained from end to end."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.config import Settings
from gembill.errors import ConfigurationError
from gembill.ledger import Selection, open_ledger, read_records
from gembill.money import unit_price, usd
from gembill.price_catalog import terms
from tests.gembill.calls import event, put

AT = "2026-11-05T12:00:00+00:00"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def run(url: str, *words: str, env: dict[str, str] | None = None) -> Result:
    result = CliRunner().invoke(gembill, [*words, "--database-url", url], env={"COLUMNS": "140", **(env or {})})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def record(url: str, *models: str) -> None:
    ledger = open_ledger(url)
    put(ledger, terms(ledger, Settings()), *(event(n, AT, model) for n, model in enumerate(models, 1)))
    ledger.close()


def test_the_list_needs_no_ledger(url: str) -> None:
    shape = json.loads(
        run(url, "prices", "list", "--model", "gemini-4-argon", "--tier", "flex", "--format", "json").stdout
    )
    assert {row["service_tier"] for row in shape["prices"]} == {"flex"}
    assert not Path(url.removeprefix("sqlite:///")).exists()


def test_prices_to_come_are_listed_by_their_day(url: str) -> None:
    flags = ("--model", "gemini-4-argon", "--tier", "standard", "--format", "csv")
    rows = list(csv.DictReader(run(url, "prices", "list", "--at", "2026-12-01", *flags).stdout.splitlines()))
    assert {row["usd_per_million"] for row in rows if row["meter"] == "output"} == {"20.00"}
    with pytest.raises(ConfigurationError, match="--at is 'soon'"):
        run(url, "prices", "list", "--at", "soon")


def test_people_get_a_table(url: str) -> None:
    assert "Prices in force on" in run(url, "prices", "list", "--model", "gemini-2.5-pro").stdout
    assert (
        "| gemini-2.5-pro |" in run(url, "prices", "list", "--model", "gemini-2.5-pro", "--format", "markdown").stdout
    )


def test_a_file_named_in_the_environment_counts_first(url: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        '[[models.mine.prices]]\nsource = "CI"\nchecked_on = 2026-11-21\ninput = "1"\noutput = "2"\n', encoding="utf-8"
    )
    done = run(url, "prices", "list", "--model", "mine", "--format", "json", env={"GEMBILL_PRICES": str(path)})
    assert {row["source"] for row in json.loads(done.stdout)["prices"]} == {"CI"}


def test_an_unpriced_call_is_loud_until_it_is_set_and_charged_again_and_both_histories_stay(url: str) -> None:
    record(url, "newest", "gemini-2.5-flash")
    known = 1200 * unit_price("0.30") + 350 * unit_price("2.50")
    assert run(url, "report", "monthly", "--month", "2026-11", "--strict").exit_code == 12
    run(url, "prices", "set", "newest", "--input", "1.00", "--output", "2.00", "--from", "2026-11-01")
    assert run(url, "report", "monthly", "--month", "2026-11", "--strict").exit_code == 12
    changed = json.loads(run(url, "rerate", "--format", "json").stdout)
    (priced,) = json.loads(run(url, "receipt", event(1).id, "--format", "json").stdout)["corrections"]
    assert (priced["old_cost_usd"], priced["old"]) == (None, [])
    added = 1200 * unit_price("1.00") + 350 * unit_price("2.00")
    assert changed["total"]["difference_usd"] == usd(added) == priced["new_cost_usd"]
    report = run(url, "report", "monthly", "--month", "2026-11", "--strict", "--format", "json")
    assert (report.exit_code, json.loads(report.stdout)["total"]["cost_usd"]) == (0, usd(known + added))

    run(url, "prices", "set", "gemini-2.5-flash", "--discount", "10%", "--from", "2026-11-01")
    run(url, "rerate", "--since", "2026-11-01")
    receipt = json.loads(run(url, "receipt", event(2).id, "--format", "json").stdout)
    (correction,) = receipt["corrections"]
    assert (correction["old_cost_usd"], correction["new_cost_usd"]) == (usd(known), usd(known * 9 // 10))
    assert {line["price"]["source"] is None for side in ("old", "new") for line in correction[side]} == {False}
    assert {line["price"]["id"].split("/")[0] for line in correction["new"]} == {"set-3"}
    assert run(url, "rerate").exit_code == 0
    assert run(url, "audit").exit_code == 0


def test_what_is_set_counts_for_calls_recorded_after(url: str) -> None:
    run(url, "prices", "set", "gemini-2.5-flash", "--input", "0.20", "--from", "2026-11-05")
    record(url, "gemini-2.5-flash")
    ledger = open_ledger(url, read_only=True)
    (stored,) = read_records(ledger, Selection())
    ledger.close()
    assert stored.cost_pico == 1200 * unit_price("0.20") + 350 * unit_price("2.50")


def check(url: str, *flags: str) -> Result:
    return run(url, "prices", "check", *flags)


def test_a_priced_ledger_exits_0_even_with_changes_to_come(url: str) -> None:
    record(url, "gemini-2.5-pro")
    done = check(url, "--days", "36500")
    assert done.exit_code == 0
    assert "Changes coming up for models called" in done.stdout


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_a_gap_exits_1_in_every_form(url: str, form: str) -> None:
    record(url, "newest")
    done = check(url, "--format", form, "--days", "36500")
    assert done.exit_code == 1
    assert "no price is known for the model 'newest'" in done.stdout
    if form == "json":
        assert json.loads(done.stdout)["in_order"] is False


def test_the_catalogue_is_held_against_list_prices_without_a_ledger(url: str, tmp_path: Path) -> None:
    skus = tmp_path / "skus.tsv"
    lines = ["sku\tunit_price_nano_usd\tunit", "Generate content output token count gemini 3.6 flash text\t3750\tcount"]
    skus.write_text("\n".join(lines), encoding="utf-8")
    flags = ("prices", "check", "--catalogue", str(skus), "--format", "csv")
    assert (run(url, *flags).exit_code, run(url, *flags).stdout.count("agrees")) == (0, 1)
    skus.write_text("\n".join(lines).replace("3750", "3800"), encoding="utf-8")
    assert (run(url, *flags).exit_code, run(url, *flags).stdout.count("differs")) == (1, 1)
    assert not Path(url.removeprefix("sqlite:///")).exists()

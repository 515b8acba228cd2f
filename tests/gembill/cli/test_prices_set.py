"""What the flags of `gembill prices set` mean, and which are refused."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError, PriceError
from gembill.ledger import open_ledger, price_lists
from gembill.money import unit_price
from tests.gembill.cli.test_prices import record


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def add(url: str, *words: str, start: str = "2026-12-01") -> Result:
    words = ("prices", "set", *words, "--from", start, "--database-url", url)
    result = CliRunner().invoke(gembill, words, env={"COLUMNS": "140"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def added(url: str) -> list[price_lists.PriceList]:
    ledger = open_ledger(url)
    lists = price_lists.lists(ledger)
    ledger.close()
    return lists


def test_a_set_is_one_list_of_exact_rows_with_its_source(url: str) -> None:
    said = add(url, "gemini-2.5-flash", "--input", "0.45", "--output", "2.2", "--cached", "0.05", "--source", "offer 9")
    (one,) = added(url)
    assert {(row.unit_pico, row.source) for row in one.rows} == {
        (unit_price(figure), "offer 9") for figure in ("0.45", "2.20", "0.05")
    }
    assert {row.service_tier for row in one.rows} == {"standard"}
    assert "from 2026-12-01 on (set-1)" in said.stderr
    assert said.stdout == ""


def test_a_discount_holds_on_every_tier_unless_one_is_named(url: str) -> None:
    add(url, "gemini-2.5-flash", "--discount", "20")
    add(url, "gemini-2.5-flash", "--discount", "20%", "--tier", "batch")
    every, batch = added(url)
    assert {row.service_tier for row in every.rows} == {"standard", "batch", "flex", "priority"}
    assert {row.service_tier for row in batch.rows} == {"batch"}


def test_a_discount_is_off_the_list_price_and_not_off_what_was_set_before(url: str) -> None:
    for _ in range(2):
        add(url, "gemini-4-neon", "--discount", "50%")
    assert {row.unit_pico for row in added(url)[1].rows} == {unit_price(f) for f in ("1.50", "0.075", "7.50")}


def test_later_prices_for_long_prompts_leave_those_set_before(url: str) -> None:
    add(url, "gemini-2.5-pro", "--input", "1.00")
    add(url, "gemini-2.5-pro", "--input", "2.00", "--above", "200000")
    figures = {row.above_prompt_tokens: row.unit_pico for row in added(url)[1].rows}
    assert figures == {0: unit_price("1.00"), 200_000: unit_price("2.00")}


def test_a_day_before_recorded_calls_is_taken_and_says_to_charge_again(url: str) -> None:
    record(url, "gemini-2.5-flash", "gemini-2.5-flash", "gemini-2.5-pro")
    said = add(url, "gemini-2.5-flash", "--output", "2", start="2026-11-01").stderr
    assert "2 recorded calls of gemini-2.5-flash since 2026-11-01 keep what they were charged" in said
    assert "gembill rerate --since 2026-11-01" in said
    assert "recorded" not in add(url, "gemini-2.5-flash", "--output", "2", start="2026-11-06").stderr


@pytest.mark.parametrize(
    ("words", "start", "error"),
    [
        (("gemini-2.5-pro",), "2026-12-01", "or a --discount, and not both"),
        (("gemini-2.5-pro", "--input", "1", "--discount", "5%"), "2026-12-01", "and not both"),
        (("gemini-2.5-pro", "--discount", "0%"), "2026-12-01", "--discount is '0%'"),
        (("gemini-2.5-pro", "--discount", "101"), "2026-12-01", "between 0 and 100"),
        (("gemini-2.5-pro", "--discount", "5%", "--above", "9"), "2026-12-01", "--above goes with prices"),
        (("gemini-2.5-pro", "--input", "-1"), "2026-12-01", "negative or finer"),
        (("gemini-2.5-pro", "--grounding", "0.0000000001"), "2026-12-01", "not an exact price for one"),
        (("gemini-2.5-pro", "--input", "1"), "tomorrow", "not a date or an instant"),
        (("gemini-2.5-pro", "--input", "1"), "2026-12-01T03:00:00Z", "prices change at midnight US Pacific"),
        (("gemini-2.5-pro", "--input", "1", "--until", "2026-12-01"), "2026-12-01", "is not before --until"),
        (("gemini-flash-latest", "--input", "1"), "2026-12-01", "is another name of 'gemini-3.8-flash'"),
        (("newest", "--input", "1"), "2026-12-01", "has no price yet; give --input and --output"),
        (("gemini-*", "--input", "1"), "2026-12-01", "is not a name"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_added(
    url: str, words: tuple[str, ...], start: str, error: str
) -> None:
    with pytest.raises(ConfigurationError, match=error.replace("*", r"\*")):
        add(url, *words, start=start)
    assert not Path(url.removeprefix("sqlite:///")).exists() or added(url) == []


def test_a_discount_without_a_list_price_is_refused(url: str) -> None:
    with pytest.raises(PriceError, match="a discount needs a list price"):
        add(url, "newest", "--discount", "5%")
    assert added(url) == []

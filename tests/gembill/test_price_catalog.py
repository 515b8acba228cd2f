"""Which price list counts before which, and that what a charge names can be shown again."""

from functools import partial
from pathlib import Path

import pytest

from gembill.config import Settings
from gembill.errors import ConfigurationError, PriceError
from gembill.ledger import Ledger, open_ledger, price_lists
from gembill.ledger.price_lists import Origin
from gembill.model import Meter, Modality
from gembill.money import unit_price
from gembill.price_catalog import PricesInForce, book_in_force, configured_book, ledger_book, policies, rows_of, terms
from gembill.rules.prices import NoPrice, PriceBook, bundled
from gembill.rules.rating import DEFAULT, LongContextCounts, Policies, ResultsAsOutput, ToolTokensWithGrounding
from tests.gembill.calls import us
from tests.gembill.pricing import price

NOW = us("2026-11-21T12:00:00+00:00")
FLASH = "gemini-2.5-flash"
FILE = """
[[models."gemini-2.5-flash".prices]]
source = "the file"
checked_on = 2026-11-21
input = "0.11"
output = "0.22"
"""

own = partial(price, model=FLASH)


def figure(book: PriceBook, meter: Meter = Meter.INPUT, model: str = FLASH) -> int:
    row = book.price(model, meter, Modality.TEXT, service_tier="standard", prompt_tokens=1, at_us=NOW)
    assert not isinstance(row, NoPrice), row
    return row.unit_pico


def test_without_lists_the_bundled_book_itself_is_in_force(ledger: Ledger) -> None:
    assert book_in_force(ledger, Settings()) is bundled()


def test_the_last_that_was_set_counts_before_synced_and_bundled_and_the_rest_stays(ledger: Ledger) -> None:
    terms(ledger, Settings())
    price_lists.add(ledger, Origin.SET, [own("0.45")])
    price_lists.add(ledger, Origin.SYNC, [own("0.99"), own("9.99", meter=Meter.OUTPUT)])
    price_lists.add(ledger, Origin.SET, [own("0.44")])
    book = book_in_force(ledger, Settings())
    assert figure(book) == unit_price("0.44")
    assert figure(book, Meter.OUTPUT) == unit_price("9.99")
    assert figure(book, Meter.INTERMEDIATE) == unit_price("0.30")
    listed = ledger_book(price_lists.lists(ledger), own=False)
    assert figure(listed) == unit_price("0.99")


def test_the_list_of_a_newer_program_counts_before_what_was_synced_earlier(ledger: Ledger) -> None:
    price_lists.add(ledger, Origin.SYNC, [own("0.99")])
    assert figure(book_in_force(ledger, Settings())) == unit_price("0.30")  # not yet kept in the ledger
    assert figure(terms(ledger, Settings()).book) == unit_price("0.30")


def test_the_users_file_counts_before_all_and_is_kept_for_receipts(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(FILE, encoding="utf-8-sig")  # some editors begin a text with a mark
    price_lists.add(ledger, Origin.SET, [own("0.45")])
    in_force = terms(ledger, Settings(prices=path))
    assert figure(in_force.book) == unit_price("0.11")
    assert figure(in_force.book, Meter.CACHED_INPUT) == unit_price("0.03")
    path.unlink()
    name = f"file/{FLASH}/input/text/standard/0@launch"
    free = f"policy/free_tier/{name}"
    assert rows_of(ledger, Settings(), [name, free])[free].source == "the file"


def test_a_file_that_cannot_be_used_is_named(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.toml \(setting prices\) cannot be read"):
        book_in_force(ledger, Settings(prices=tmp_path / "gone.toml"))
    with pytest.raises(ConfigurationError, match="setting prices"):
        PricesInForce(Settings(prices=tmp_path / "gone.toml"))  # a proxy says so when it starts
    path = tmp_path / "bad.toml"
    path.write_text("[models.x]\nprice = 1")
    with pytest.raises(PriceError, match=r"bad\.toml: line \d+: \$\.models\.x\.price is not a key of a model"):
        book_in_force(ledger, Settings(prices=path))


def test_a_process_that_posts_for_long_learns_of_new_prices(ledger: Ledger) -> None:
    in_force = PricesInForce(Settings())
    before = in_force(ledger)
    assert in_force(ledger) is before
    price_lists.add(ledger, Origin.SET, [own("0.45")])
    assert figure(in_force(ledger).book) == unit_price("0.45")


def test_rows_are_found_in_the_ledger_or_in_the_books_at_hand(ledger: Ledger) -> None:
    row = bundled().rows[0]
    assert rows_of(ledger, Settings(), [row.id, "unheard of"]) == {row.id: row}
    price_lists.add(ledger, Origin.SET, [own("0.45")])
    name = f"set-1/{FLASH}/input/text/standard/0@launch"
    estimate = f"policy/results_as_output=estimate/{name}"
    assert rows_of(ledger, Settings(), [estimate])[estimate].unit_pico == unit_price("0.45")


def test_policies_are_those_of_the_settings() -> None:
    assert policies(Settings()) == DEFAULT == Policies()
    assert policies(
        Settings(
            long_context_counts="prompt_and_intermediate",
            tool_tokens_with_grounding="free",
            results_as_output="estimate",
            free_tier_keys=("k_1",),
        )
    ) == Policies(
        long_context_counts=LongContextCounts.PROMPT_AND_INTERMEDIATE,
        tool_tokens_with_grounding=ToolTokensWithGrounding.FREE,
        results_as_output=ResultsAsOutput.ESTIMATE,
        free_tier_keys=frozenset({"k_1"}),
    )


def test_prices_can_be_asked_for_before_there_is_a_ledger(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    assert configured_book(Settings(database_url=url)) is bundled()
    path = tmp_path / "own.toml"
    path.write_text(FILE)
    assert figure(configured_book(Settings(database_url=url, prices=path))) == unit_price("0.11")
    assert figure(configured_book(Settings(database_url=url, prices=path), own=False)) == unit_price("0.30")
    ledger = open_ledger(url)
    price_lists.add(ledger, Origin.SET, [own("0.45")])
    ledger.close()
    assert figure(configured_book(Settings(database_url=url))) == unit_price("0.45")

"""The prices in force: the bundled list, what was added to the ledger, and a file of the user's.

Owns: which list counts before which, and the terms (prices and policies) under which calls are rated; posting, import,
re-rating, receipts and comparisons take them from here. Not here: prices, rules of rating and SQL.
Invariant: the list that counts most is the file, then what was set (the latest entry first), then the newest of the
bundled list and what was accepted from genai-prices; before a charge names a row, the row is in the ledger.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gembill.config import Settings
from gembill.errors import ConfigurationError, PriceError
from gembill.ledger import Ledger, ledger_file, open_ledger, price_lists
from gembill.ledger.price_lists import Origin, PriceList
from gembill.model import Price, Rating, Record
from gembill.rules import policy_ids
from gembill.rules.prices import Alias, PriceBook, bundled, parse
from gembill.rules.prices.regional import global_id, row_named
from gembill.rules.prices.remarks import NOTHING
from gembill.rules.rating import (
    LongContextCounts,
    Policies,
    ResultsAsOutput,
    ToolTokensWithGrounding,
    rate,
)

_FILE = "file/"  # begins the ids of a user's file
_LATEST = 1 << 62


@dataclass(frozen=True, slots=True)
class PricingTerms:
    """Prices and policies: all that decides the cost of a record."""

    book: PriceBook
    policies: Policies

    def rate(self, record: Record) -> Rating:
        """The charges of a record."""
        return rate(record, self.book, self.policies)


class PricesInForce:
    """The terms of one ledger, kept up to date: asking again costs one small query unless a list was added.

    For a process that posts for long: what `gembill prices set` adds counts for the next batch.
    """

    def __init__(self, settings: Settings) -> None:
        """ConfigurationError or PriceError now rather than later, where the user's file cannot be used."""
        if settings.prices is not None:
            _file(settings.prices, bundled())
        self._settings = settings
        self._number = -1
        self._terms: PricingTerms | None = None

    def __call__(self, ledger: Ledger) -> PricingTerms:
        """The terms in force in this ledger; PriceError or ConfigurationError where the user's file cannot be used."""
        if self._terms is None or price_lists.newest(ledger) != self._number:
            self._terms = terms(ledger, self._settings)
            self._number = price_lists.newest(ledger)
        return self._terms


def terms(ledger: Ledger, settings: Settings) -> PricingTerms:
    """Prices and policies in force in a ledger that can be written; the rows that charges may name are kept in it."""
    price_lists.add(ledger, Origin.BUNDLED, bundled().rows, bundled().digest)
    book = book_in_force(ledger, settings)
    if settings.prices is not None:
        own = book.layers[-1]
        price_lists.add(ledger, Origin.FILE, own, price_lists.digest_of(own))
    return PricingTerms(book, policies(settings))


def policies(settings: Settings) -> Policies:
    """The policies that the settings name."""
    return Policies(
        long_context_counts=LongContextCounts(settings.long_context_counts),
        tool_tokens_with_grounding=ToolTokensWithGrounding(settings.tool_tokens_with_grounding),
        results_as_output=ResultsAsOutput(settings.results_as_output),
        free_tier_keys=frozenset(settings.free_tier_keys),
    )


def book_in_force(ledger: Ledger, settings: Settings) -> PriceBook:
    """The price book in force; nothing is written."""
    book = ledger_book(price_lists.lists(ledger))
    return book if settings.prices is None else _file(settings.prices, book)


def configured_book(settings: Settings, *, own: bool = True) -> PriceBook:
    """The price book in force in the configured ledger, or without one where no ledger was made yet.

    `own=False` leaves out what users set and their file: the list prices.
    """
    book = ledger_book(_configured_lists(settings), own=own)
    return _file(settings.prices, book) if own and settings.prices is not None else book


def _configured_lists(settings: Settings) -> list[PriceList]:
    path = ledger_file(settings.ledger_url)
    if path is not None and not path.exists():
        return []
    ledger = open_ledger(settings.ledger_url, read_only=True)
    try:
        return price_lists.lists(ledger)
    finally:
        ledger.close()


def ledger_book(lists: Iterable[PriceList], *, own: bool = True) -> PriceBook:
    """The bundled list with the lists of a ledger; `own=False` leaves out what users set: the list prices."""
    known = list(lists)
    of_bundled = [one.number for one in known if one.origin is Origin.BUNDLED and one.digest == bundled().digest]
    place = of_bundled[-1] if of_bundled else _LATEST  # a newer program's list is newer than anything in the ledger
    synced = [one for one in known if one.origin is Origin.SYNC]
    layers: list[tuple[tuple[Price, ...], tuple[Alias, ...]]] = [(one.rows, ()) for one in synced if one.number < place]
    layers.append((bundled().rows, bundled().aliases))
    layers += [(one.rows, ()) for one in synced if one.number > place]
    layers += [(one.rows, ()) for one in known if own and one.origin is Origin.SET]
    if len(layers) == 1:
        return bundled()
    book: PriceBook | None = None
    for rows, aliases in layers:
        book = PriceBook(rows, aliases, remarks=bundled().remarks if book is None else NOTHING, over=book)
    assert book is not None
    return book


def rows_of(ledger: Ledger, settings: Settings, ids: Iterable[str]) -> dict[str, Price]:
    """The price rows that charges name, for showing them; a charge under a policy leads to the row it names.

    Rows are looked for in the ledger, then in the bundled list and in the user's file.
    """
    wanted = {one: policy_ids.row_of(one) for one in ids}
    known = {global_id(row) for row in wanted.values()}
    rows = price_lists.explained(ledger, known)
    if known - set(rows):
        rows = {row.id: row for row in book_in_force(ledger, settings).rows} | rows
    named = {one: row_named(row, rows) for one, row in wanted.items()}
    return {one: row for one, row in named.items() if row is not None}


def _file(path: Path, over: PriceBook) -> PriceBook:
    try:
        return parse(path.read_text(encoding="utf-8-sig"), prefix=_FILE, over=over)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the price list {path} (setting prices) cannot be read: {error}") from None
    except PriceError as error:
        raise PriceError(f"{path}: {error}") from None

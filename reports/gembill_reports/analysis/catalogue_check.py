"""The prices in force held against Google's own SKU catalogue.

Owns: what each entry of a catalogue comes to. Not here: reading it (`gembill.reconcile`) and layout. Invariant: every
entry has one verdict; what cannot be compared says why and is never dropped.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gembill.model import Price
from gembill.reconcile.catalogue import CatalogueEntry
from gembill.reconcile.sku import Band, Sku, UnknownSku, read
from gembill.reconcile.sku_price import price_of
from gembill.rules.prices import NoPrice, PriceBook
from gembill.rules.prices.sources import rank_of


class Verdict(StrEnum):
    """What an entry of the catalogue comes to."""

    DIFFERS = "differs"
    UNPRICED = "unpriced"  # read, but the list has no price for it
    UNKNOWN = "unknown"  # a word of it, or its model, is not known
    FREE = "free"  # the free allowance
    AGREES = "agrees"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueLine:
    """An entry with its verdict; `price` is our row where there is one.

    `reason` says why there is none, or what is known about a difference.
    """

    entry: CatalogueEntry
    verdict: Verdict
    sku: Sku | None = None
    price: Price | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogueCheck:
    """All entries in the order of the file; our prices are those in force at the instant."""

    at_us: int
    lines: tuple[CatalogueLine, ...]

    def of(self, verdict: Verdict) -> list[CatalogueLine]:
        """The entries with a verdict."""
        return [line for line in self.lines if line.verdict is verdict]

    @property
    def in_order(self) -> bool:
        """Whether no price differs. What we have no price for may be something that nobody here uses."""
        return not self.of(Verdict.DIFFERS)


def check_catalogue(book: PriceBook, entries: Iterable[CatalogueEntry], at_us: int) -> CatalogueCheck:
    """Each entry held against the row in force."""
    return CatalogueCheck(at_us, tuple(_line(book, entry, at_us) for entry in entries))


def _line(book: PriceBook, entry: CatalogueEntry, at_us: int) -> CatalogueLine:
    sku = read(entry.sku)
    if isinstance(sku, UnknownSku):
        return CatalogueLine(entry=entry, verdict=Verdict.UNKNOWN, reason=sku.reason)
    price = price_of(book, sku, at_us)
    if isinstance(price, NoPrice):
        verdict = Verdict.FREE if sku.free else Verdict.UNPRICED
        return CatalogueLine(entry=entry, verdict=verdict, sku=sku, reason=price.reason)
    if entry.agrees(price.unit_pico):
        return CatalogueLine(entry=entry, verdict=Verdict.AGREES, sku=sku, price=price)
    reason = _known_reason(book, sku, entry, price)
    return CatalogueLine(entry=entry, verdict=Verdict.DIFFERS, sku=sku, price=price, reason=reason)


def _known_reason(book: PriceBook, sku: Sku, entry: CatalogueEntry, price: Price) -> str | None:
    """What is known about a difference: that sources dispute the price, or that the list does not tell sizes apart."""
    for dispute in book.remarks.disputes:
        about = (dispute.model, dispute.service_tier, dispute.meter)
        if about == (price.model, price.service_tier, price.meter) and entry.agrees(dispute.unit_pico):
            return f"sources disagree: ours is of a {rank_of(price.source)}"
    if sku.band is Band.LONG and not price.above_prompt_tokens:
        return "the list has one price for short and long prompts"
    return None

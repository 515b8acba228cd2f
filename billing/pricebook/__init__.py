"""Which price was in force.

Owns: the price list (`billing/prices.toml`), its reading and its questions: `parse`, `bundled`, `PriceBook`. Owns no
record, no policy and no sum. Invariant: a price is found or there is a sentence why not; nothing is ever guessed.
"""

from billing.pricebook.book import Alias, NoPrice, PriceBook, Tariff
from billing.pricebook.bundle import bundled
from billing.pricebook.document import parse

__all__ = ["Alias", "NoPrice", "PriceBook", "Tariff", "bundled", "parse"]

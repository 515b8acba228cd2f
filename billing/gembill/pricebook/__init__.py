"""Which price was in force.

Owns: the price list (`billing/gembill/prices.toml`), its reading and its questions: `parse`, `bundled`, `PriceBook`.
Owns no record, no policy and no sum. Invariant: a price is found or there is a sentence why not; nothing is ever
guessed.
"""

from gembill.pricebook.book import Alias, NoPrice, PriceBook, Tariff
from gembill.pricebook.bundle import bundled
from gembill.pricebook.document import parse

__all__ = ["Alias", "NoPrice", "PriceBook", "Tariff", "bundled", "parse"]

"""Which price was in force.

Owns: the price list (`billing/gembill/prices.toml`), its reading and its questions: `parse`, `bundled`, `PriceBook`.
Owns no record, no policy and no sum. Invariant: a price is found or there is a sentence why not; nothing is ever
guessed.
"""

from gembill.rules.prices.book import Alias, NoPrice, PriceBook, Tariff
from gembill.rules.prices.bundle import bundled
from gembill.rules.prices.toml import parse

__all__ = ["Alias", "NoPrice", "PriceBook", "Tariff", "bundled", "parse"]

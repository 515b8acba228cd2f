"""Which price was in force.

Owns: the price list (`billing/gembill/prices.toml`), its reading and its questions: `parse`, `bundled`, `PriceBook`.
Not here: records, policies and sums. Invariant: a price is found or there is a sentence why not; nothing is ever
guessed.
"""

from functools import cache
from importlib.resources import files

from gembill.rules.prices.book import Alias, NoPrice, PriceBook, Tariff
from gembill.rules.prices.toml import parse

__all__ = ["Alias", "NoPrice", "PriceBook", "Tariff", "bundled", "parse"]


@cache
def bundled() -> PriceBook:
    """The price list that comes with the program, read once for a process; PriceError if it contradicts itself."""
    return parse(files("gembill").joinpath("prices.toml").read_text(encoding="utf-8"))

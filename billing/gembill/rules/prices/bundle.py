"""The price list that comes with the program.

Owns: reading the packaged `billing/gembill/prices.toml`. Owns no rule. Invariant: it is read once for a process.
"""

from functools import cache
from importlib.resources import files

from gembill.rules.prices.book import PriceBook
from gembill.rules.prices.toml import parse


@cache
def bundled() -> PriceBook:
    """The packaged book; PriceError if the file contradicts itself."""
    return parse(files("gembill").joinpath("prices.toml").read_text(encoding="utf-8"))

"""The price list that comes with the program.

Owns: reading the packaged `billing/prices.toml`. Owns no rule. Invariant: it is read once for a process.
"""

from functools import cache
from importlib.resources import files

from billing.pricebook.book import PriceBook
from billing.pricebook.document import parse


@cache
def bundled() -> PriceBook:
    """The packaged book; PriceError if the file contradicts itself."""
    return parse(files("billing").joinpath("prices.toml").read_text(encoding="utf-8"))

"""How figures are written in a price list.

Owns: the kinds of values that are prices, multiples and days, with the words that refuse others. Not here: the keys
that have them (`gembill.rules.prices.toml`). Invariant: a figure is an exact whole number of pico-dollars for one, or
it is refused.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from gembill import money
from gembill.errors import ConfigurationError
from gembill.toml_values import Kind

UNKNOWN = "unknown"
"""What is written where sources disagree or are silent: no row."""


def _rate(text: str) -> int | None:
    """Pico-dollars per token, None where it is not known; ValueError where the text is not an exact price."""
    return None if text == UNKNOWN else _per_million(text)


def _per_million(text: str) -> int:
    """Pico-dollars for one of a million; ValueError where the text is not an exact price."""
    try:
        return money.unit_price(text)
    except ConfigurationError:
        raise ValueError from None


def _piece(text: str) -> int:
    """Pico-dollars for one; ValueError where the text is not an amount, or negative."""
    try:
        pico = money.parse_usd(text)
    except ConfigurationError:
        raise ValueError from None
    if pico < 0:
        raise ValueError
    return pico


def _fee(text: str) -> int:
    """Pico-dollars for one of a thousand; ValueError where that is not exact."""
    pico = _piece(text)
    if pico % 1000:
        raise ValueError
    return pico // 1000


def _times(text: str) -> Decimal:
    """The number behind an x; ValueError where it is not one of 1 or more."""
    match = re.fullmatch(r"x([0-9]{1,3}(?:\.[0-9]{1,6})?)", text)
    if match is None or Decimal(match[1]) < 1:
        raise ValueError
    return Decimal(match[1])


NAME = Kind(Annotated[str, Meta(min_length=1)], "a text that is not empty")
DAY = Kind(date, "a day such as 2026-12-01, without quotes")
RATE = Kind(
    str,
    f"US dollars per million tokens in quotes, such as '0.30': not negative, in at most 6 decimals, or '{UNKNOWN}'",
    _rate,
)
CHANGE = Kind(str, f"a multiple of the standard price such as 'x0.5', a price such as '0.30', or '{UNKNOWN}'")
FEE = Kind(str, "US dollars for a thousand in quotes, such as '14': not negative, in at most 9 decimals", _fee)
PIECE = Kind(str, "US dollars for one in quotes, such as '0.04': not negative, in at most 12 decimals", _piece)
TIMES = Kind(str, "a multiple of the global price, 1 or more, such as 'x1.1'", _times)
STORAGE = Kind(str, "US dollars per million token-hours in quotes, such as '1.00', in at most 6 decimals", _per_million)

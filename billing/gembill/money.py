"""Exact US dollars as integer pico-dollars (1e-12 USD).

Owns: parsing and writing of money, for programs and for people. Not here: prices, and rounding beyond what it says.
Invariant: no float ever enters or leaves; what is parsed and written again is the same number.

Prices of the API are quoted in dollars per million tokens. Micro-dollars per million tokens is the same integer as
pico-dollars per token, so `quantity * unit_price` is exact.
"""

import re
from typing import overload

from gembill.errors import ConfigurationError

PICO_PER_USD = 10**12
_MILLION = 10**6
_CENT = PICO_PER_USD // 100
_AMOUNT = re.compile(r"([+-]?)(?=\.?[0-9])([0-9]{0,24})(?:\.([0-9]{0,12})0*)?")


def parse_usd(text: str) -> int:
    """Pico-dollars of a decimal string such as `"0.50"`; ConfigurationError if it is not one of at most 12 decimals."""
    amount = _AMOUNT.fullmatch(text.strip())
    if amount is None:
        raise ConfigurationError(f"'{text}' is not an amount in US dollars of at most 12 decimals; write it like 0.50")
    sign, whole, part = amount.groups()
    pico = int(whole or "0") * PICO_PER_USD + int((part or "").ljust(12, "0"))
    return -pico if sign == "-" else pico


def unit_price(usd_per_million: str) -> int:
    """Pico-dollars per token of a price quoted in dollars per million tokens; exact or ConfigurationError."""
    pico = parse_usd(usd_per_million)
    if pico % _MILLION or pico < 0:
        raise ConfigurationError(f"the price '{usd_per_million}' per million tokens is negative or finer than 0.000001")
    return pico // _MILLION


@overload
def usd(pico: int) -> str: ...
@overload
def usd(pico: None) -> None: ...
@overload
def usd(pico: int | None) -> str | None: ...
def usd(pico: int | None) -> str | None:
    """The amount as a decimal string with 12 decimals, as JSON and CSV carry it: 1_081_500_000 is `0.001081500000`.

    None, an amount that is not known, stays None.
    """
    if pico is None:
        return None
    sign, pico = ("-" if pico < 0 else ""), abs(pico)
    return f"{sign}{pico // PICO_PER_USD}.{pico % PICO_PER_USD:012d}"


@overload
def usd_per_million(pico_per_token: int) -> str: ...
@overload
def usd_per_million(pico_per_token: None) -> None: ...
@overload
def usd_per_million(pico_per_token: int | None) -> str | None: ...
def usd_per_million(pico_per_token: int | None) -> str | None:
    """A price of tokens as people quote it, dollars per million without superfluous zeros: `"0.075"`, `"2.00"`."""
    return None if pico_per_token is None else _plain(pico_per_token * _MILLION)


def usd_per_thousand(pico_per_search: int) -> str:
    """A price of searches as people quote it, dollars per thousand: `"14.00"`."""
    return _plain(pico_per_search * 1000)


def display(pico: int) -> str:
    """The amount for tables: cents, or as many digits as make it non-zero (two significant ones), half up."""
    amount = abs(pico)
    decimals = 2 if amount >= _CENT or not amount else min(12, 14 - len(str(amount)))
    step = 10 ** (12 - decimals)
    whole, part = divmod((amount + step // 2) // step, 10**decimals)
    return f"{'-' if pico < 0 else ''}${whole:,}.{part:0{decimals}d}"


def display_exact(pico: int) -> str:
    """The amount for people with every digit it has, at least cents, so that a column of them adds up."""
    whole, part = _plain(abs(pico)).split(".")
    return f"{'-' if pico < 0 else ''}${int(whole):,}.{part}"


def _plain(pico: int) -> str:
    """The amount without superfluous zeros, but for cents."""
    whole, part = usd(pico).split(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"

"""Unit prices as people quote them.

Owns: by how many of what a price is quoted. Not here: amounts (`gembill.money`) and units (`gembill.model.Meter`).
Invariant: every digit of a price is shown.
"""

from gembill.model import Meter
from gembill.money import display_exact, usd_per_million, usd_per_thousand

BY_THE_MILLION = frozenset(("tokens", "token-hours"))
_BY_THE_THOUSAND = frozenset(("searches", "lookups"))


def one_of(meter: Meter) -> str:
    """What a meter counts, in the singular: token, search, lookup, picture, second, token-hour."""
    return "search" if meter.unit == "searches" else meter.unit.removesuffix("s")


def quoted(meter: Meter, unit_pico: int) -> str:
    """The figure: of tokens for a million, of searches for a thousand (`/1k`), of anything else for one."""
    if meter.unit in _BY_THE_THOUSAND:
        return f"{usd_per_thousand(unit_pico)} /1k"
    if meter.unit in BY_THE_MILLION:
        return f"{usd_per_million(unit_pico)}{'' if meter.unit == 'tokens' else ' /1M h'}"
    return f"{display_exact(unit_pico).removeprefix('$')} /{one_of(meter)}"

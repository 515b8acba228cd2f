"""The price rows in force at an instant.

Owns: which rows of a book are listed and in which order. Not here: prices, and how they are written
(`gembill_reports.views.price_list`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gembill.model import Meter, Modality, Price
from gembill.rules.prices import NoPrice, PriceBook
from gembill.rules.prices.regional import Uplift

_METERS, _KINDS = tuple(Meter), tuple(Modality)


@dataclass(frozen=True, slots=True)
class PriceList:
    """The rows in force at an instant, by model and tier, and what lifts them on regional endpoints of Vertex."""

    at_us: int
    rows: tuple[Price, ...]
    uplifts: tuple[Uplift, ...] = ()


def price_list(book: PriceBook, at_us: int, models: Sequence[str] = (), tiers: Sequence[str] = ()) -> PriceList:
    """The rows of these models and tiers, or of all; models may have `*`, or be another name of one."""
    rows: list[Price] = []
    wanted = [book.stands_for(name, at_us) or name for name in models]
    for model in book.models:
        if wanted and not any(fnmatchcase(model, name) for name in wanted):
            continue
        for tier in book.tiers(model):
            tariff = book.tariff(model, tier, at_us)
            if not isinstance(tariff, NoPrice) and (not tiers or tier in tiers):
                rows += sorted(tariff.rows, key=_order)
    lifted = (book.uplift(model, at_us) for model in dict.fromkeys(row.model for row in rows))
    return PriceList(at_us, tuple(rows), tuple(uplift for uplift in lifted if uplift is not None))


def _order(row: Price) -> tuple[int, int, int]:
    return row.above_prompt_tokens, _METERS.index(row.meter), _KINDS.index(row.modality)

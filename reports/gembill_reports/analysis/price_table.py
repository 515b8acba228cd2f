"""Prices with one row a model: its tiers, what changes next, and when it will be shut down.

Owns: which figures stand for a model, and the history of its rows. Not here: prices, and how they are written.
Invariant: a figure is that of text on global endpoints; every other price of a model is in its history.
"""

from dataclasses import dataclass
from datetime import date

from gembill.model import Meter, Modality, Price
from gembill.rules.prices import NoPrice, PriceBook, Tariff

STANDARD = "standard"
_METERS, _KINDS = tuple(Meter), tuple(Modality)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFigures:
    """Pico-dollars a token of text on one tier, None where there is none; `long` are those of the longest prompts, from
    `long_above` tokens on, None where they cost the same."""

    tier: str
    input: int | None
    cached: int | None
    output: int | None
    long_above: int | None
    long_input: int | None
    long_output: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrices:
    """The prices of a model in force at an instant. `rows` counts all of them, `checked_on` is the oldest check."""

    model: str
    tiers: tuple[TierFigures, ...]
    rows: int
    checked_on: str
    next_change_us: int | None
    shut_down: date | None

    @property
    def standard(self) -> TierFigures:
        """The tier that is meant where none is named, else the first."""
        return next((one for one in self.tiers if one.tier == STANDARD), self.tiers[0])


def price_table(book: PriceBook, at_us: int) -> list[ModelPrices]:
    """Every model with a price in force, in the order of their names."""
    ends = {one.model: one.day for one in book.remarks.shut_downs}
    made = []
    for model in book.models:
        tariffs = [book.tariff(model, tier, at_us) for tier in book.tiers(model)]
        named = [(tier, one) for tier, one in zip(book.tiers(model), tariffs, strict=True) if isinstance(one, Tariff)]
        rows = [row for _, tariff in named for row in tariff.rows]
        if rows:
            made.append(
                ModelPrices(
                    model=model,
                    tiers=tuple(_figures(tier, tariff) for tier, tariff in named),
                    rows=len(rows),
                    checked_on=min(row.checked_on for row in rows),
                    next_change_us=_next_change(book, model, at_us),
                    shut_down=ends.get(model),
                )
            )
    return made


def price_history(book: PriceBook, model: str) -> list[Price]:
    """Every row of a model that ever was or will be in force, the newest first."""
    rows = [row for row in book.rows if row.model == model]
    return sorted(rows, key=_place)


def _place(row: Price) -> tuple[int, str, int, int, int]:
    since = row.effective_from_us or 0
    kinds = _METERS.index(row.meter), _KINDS.index(row.modality)
    return -since, row.service_tier, row.above_prompt_tokens, *kinds


def _next_change(book: PriceBook, model: str, at_us: int) -> int | None:
    coming = [at for tier in book.tiers(model) for at in book.changes(model, tier) if at > at_us]
    return min(coming, default=None)


def _figures(tier: str, tariff: Tariff) -> TierFigures:
    above = max((row.above_prompt_tokens for row in tariff.rows), default=0)

    def figure(meter: Meter, prompt: int) -> int | None:
        price = tariff.price(meter, Modality.TEXT, prompt)
        return None if isinstance(price, NoPrice) else price.unit_pico

    return TierFigures(
        tier=tier,
        input=figure(Meter.INPUT, 0),
        cached=figure(Meter.CACHED_INPUT, 0),
        output=figure(Meter.OUTPUT, 0),
        long_above=above or None,
        long_input=figure(Meter.INPUT, above + 1) if above else None,
        long_output=figure(Meter.OUTPUT, above + 1) if above else None,
    )

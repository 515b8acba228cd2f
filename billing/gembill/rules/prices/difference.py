"""Another price list held against ours.

Owns: what counts as a difference and the rows that accepting one adds. Not here: the source (the caller reads it) and
storage. Invariant: accepting all differences of a model leaves none; what the other list does not say is kept.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gembill.model import Price
from gembill.rules.prices.book import NoPrice, PriceBook, PriceCell, PriceKey, dated_row
from gembill.rules.prices.sources import outranks


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalPrice:
    """What another list says of one model on one tier from a day on (None: ever since): pico-dollars by key.

    `implied` are keys that it prices only by falling back to another kind.
    """

    model: str
    service_tier: str
    start_us: int | None
    prices: Mapping[PriceKey, int]
    implied: frozenset[PriceKey] = field(default=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDifference:
    """One price that the two lists disagree about from a day on; `ours` is None where we have none."""

    model: str
    service_tier: str
    key: PriceKey
    start_us: int | None
    ours: int | None
    theirs: int


def differences(book: PriceBook, external: Iterable[ExternalPrice]) -> list[PriceDifference]:
    """Where the other list says something else than ours, or something that ours does not say.

    Keys that it only implies count where we have the model on that tier with another figure, or not at all. A figure
    of ours whose source counts more than a package is no difference.
    """
    disagreements: list[PriceDifference] = []
    for one in external:
        known = bool(book.tiers(one.model))
        ours = _ours(book, one)
        for key, pico in one.prices.items():
            row = ours.get(key)
            mine = None if row is None else row.unit_pico
            if row is not None and outranks(row.source, "package"):
                continue
            if mine != pico and not (mine is None and known and key in one.implied):
                disagreements.append(
                    PriceDifference(
                        model=one.model,
                        service_tier=one.service_tier,
                        key=key,
                        start_us=one.start_us,
                        ours=mine,
                        theirs=pico,
                    )
                )
    return disagreements


def accepted(
    external: Iterable[ExternalPrice], chosen: Iterable[PriceDifference], source: str, checked_on: str
) -> list[Price]:
    """The rows that make ours say what the other list says about everything that the chosen differences touch."""
    touched = {(one.model, one.service_tier, *one.key[:2]) for one in chosen}
    rows: dict[str, Price] = {}
    for one in external:
        for key, pico in one.prices.items():
            if (one.model, one.service_tier, *key[:2]) in touched:
                cell = PriceCell(pico, source, checked_on)
                row = dated_row(one.model, one.service_tier, key, cell, (one.start_us, None))
                rows[row.id] = row
    return list(rows.values())


def _ours(book: PriceBook, one: ExternalPrice) -> dict[PriceKey, Price]:
    tariff = book.tariff(one.model, one.service_tier, one.start_us or 0)
    rows = () if isinstance(tariff, NoPrice) else tariff.rows
    return {(row.meter, row.modality, row.above_prompt_tokens): row for row in rows}


def by_model(disagreements: Iterable[PriceDifference]) -> Iterator[tuple[str, list[PriceDifference]]]:
    """The differences of each model, models by name."""
    models: dict[str, list[PriceDifference]] = {}
    for one in disagreements:
        models.setdefault(one.model, []).append(one)
    yield from sorted(models.items())

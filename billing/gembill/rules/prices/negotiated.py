"""Prices of a user's own: agreed figures, or a discount on list prices, from a day on.

Owns: which price rows they become, over the prices that were in force without them. Not here: storage and precedence.
Invariant: what a user does not name keeps the price it had, through all later changes that are known; every row is
exact, or there is a PriceError.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from gembill.errors import PriceError
from gembill.model import Meter, Modality, Price
from gembill.money import usd_per_million
from gembill.rules.prices.blocks import RATES
from gembill.rules.prices.book import NoPrice, PriceBook, PriceCell, PriceKey, Tariff, dated_row
from gembill.rules.prices.toml import meters_of

GROUNDING = "grounding"

_Cells = dict[PriceKey, PriceCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """For which model and tier prices are set, from when to when (microseconds UTC, end open or exclusive), and why."""

    model: str
    service_tier: str
    start_us: int
    end_us: int | None = None
    source: str
    checked_on: str


def negotiated(
    base: PriceBook, terms: ContractTerms, rates: Mapping[str, int], above_prompt_tokens: int = 0
) -> list[Price]:
    """Rows for agreed prices: pico-dollars by the keys of `prices.toml` (input, cached, ..., and `grounding` for one).

    A figure without a kind of content (`input`) holds for text and every kind that had the price of text.
    `above_prompt_tokens` sets the prices of longer prompts and leaves those of shorter ones.
    """

    def cells(tariff: Tariff | None) -> _Cells:
        known = _cells(tariff)
        own = {
            key: PriceCell(pico, terms.source, terms.checked_on)
            for key, pico in _named(known, rates, above_prompt_tokens)
        }
        touched = {key[:2] for key in own}
        kept = {key: cell for key, cell in known.items() if key[:2] in touched}
        return kept | own

    rows = _rows(base, terms, cells)
    _refuse_long_only(rows, above_prompt_tokens)
    return rows


def discounted(base: PriceBook, terms: ContractTerms, percent: Decimal) -> list[Price]:
    """Rows for all prices of the model on the tier, searches too, less a percentage.

    Later changes of list price that are known are followed. PriceError where there is no price to take it off, or the
    result is finer than a micro-dollar per million tokens.
    """

    def cells(tariff: Tariff | None) -> _Cells:
        return {key: _less(key, cell, percent, terms) for key, cell in _cells(tariff).items()}

    first = base.tariff(terms.model, terms.service_tier, terms.start_us)
    if isinstance(first, NoPrice):
        raise PriceError(f"a discount needs a list price, but {first.reason}; set the prices themselves")
    return _rows(base, terms, cells)


def _named(known: _Cells, rates: Mapping[str, int], above: int) -> Iterator[tuple[PriceKey, int]]:
    for key, pico in rates.items():
        if key == GROUNDING:
            yield (Meter.GROUNDING, Modality.TEXT, 0), pico
            continue
        meter, kinds = RATES[key]
        for kind in kinds:
            if f"{key}_{kind.value}" in rates:
                continue  # this kind has a figure of its own
            for _, borrowing in meters_of(meter, kind):
                if kind is kinds[0] or _same(known, borrowing, kind):
                    yield (borrowing, kind, above), pico


def _same(known: _Cells, meter: Meter, kind: Modality) -> bool:
    """Whether a kind of content has had the price of text."""
    own, text = (
        {above: cell.unit_pico for (m, k, above), cell in known.items() if (m, k) == (meter, wanted)}
        for wanted in (kind, Modality.TEXT)
    )
    return own == text


def _less(key: PriceKey, cell: PriceCell, percent: Decimal, terms: ContractTerms) -> PriceCell:
    rest = cell.unit_pico * (100 - percent) / 100
    if rest != rest.to_integral_value():
        raise PriceError(
            f"{percent}% off {usd_per_million(cell.unit_pico)} ({key[0].value} of '{terms.model}') is not an exact "
            "price; set the price itself"
        )
    return PriceCell(int(rest), f"{terms.source}, {percent}% off: {cell.source}", cell.checked_on)


def _rows(base: PriceBook, terms: ContractTerms, cells: Callable[[Tariff | None], _Cells]) -> list[Price]:
    """One row for each key and stretch of time without a change of its price."""
    open_rows: dict[PriceKey, Price] = {}
    done: list[Price] = []
    for start_us, end_us, tariff in _stretches(base, terms):
        for key, cell in cells(tariff).items():
            before = open_rows.get(key)
            row = dated_row(terms.model, terms.service_tier, key, cell, (start_us, end_us))
            if before is not None and (before.effective_to_us, before.unit_pico) == (start_us, row.unit_pico):
                times = (before.effective_from_us or start_us, end_us)
                open_rows[key] = dated_row(terms.model, terms.service_tier, key, cell, times)
                continue
            done += [before] if before is not None else []
            open_rows[key] = row
    return [*done, *open_rows.values()]


def _stretches(base: PriceBook, terms: ContractTerms) -> Iterator[tuple[int, int | None, Tariff | None]]:
    changes = base.changes(terms.model, terms.service_tier)
    later = [at for at in changes if terms.start_us < at and (terms.end_us is None or at < terms.end_us)]
    starts = [terms.start_us, *later]
    for start_us, end_us in zip(starts, [*later, terms.end_us], strict=True):
        tariff = base.tariff(terms.model, terms.service_tier, start_us)
        yield start_us, end_us, None if isinstance(tariff, NoPrice) else tariff


def _cells(tariff: Tariff | None) -> _Cells:
    rows = tariff.rows if tariff else ()
    return {(r.meter, r.modality, r.above_prompt_tokens): PriceCell(r.unit_pico, r.source, r.checked_on) for r in rows}


def _refuse_long_only(rows: list[Price], above: int) -> None:
    """A price of long prompts needs one of short ones beside it."""
    short = {(row.meter, row.modality) for row in rows if not row.above_prompt_tokens}
    lacking = next((row for row in rows if (row.meter, row.modality) not in short), None)
    if lacking is not None:
        raise PriceError(
            f"{lacking.meter.value} of '{lacking.model}' has a price above {above} prompt tokens but none below; "
            "set that first"
        )

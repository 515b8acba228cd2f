"""Prices of a user's own: agreed figures, or a discount on list prices, from a day on.

Owns: which price rows they become, over the prices that were in force without them. Owns no storage and no precedence.
Invariant: what a user does not name keeps the price it had, through all later changes that are known; every row is
exact, or there is a PriceError.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from gembill.errors import PriceError
from gembill.model import Meter, Modality, Price
from gembill.money import usd_per_million
from gembill.rules.prices.book import NoPrice, PriceBook, Tariff, Thing, dated_row
from gembill.rules.prices.toml import RATES, meters_of

GROUNDING = "grounding"

_Cells = dict[Thing, tuple[int, str, str]]  # pico-dollars, source, day checked


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
    base: PriceBook, frame: ContractTerms, rates: Mapping[str, int], above_prompt_tokens: int = 0
) -> list[Price]:
    """Rows for agreed prices: pico-dollars by the keys of `prices.toml` (input, cached, ..., and `grounding` for one).

    A figure without a kind of content (`input`) holds for text and every kind that had the price of text.
    `above_prompt_tokens` sets the prices of longer prompts and leaves those of shorter ones.
    """

    def cells(tariff: Tariff | None) -> _Cells:
        known = _cells(tariff)
        own = {
            thing: (pico, frame.source, frame.checked_on) for thing, pico in _named(known, rates, above_prompt_tokens)
        }
        touched = {thing[:2] for thing in own}
        kept = {thing: cell for thing, cell in known.items() if thing[:2] in touched}
        return kept | own

    found = _rows(base, frame, cells)
    _refuse_long_only(found, above_prompt_tokens)
    return found


def discounted(base: PriceBook, frame: ContractTerms, percent: Decimal) -> list[Price]:
    """Rows for all prices of the model on the tier, searches too, less so many percent.

    Later changes of list price that are known are followed. PriceError where there is no price to take it off, or the
    result is finer than a micro-dollar per million tokens.
    """

    def cells(tariff: Tariff | None) -> _Cells:
        return {thing: _less(thing, cell, percent, frame) for thing, cell in _cells(tariff).items()}

    first = base.tariff(frame.model, frame.service_tier, frame.start_us)
    if isinstance(first, NoPrice):
        raise PriceError(f"a discount needs a list price, but {first.reason}; set the prices themselves")
    return _rows(base, frame, cells)


def _named(known: _Cells, rates: Mapping[str, int], above: int) -> Iterator[tuple[Thing, int]]:
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
    both = (
        {above: cell[0] for (m, k, above), cell in known.items() if (m, k) == (meter, x)} for x in (kind, Modality.TEXT)
    )
    mine, text = both
    return mine == text


def _less(thing: Thing, cell: tuple[int, str, str], percent: Decimal, frame: ContractTerms) -> tuple[int, str, str]:
    pico, source, checked_on = cell
    rest = pico * (100 - percent) / 100
    if rest != rest.to_integral_value():
        raise PriceError(
            f"{percent}% off {usd_per_million(pico)} ({thing[0].value} of '{frame.model}') is no exact price; "
            "set the price itself"
        )
    return int(rest), f"{frame.source}, {percent}% off: {source}", checked_on


def _rows(base: PriceBook, frame: ContractTerms, cells: Callable[[Tariff | None], _Cells]) -> list[Price]:
    """One row for each thing and stretch of time without a change of its price."""
    open_rows: dict[Thing, Price] = {}
    done: list[Price] = []
    for start_us, end_us, tariff in _stretches(base, frame):
        for thing, cell in cells(tariff).items():
            before = open_rows.get(thing)
            row = dated_row(frame.model, frame.service_tier, thing, cell, (start_us, end_us))
            if before is not None and (before.effective_to_us, before.unit_pico) == (start_us, row.unit_pico):
                times = (before.effective_from_us or start_us, end_us)
                open_rows[thing] = dated_row(frame.model, frame.service_tier, thing, cell, times)
                continue
            done += [before] if before is not None else []
            open_rows[thing] = row
    return [*done, *open_rows.values()]


def _stretches(base: PriceBook, frame: ContractTerms) -> Iterator[tuple[int, int | None, Tariff | None]]:
    changes = base.changes(frame.model, frame.service_tier)
    later = [at for at in changes if frame.start_us < at and (frame.end_us is None or at < frame.end_us)]
    starts = [frame.start_us, *later]
    for start_us, end_us in zip(starts, [*later, frame.end_us], strict=True):
        found = base.tariff(frame.model, frame.service_tier, start_us)
        yield start_us, end_us, None if isinstance(found, NoPrice) else found


def _cells(tariff: Tariff | None) -> _Cells:
    rows = tariff.rows if tariff else ()
    return {(r.meter, r.modality, r.above_prompt_tokens): (r.unit_pico, r.source, r.checked_on) for r in rows}


def _refuse_long_only(rows: list[Price], above: int) -> None:
    """A price of long prompts needs one of short ones beside it."""
    short = {(row.meter, row.modality) for row in rows if not row.above_prompt_tokens}
    lacking = next((row for row in rows if (row.meter, row.modality) not in short), None)
    if lacking is not None:
        raise PriceError(
            f"{lacking.meter.value} of '{lacking.model}' has a price above {above} prompt tokens but none below; "
            "set that first"
        )

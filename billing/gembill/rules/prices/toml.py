"""The written form of a price list: `prices.toml` and lists of users in the same form.

Owns: the expansion of a model's blocks into price rows. Not here: the keys of the file (`blocks`) and lookups.
Invariant: every row is exact (an integer of pico-dollars per token), and its id depends on its own block only, so that
blocks appended later never rename a row; a mistake is one PriceError with its line and path.

The form is described at the head of `billing/gembill/prices.toml`. An id reads
`gemini-2.5-pro/input/text/batch/200000@2025-06-17`: model, meter, kind, tier, threshold, first day;
`intermediate=input` and `thinking=output` say which price a meter borrows, `@launch` that a row holds since the model
was first served.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from gembill import money
from gembill.errors import PriceError
from gembill.model import Meter, Modality, Price
from gembill.rules.prices.blocks import (
    DOCUMENT,
    GROUNDING_KEYS,
    MAPS_KEY,
    MODEL,
    OWN_KINDS,
    PIECES,
    RATE_KINDS,
    RATES,
    STEMS,
    TIERS,
    Block,
    Mistake,
    begin_us,
    blocks_of,
    mistake_at,
    values_of,
)
from gembill.rules.prices.book import Alias, PriceBook, PriceKey, row_id
from gembill.rules.prices.figures import CHANGE, UNKNOWN
from gembill.rules.prices.remarks import Remarks, remarks_of
from gembill.toml_values import line_of, written

_Rates = dict[str, int | None]  # pico-dollars per token by key of the file; None is "unknown"


def parse(text: str, *, prefix: str = "", over: PriceBook | None = None) -> PriceBook:
    """The book written in a TOML text; PriceError saying on which line and at which path what is wrong.

    `prefix` begins every row's id; `over` is the book whose prices count where this one says nothing.
    """
    try:
        rows, aliases, remarks = _read(tomllib.loads(text), prefix)
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"the price list is not TOML: {error}") from error
    except Mistake as mistake:
        raise PriceError(f"line {line_of(text, mistake.path)}: {mistake}") from None
    return PriceBook(rows, aliases, remarks=remarks, over=over)


def _read(document: Mapping[str, Any], prefix: str) -> tuple[list[Price], list[Alias], Remarks]:
    lists = values_of(document, DOCUMENT, (), "a table of a price list")
    models = lists.get("models", {})
    rows: list[Price] = []
    aliases: list[Alias] = []
    remarks, sources = Remarks(), lists.get("sources", {})
    for name, table in models.items():
        path = ("models", name)
        body = values_of(table, MODEL, path, "a key of a model")
        if not body:
            raise mistake_at(path, "has no [[prices]] block and no alias; add one or remove the model")
        blocks = blocks_of(name, body.get("prices", []), sources, prefix)
        rows += _rows(blocks)
        remarks = remarks.joined(remarks_of(name, body, blocks, sources))
        aliases += _aliases(name, body)
    _reject_duplicate_aliases(aliases, models)
    return rows, aliases, remarks


def _rows(blocks: Iterable[Block]) -> Iterator[Price]:
    for block in blocks:
        standard = _standard(block)
        long = _long(block, standard)
        threshold = block.values.get("above_prompt_tokens", 0)
        yield from _tier_rows(block, "standard", {0: standard, threshold: long} if long else {0: standard})
        yield from _piece_rows(block)
        kinds = dict.fromkeys(standard, CHANGE)
        for tier in (tier for tier in TIERS if tier in block.values):
            changes = values_of(block.values[tier], kinds, (*block.path, tier), "a key that the standard tier has")
            rates = {0: _changed(block, tier, standard, changes)}
            if long:
                _reject_own_prices(block, tier, changes)
                rates[threshold] = _changed(block, tier, long, changes)
            yield from _tier_rows(block, tier, rates)


def _tier_rows(block: Block, tier: str, by_threshold: Mapping[int, _Rates]) -> Iterator[Price]:
    for threshold, rates in by_threshold.items():
        for key, pico in rates.items():
            meter, kinds = RATES[key]
            for kind in kinds if pico is not None else ():
                if f"{key}_{kind.value}" in rates:
                    continue  # this kind has a figure, or an "unknown", of its own
                for name, borrowing in meters_of(meter, kind):
                    source = block.source_of(key, tier)
                    yield _row(block, name, tier, (borrowing, kind, threshold), pico or 0, source)
    for meter, key in ((Meter.GROUNDING, _grounding(block)), (Meter.MAPS, MAPS_KEY)):
        if key in block.values:
            yield _row(block, meter.value, tier, (meter, Modality.TEXT, 0), block.values[key], block.source_of(key))


def _piece_rows(block: Block) -> Iterator[Price]:
    """What is priced by the piece, by the second and by the hour."""
    for key, (meter, kind) in PIECES.items():
        if key in block.values:
            yield _row(block, meter.value, "standard", (meter, kind, 0), block.values[key], block.source_of(key))


def meters_of(meter: Meter, kind: Modality) -> Iterator[tuple[str, Meter]]:
    """The meters a rate prices: its own and the one that borrows it (wire.md 6.2), as written in ids."""
    yield meter.value, meter
    if meter is Meter.INPUT:
        yield "intermediate=input", Meter.INTERMEDIATE
    elif meter is Meter.OUTPUT and kind is Modality.TEXT:
        yield "thinking=output", Meter.THINKING


def _row(block: Block, name: str, tier: str, key: PriceKey, pico: int, source: str) -> Price:
    meter, kind, threshold = key
    start = block.first or "launch"
    return Price(
        id=row_id(f"{block.prefix}{block.model}", name, kind, tier, above=threshold, start=str(start)),
        model=block.model,
        meter=meter,
        modality=kind,
        service_tier=tier,
        above_prompt_tokens=threshold,
        unit_pico=pico,
        effective_from_us=begin_us(block.first),
        effective_to_us=begin_us(block.until),
        source=source,
        checked_on=block.checked_on,
    )


def _standard(block: Block) -> _Rates:
    rates = {key: block.values[key] for key in RATES if key in block.values}
    if "input" not in rates and (rates or not PIECES.keys() & block.values.keys()):
        raise block.mistake(f"lacks input; write it, or '{UNKNOWN}', unless all it prices is pictures or seconds")
    if len(rates) > 1 and "output" not in rates and any(not key.startswith("input") for key in rates):
        raise block.mistake(f"lacks output; write it, or '{UNKNOWN}', unless the model has input only")
    for kind in OWN_KINDS:
        if f"input_{kind.value}" in rates and "cached" in rates and f"cached_{kind.value}" not in rates:
            needs = f"add cached_{kind.value}, or '{UNKNOWN}'"
            raise block.mistake(f"prices {kind.value} input apart but not cached {kind.value}; {needs}")
    return rates


def _long(block: Block, standard: _Rates) -> _Rates | None:
    """The rates above the threshold: all kinds of the block, so that no long call falls back to the lower price."""
    threshold, long = block.values.get("above_prompt_tokens"), block.values.get("long")
    if threshold is None and long is None:
        return None
    if threshold is None or long is None or set(long) != set(standard):
        needs = f"long prices {', '.join(standard)}"
        raise block.mistake(f"needs both or neither: above_prompt_tokens and long belong together; {needs}")
    rates = values_of(long, RATE_KINDS, (*block.path, "long"), "a price")
    return {key: rates[key] for key in standard}


def _changed(block: Block, tier: str, standard: _Rates, changes: Mapping[str, str]) -> _Rates:
    """The rates of a tier: a multiple of the standard rate or a price of its own; what is not named is not known."""
    rates: _Rates = {}
    for key, pico in standard.items():
        written_as = key if key in changes else STEMS.get(key, key)
        change = changes.get(written_as, UNKNOWN)
        if change != UNKNOWN and written_as != key and not change.startswith("x"):
            raise block.mistake(f"has a price of its own, so {key} needs one too", tier, written_as)
        rates[key] = None if pico is None else _changed_rate(block, (tier, written_as), pico, change)
    return rates


def _changed_rate(block: Block, path: tuple[str, str], pico: int, change: str) -> int | None:
    if change.startswith("x"):
        return _multiple(block, path, pico, change)
    return values_of({path[1]: change}, RATE_KINDS, (*block.path, path[0]), "a price")[path[1]]  # type: ignore[no-any-return]


def _multiple(block: Block, path: tuple[str, str], pico: int, change: str) -> int:
    try:
        product = pico * Decimal(change[1:])
    except InvalidOperation:
        raise block.mistake(f"is '{change}', which is not a multiple; write it like x0.5", *path) from None
    if not product.is_finite() or product < 0 or product != product.to_integral_value():
        times = f"{change} of {money.usd_per_million(pico)}"
        raise block.mistake(f"is not an exact price: {times}; write the price itself", *path)
    return int(product)


def _reject_own_prices(block: Block, tier: str, changes: Mapping[str, str]) -> None:
    for key, change in changes.items():
        if change != UNKNOWN and not change.startswith("x"):
            raise block.mistake(
                f"is '{change}', which cannot serve short and long prompts; write a multiple like x0.5", tier, key
            )


def _grounding(block: Block) -> str:
    """The key of the fee for one search or one grounded prompt, whether it is there or not."""
    given = [key for key in GROUNDING_KEYS if key in block.values]
    if len(given) > 1:
        raise block.mistake(f"has {' and '.join(given)}; a model has one or the other")
    return given[0] if given else GROUNDING_KEYS[0]


def _aliases(model: str, body: Mapping[str, Any]) -> Iterator[Alias]:
    yield from (Alias(pattern=name, model=model) for name in body.get("aliases", ()))
    for name, first in body.get("alias_since", {}).items():
        yield Alias(pattern=name, model=model, effective_from_us=begin_us(first))


def _reject_duplicate_aliases(aliases: Iterable[Alias], models: Mapping[str, Any]) -> None:
    seen: dict[tuple[str, int | None], str] = {}
    for alias in aliases:
        other = alias.pattern if alias.pattern in models else seen.get((alias.pattern, alias.effective_from_us))
        if other is not None:
            key = "aliases" if alias.effective_from_us is None else "alias_since"
            words = f"has the alias '{alias.pattern}', which names '{other}' as well; keep one"
            raise Mistake(("models", alias.model, key), f"{written(('models', alias.model))} {words}")
        seen[alias.pattern, alias.effective_from_us] = alias.model

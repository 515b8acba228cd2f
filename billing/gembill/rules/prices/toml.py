"""The written form of a price list: `prices.toml` and lists of users in the same form.

Owns: the keys of the file, their checks, and the expansion of a model's blocks into price rows. Not here: lookups.
Invariant: every row is exact (an integer of pico-dollars per token), and its id depends on its own block only, so that
blocks appended later never rename a row; a mistake is one PriceError with its line and path.

The form is described at the head of `billing/gembill/prices.toml`. An id reads
`gemini-2.5-pro/input/text/batch/200000@2025-06-17`: model, meter, kind, tier, threshold, first day;
`intermediate=input` and `thinking=output` say which price a meter borrows, `@launch` that a row holds since the model
was first served.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Annotated, Any

from msgspec import Meta

from gembill import money, period
from gembill.errors import ConfigurationError, PriceError
from gembill.model import Meter, Modality, Price
from gembill.rules.prices.book import Alias, PriceBook, PriceKey, row_id
from gembill.toml_values import Kind, Path, checked, line_of, written

RATES = {  # key of the file -> what it prices
    "input": (Meter.INPUT, (Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.DOCUMENT, Modality.AUDIO)),
    "input_audio": (Meter.INPUT, (Modality.AUDIO,)),
    "cached": (Meter.CACHED_INPUT, (Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.DOCUMENT, Modality.AUDIO)),
    "cached_audio": (Meter.CACHED_INPUT, (Modality.AUDIO,)),
    "output": (Meter.OUTPUT, (Modality.TEXT,)),
    "output_image": (Meter.OUTPUT, (Modality.IMAGE,)),
}
_STEMS = {"input_audio": "input", "cached_audio": "cached"}
_TIERS = ("batch", "flex", "priority", "deferred")
_GROUNDING = ("grounding_per_1000_queries", "grounding_per_1000_prompts")
_UNKNOWN = "unknown"

_Rates = dict[str, int | None]  # pico-dollars per token by key of the file; None is "unknown"
_Name = Annotated[str, Meta(min_length=1)]


class _Mistake(Exception):
    """What is wrong with the value at a path, in a sentence that names it."""

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__(sentence)
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """The whole price list of a model from a day on. `values` are those of the file's table, checked one by one."""

    model: str
    prefix: str
    path: Path
    first: date | None
    until: date | None
    source: str
    checked_on: str
    values: Mapping[str, Any]

    def mistake(self, words: str, *path: str) -> _Mistake:
        """A mistake in the block or at a key of it; the words go on after the path."""
        return _mistake((*self.path, *path), words)


def parse(text: str, *, prefix: str = "", over: PriceBook | None = None) -> PriceBook:
    """The book written in a TOML text; PriceError saying on which line and at which path what is wrong.

    `prefix` begins every row's id; `over` is the book whose prices count where this one says nothing.
    """
    try:
        rows, aliases = _read(tomllib.loads(text), prefix)
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"the price list is not TOML: {error}") from error
    except _Mistake as mistake:
        raise PriceError(f"line {line_of(text, mistake.path)}: {mistake}") from None
    return PriceBook(rows, aliases, over=over)


def _read(document: Mapping[str, Any], prefix: str) -> tuple[list[Price], list[Alias]]:
    lists = _values(document, _DOCUMENT, (), "a table of a price list")
    models = lists.get("models", {})
    rows: list[Price] = []
    aliases: list[Alias] = []
    for name, table in models.items():
        path = ("models", name)
        body = _values(table, _MODEL, path, "a key of a model")
        if not body:
            raise _mistake(path, "has no [[prices]] block and no alias; add one or remove the model")
        rows += _rows(_blocks(name, body.get("prices", []), lists.get("sources", {}), prefix))
        aliases += _aliases(name, body)
    _reject_duplicate_aliases(aliases, models)
    return rows, aliases


def _values(table: Mapping[str, Any], kinds: Mapping[str, Kind], path: Path, among: str) -> dict[str, Any]:
    """The values of a table, each checked."""
    values = {}
    for key, value in table.items():
        place = (*path, key)
        try:
            values[key] = checked(kinds, key, value, called=written(place), among=among)
        except ValueError as error:
            raise _Mistake(place, str(error)) from None
    return values


def _mistake(path: Path, words: str) -> _Mistake:
    return _Mistake(path, f"{written(path)} {words}")


def _blocks(model: str, tables: list[dict[str, Any]], sources: Mapping[str, str], prefix: str) -> list[_Block]:
    blocks = []
    for number, table in enumerate(tables):
        path = ("models", model, "prices", number)
        values = _values(table, _BLOCK, path, "a key of a block of prices")
        if "checked_on" not in values or "source" not in values:
            raise _mistake(path, "lacks its source or the day it was checked (checked_on); add both")
        blocks.append(
            _Block(
                model=model,
                prefix=prefix,
                path=path,
                first=values.get("from"),
                until=values.get("until"),
                source=sources.get(values["source"], values["source"]),
                checked_on=str(values["checked_on"]),
                values=values,
            )
        )
    ended = [replace(block, until=_end(block, following)) for block, following in pairwise(blocks)]
    return [*ended, *blocks[-1:]]


def _end(block: _Block, following: _Block) -> date:
    """The day a block with a successor ends, exclusive: its own `until`, else the next block's `from`."""
    if following.first is None or (block.first is not None and following.first <= block.first):
        since = f"from {block.first or 'its launch'}"
        raise following.mistake(f"begins on {following.first} but is after the block {since}; put the older first")
    if block.until is not None and block.until > following.first:
        raise block.mistake(f"lasts until {block.until}, past the next block, from {following.first}; end it there")
    return block.until or following.first


def _rows(blocks: Iterable[_Block]) -> Iterator[Price]:
    for block in blocks:
        standard = _standard(block)
        long = _long(block, standard)
        threshold = block.values.get("above_prompt_tokens", 0)
        yield from _tier_rows(block, "standard", {0: standard, threshold: long} if long else {0: standard})
        kinds = dict.fromkeys(standard, _CHANGE)
        for tier in (tier for tier in _TIERS if tier in block.values):
            changes = _values(block.values[tier], kinds, (*block.path, tier), "a key that the standard tier has")
            rates = {0: _changed(block, tier, standard, changes)}
            if long:
                _reject_own_prices(block, tier, changes)
                rates[threshold] = _changed(block, tier, long, changes)
            yield from _tier_rows(block, tier, rates)


def _tier_rows(block: _Block, tier: str, by_threshold: Mapping[int, _Rates]) -> Iterator[Price]:
    for threshold, rates in by_threshold.items():
        for key, pico in rates.items():
            meter, kinds = RATES[key]
            for kind in kinds if pico is not None else ():
                if f"{key}_{kind.value}" in rates:
                    continue  # this kind has a figure, or an "unknown", of its own
                for name, borrowing in meters_of(meter, kind):
                    yield _row(block, name, tier, (borrowing, kind, threshold), pico or 0)
    fee = _grounding(block)
    if fee is not None:
        yield _row(block, "grounding", tier, (Meter.GROUNDING, Modality.TEXT, 0), fee)


def meters_of(meter: Meter, kind: Modality) -> Iterator[tuple[str, Meter]]:
    """The meters a rate prices: its own and the one that borrows it (wire.md 6.2), as written in ids."""
    yield meter.value, meter
    if meter is Meter.INPUT:
        yield "intermediate=input", Meter.INTERMEDIATE
    elif meter is Meter.OUTPUT and kind is Modality.TEXT:
        yield "thinking=output", Meter.THINKING


def _row(block: _Block, name: str, tier: str, key: PriceKey, pico: int) -> Price:
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
        effective_from_us=_begin_us(block.first),
        effective_to_us=_begin_us(block.until),
        source=block.source,
        checked_on=block.checked_on,
    )


def _standard(block: _Block) -> _Rates:
    rates = {key: block.values[key] for key in RATES if key in block.values}
    if "input" not in rates or "output" not in rates:
        raise block.mistake(f"lacks input or output; write both, or '{_UNKNOWN}'")
    if "input_audio" in rates and "cached" in rates and "cached_audio" not in rates:
        raise block.mistake(f"prices audio input apart but not cached audio; add cached_audio, or '{_UNKNOWN}'")
    return rates


def _long(block: _Block, standard: _Rates) -> _Rates | None:
    """The rates above the threshold: all kinds of the block, so that no long call falls back to the lower price."""
    threshold, long = block.values.get("above_prompt_tokens"), block.values.get("long")
    if threshold is None and long is None:
        return None
    if threshold is None or long is None or set(long) != set(standard):
        needs = f"long prices {', '.join(standard)}"
        raise block.mistake(f"needs both or neither: above_prompt_tokens and long belong together; {needs}")
    rates = _values(long, _RATE_KINDS, (*block.path, "long"), "a price")
    return {key: rates[key] for key in standard}


def _changed(block: _Block, tier: str, standard: _Rates, changes: Mapping[str, str]) -> _Rates:
    """The rates of a tier: a multiple of the standard rate or a price of its own; what is not named is not known."""
    rates: _Rates = {}
    for key, pico in standard.items():
        written_as = key if key in changes else _STEMS.get(key, key)
        change = changes.get(written_as, _UNKNOWN)
        if change != _UNKNOWN and written_as != key and not change.startswith("x"):
            raise block.mistake(f"has a price of its own, so {key} needs one too", tier, written_as)
        rates[key] = None if pico is None else _changed_rate(block, (tier, written_as), pico, change)
    return rates


def _changed_rate(block: _Block, path: tuple[str, str], pico: int, change: str) -> int | None:
    if change.startswith("x"):
        return _multiple(block, path, pico, change)
    return _values({path[1]: change}, _RATE_KINDS, (*block.path, path[0]), "a price")[path[1]]  # type: ignore[no-any-return]


def _multiple(block: _Block, path: tuple[str, str], pico: int, change: str) -> int:
    try:
        product = pico * Decimal(change[1:])
    except InvalidOperation:
        raise block.mistake(f"is '{change}', which is not a multiple; write it like x0.5", *path) from None
    if not product.is_finite() or product < 0 or product != product.to_integral_value():
        times = f"{change} of {money.usd_per_million(pico)}"
        raise block.mistake(f"is not an exact price: {times}; write the price itself", *path)
    return int(product)


def _reject_own_prices(block: _Block, tier: str, changes: Mapping[str, str]) -> None:
    for key, change in changes.items():
        if change != _UNKNOWN and not change.startswith("x"):
            raise block.mistake(
                f"is '{change}', which cannot serve short and long prompts; write a multiple like x0.5", tier, key
            )


def _grounding(block: _Block) -> int | None:
    """Pico-dollars of one search or one grounded prompt; None where the block has no such price."""
    given = [key for key in _GROUNDING if key in block.values]
    if len(given) > 1:
        raise block.mistake(f"has {' and '.join(given)}; a model has one or the other")
    return block.values[given[0]] if given else None


def _aliases(model: str, body: Mapping[str, Any]) -> Iterator[Alias]:
    yield from (Alias(pattern=name, model=model) for name in body.get("aliases", ()))
    for name, first in body.get("alias_since", {}).items():
        yield Alias(pattern=name, model=model, effective_from_us=_begin_us(first))


def _reject_duplicate_aliases(aliases: Iterable[Alias], models: Mapping[str, Any]) -> None:
    seen: dict[tuple[str, int | None], str] = {}
    for alias in aliases:
        other = alias.pattern if alias.pattern in models else seen.get((alias.pattern, alias.effective_from_us))
        if other is not None:
            key = "aliases" if alias.effective_from_us is None else "alias_since"
            words = f"has the alias '{alias.pattern}', which names '{other}' as well; keep one"
            raise _Mistake(("models", alias.model, key), f"{written(('models', alias.model))} {words}")
        seen[alias.pattern, alias.effective_from_us] = alias.model


def _begin_us(day: date | None) -> int | None:
    """Midnight on the calendar of Google's bill, where prices change; None stays open."""
    return None if day is None else period.instant(day.isoformat(), period.zone())


def _rate(text: str) -> int | None:
    """Pico-dollars per token; ValueError where the text is not an exact price."""
    try:
        return None if text == _UNKNOWN else money.unit_price(text)
    except ConfigurationError:
        raise ValueError from None


def _fee(text: str) -> int:
    """Pico-dollars for one of a thousand; ValueError where that is not exact."""
    try:
        pico = money.parse_usd(text)
    except ConfigurationError:
        raise ValueError from None
    if pico < 0 or pico % 1000:
        raise ValueError
    return pico // 1000


_DAY = Kind(date, "a day such as 2026-12-01, without quotes")
_RATE = Kind(
    str,
    f"US dollars per million tokens in quotes, such as '0.30': not negative, in at most 6 decimals, or '{_UNKNOWN}'",
    _rate,
)
_RATE_KINDS = dict.fromkeys(RATES, _RATE)
_CHANGE = Kind(str, f"a multiple of the standard price such as 'x0.5', a price such as '0.30', or '{_UNKNOWN}'")
_TABLE = Kind(dict[str, Any], "a table")
_FEE = Kind(str, "US dollars for a thousand in quotes, such as '14': not negative, in at most 9 decimals", _fee)
_TABLES = Kind(list[dict[str, Any]], "a list of tables; begin each block of prices with [[models.NAME.prices]]")
_DOCUMENT = {
    "models": Kind(dict[str, dict[str, Any]], "tables, each of a model"),
    "sources": Kind(dict[str, str], "a table of name = source"),
}
_MODEL = {
    "prices": _TABLES,
    "aliases": Kind(tuple[_Name, ...], "a list of names"),
    "alias_since": Kind(dict[str, date], "a table of name = day, such as 2026-12-01 without quotes"),
}
_BLOCK = {
    "from": _DAY,
    "until": _DAY,
    "source": Kind(_Name, "a text that is not empty"),
    "checked_on": _DAY,
    "above_prompt_tokens": Kind(Annotated[int, Meta(gt=0)], "a whole number of tokens above 0"),
    "long": _TABLE,
    **_RATE_KINDS,
    **dict.fromkeys(_TIERS, _TABLE),
    **dict.fromkeys(_GROUNDING, _FEE),
}

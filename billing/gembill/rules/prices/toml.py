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
from gembill.errors import PriceError
from gembill.model import Meter, Modality, Price
from gembill.rules.prices.book import Alias, PriceBook, PriceKey, row_id
from gembill.rules.prices.figures import CHANGE, DAY, FEE, PIECE, RATE, STORAGE, TIMES, UNKNOWN
from gembill.rules.prices.regional import Uplift
from gembill.toml_values import Kind, Path, checked, line_of, written

_KINDS = (Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.DOCUMENT, Modality.AUDIO)
_OWN = (Modality.AUDIO, Modality.IMAGE, Modality.VIDEO)  # kinds of content that may have a figure of their own
RATES = {  # key of the file -> what it prices, by the million
    "input": (Meter.INPUT, _KINDS),
    **{f"input_{kind.value}": (Meter.INPUT, (kind,)) for kind in _OWN},
    "cached": (Meter.CACHED_INPUT, _KINDS),
    **{f"cached_{kind.value}": (Meter.CACHED_INPUT, (kind,)) for kind in _OWN},
    "output": (Meter.OUTPUT, (Modality.TEXT,)),
    **{f"output_{kind.value}": (Meter.OUTPUT, (kind,)) for kind in _OWN},
}
_STEMS = {f"{stem}_{kind.value}": stem for stem in ("input", "cached") for kind in _OWN}
_PIECES = {  # key of the file -> what it prices, by the piece and on the standard tier only
    "image": (Meter.IMAGES, Modality.IMAGE),
    "video_second": (Meter.VIDEO_SECONDS, Modality.VIDEO),
    "video_second_1080p": (Meter.VIDEO_SECONDS_1080P, Modality.VIDEO),
    "video_second_4k": (Meter.VIDEO_SECONDS_4K, Modality.VIDEO),
    "silent_video_second": (Meter.SILENT_VIDEO_SECONDS, Modality.VIDEO),
    "silent_video_second_1080p": (Meter.SILENT_VIDEO_SECONDS_1080P, Modality.VIDEO),
    "silent_video_second_4k": (Meter.SILENT_VIDEO_SECONDS_4K, Modality.VIDEO),
    "storage": (Meter.STORAGE, Modality.TEXT),
}
_TIERS = ("batch", "flex", "priority", "deferred")
_GROUNDING = ("grounding_per_1000_queries", "grounding_per_1000_prompts")
_MAPS = "maps_per_1000"
_REGIONAL = "regional"
_OTHER_SOURCES = "other_sources"

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
    others: Mapping[str, str]  # the sources of figures that have another one, by key (`flex.cached`, `regional`)
    checked_on: str
    values: Mapping[str, Any]

    def source_of(self, key: str, tier: str = "standard") -> str:
        """The source of the figure at a key of the block, or of one of its tiers."""
        inside = key if tier == "standard" else f"{tier}.{key}"
        return self.others.get(inside) or self.others.get(_stem(inside)) or self.source

    def mistake(self, words: str, *path: str) -> _Mistake:
        """A mistake in the block or at a key of it; the words go on after the path."""
        return _mistake((*self.path, *path), words)


def parse(text: str, *, prefix: str = "", over: PriceBook | None = None) -> PriceBook:
    """The book written in a TOML text; PriceError saying on which line and at which path what is wrong.

    `prefix` begins every row's id; `over` is the book whose prices count where this one says nothing.
    """
    try:
        rows, aliases, uplifts = _read(tomllib.loads(text), prefix)
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"the price list is not TOML: {error}") from error
    except _Mistake as mistake:
        raise PriceError(f"line {line_of(text, mistake.path)}: {mistake}") from None
    return PriceBook(rows, aliases, uplifts=uplifts, over=over)


def _read(document: Mapping[str, Any], prefix: str) -> tuple[list[Price], list[Alias], list[Uplift]]:
    lists = _values(document, _DOCUMENT, (), "a table of a price list")
    models = lists.get("models", {})
    rows: list[Price] = []
    aliases: list[Alias] = []
    uplifts: list[Uplift] = []
    for name, table in models.items():
        path = ("models", name)
        body = _values(table, _MODEL, path, "a key of a model")
        if not body:
            raise _mistake(path, "has no [[prices]] block and no alias; add one or remove the model")
        blocks = _blocks(name, body.get("prices", []), lists.get("sources", {}), prefix)
        rows += _rows(blocks)
        uplifts += _uplifts(blocks)
        aliases += _aliases(name, body)
    _reject_duplicate_aliases(aliases, models)
    return rows, aliases, uplifts


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
                others={
                    key: sources.get(name, name)
                    for name, keys in values.get(_OTHER_SOURCES, {}).items()
                    for key in keys
                },
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
        yield from _piece_rows(block)
        kinds = dict.fromkeys(standard, CHANGE)
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
                    source = block.source_of(key, tier)
                    yield _row(block, name, tier, (borrowing, kind, threshold), pico or 0, source)
    for meter, key in ((Meter.GROUNDING, _grounding(block)), (Meter.MAPS, _MAPS)):
        if key in block.values:
            yield _row(block, meter.value, tier, (meter, Modality.TEXT, 0), block.values[key], block.source_of(key))


def _piece_rows(block: _Block) -> Iterator[Price]:
    """What is priced by the piece, by the second and by the hour."""
    for key, (meter, kind) in _PIECES.items():
        if key in block.values:
            yield _row(block, meter.value, "standard", (meter, kind, 0), block.values[key], block.source_of(key))


def _stem(key: str) -> str:
    """The key that is written where a kind of content follows its meter: `flex.cached` for `flex.cached_audio`."""
    tier, dot, rate = key.rpartition(".")
    return f"{tier}{dot}{_STEMS.get(rate, rate)}"


def meters_of(meter: Meter, kind: Modality) -> Iterator[tuple[str, Meter]]:
    """The meters a rate prices: its own and the one that borrows it (wire.md 6.2), as written in ids."""
    yield meter.value, meter
    if meter is Meter.INPUT:
        yield "intermediate=input", Meter.INTERMEDIATE
    elif meter is Meter.OUTPUT and kind is Modality.TEXT:
        yield "thinking=output", Meter.THINKING


def _row(block: _Block, name: str, tier: str, key: PriceKey, pico: int, source: str) -> Price:
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
        source=source,
        checked_on=block.checked_on,
    )


def _standard(block: _Block) -> _Rates:
    rates = {key: block.values[key] for key in RATES if key in block.values}
    if "input" not in rates and (rates or not _PIECES.keys() & block.values.keys()):
        raise block.mistake(f"lacks input; write it, or '{UNKNOWN}', unless all it prices is pictures or seconds")
    if len(rates) > 1 and "output" not in rates and any(not key.startswith("input") for key in rates):
        raise block.mistake(f"lacks output; write it, or '{UNKNOWN}', unless the model has input only")
    for kind in _OWN:
        if f"input_{kind.value}" in rates and "cached" in rates and f"cached_{kind.value}" not in rates:
            needs = f"add cached_{kind.value}, or '{UNKNOWN}'"
            raise block.mistake(f"prices {kind.value} input apart but not cached {kind.value}; {needs}")
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
        change = changes.get(written_as, UNKNOWN)
        if change != UNKNOWN and written_as != key and not change.startswith("x"):
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
        if change != UNKNOWN and not change.startswith("x"):
            raise block.mistake(
                f"is '{change}', which cannot serve short and long prompts; write a multiple like x0.5", tier, key
            )


def _grounding(block: _Block) -> str:
    """The key of the fee for one search or one grounded prompt, whether it is there or not."""
    given = [key for key in _GROUNDING if key in block.values]
    if len(given) > 1:
        raise block.mistake(f"has {' and '.join(given)}; a model has one or the other")
    return given[0] if given else _GROUNDING[0]


def _uplifts(blocks: Iterable[_Block]) -> Iterator[Uplift]:
    for block in blocks:
        if _REGIONAL in block.values:
            yield Uplift(
                model=block.model,
                times=block.values[_REGIONAL],
                effective_from_us=_begin_us(block.first),
                effective_to_us=_begin_us(block.until),
                source=block.source_of(_REGIONAL),
                checked_on=block.checked_on,
            )


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


_RATE_KINDS = dict.fromkeys(RATES, RATE)
_TABLE = Kind(dict[str, Any], "a table")
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
    "from": DAY,
    "until": DAY,
    "source": Kind(_Name, "a text that is not empty"),
    "checked_on": DAY,
    "above_prompt_tokens": Kind(Annotated[int, Meta(gt=0)], "a whole number of tokens above 0"),
    "long": _TABLE,
    **_RATE_KINDS,
    **dict.fromkeys(_TIERS, _TABLE),
    **dict.fromkeys((*_GROUNDING, _MAPS), FEE),
    **dict.fromkeys(_PIECES, PIECE),
    "storage": STORAGE,
    _REGIONAL: TIMES,
    _OTHER_SOURCES: Kind(dict[str, tuple[_Name, ...]], "a table of source = list of keys, such as flex.cached"),
}

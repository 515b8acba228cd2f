"""The written form of a price list: `prices.toml` and lists of users in the same form.

Owns: the keys of the file, their checks, and the expansion of a model's blocks into price rows. Owns no lookup.
Invariant: every row is exact (an integer of pico-dollars per token), and its id depends on its own block only, so that
blocks appended later never rename a row.

The form is described at the head of `billing/gembill/prices.toml`. An id reads
`gemini-2.5-pro/input/text/batch/200000@2025-06-17`: model, meter, kind, tier, threshold, first day;
`intermediate=input` and `thinking=output` say which price a meter borrows, `@launch` that a row holds since the model
was first served.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from gembill import money, period
from gembill.errors import ConfigurationError, PriceError
from gembill.model import Meter, Modality, Price
from gembill.rules.prices.book import Alias, PriceBook, row_id

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
_FRAME = ("from", "until", "source", "checked_on", "above_prompt_tokens", "long")
_UNKNOWN = "unknown"

_Rates = dict[str, int | None]  # pico-dollars per token by key of the file; None is "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """The whole price list of a model from a day on; `table` is the rest of the file's table."""

    model: str
    prefix: str
    first: date | None
    until: date | None
    source: str
    checked_on: str
    table: Mapping[str, Any]

    @property
    def where(self) -> str:
        return f"the prices of '{self.model}' from {self.first or 'its launch'}"


def parse(text: str, *, prefix: str = "", over: PriceBook | None = None) -> PriceBook:
    """The book written in a TOML text; PriceError naming what and where.

    `prefix` begins every row's id; `over` is the book whose prices count where this one says nothing.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"the price list is no TOML: {error}") from error
    _known_keys(document, ("models", "sources"), "the price list")
    sources = _table(document.get("sources", {}), "[sources]")
    models = _table(document.get("models", {}), "[models]")
    rows: list[Price] = []
    aliases: list[Alias] = []
    for name, body in models.items():
        where = f"the model '{name}'"
        _known_keys(_table(body, where), ("prices", "aliases", "alias_since"), where)
        rows += _rows(_blocks(name, body, sources, prefix))
        aliases += _aliases(name, body)
    _check_aliases(aliases, models)
    return PriceBook(rows, aliases, over=over)


def _blocks(model: str, body: Mapping[str, Any], sources: Mapping[str, Any], prefix: str) -> list[_Block]:
    tables = body.get("prices", [])
    if not isinstance(tables, list) or not body:
        raise PriceError(f"the model '{model}' has no [[prices]] block and no alias; add one or remove the model")
    where = f"a block of '{model}'"
    firsts = [_day(_table(table, where), "from", where) for table in tables]
    blocks = []
    for place, (table, first) in enumerate(zip(tables, firsts, strict=True)):
        following = firsts[place + 1] if place + 1 < len(firsts) else None
        until = _day(table, "until", f"the block of '{model}' from {first}")
        if place + 1 < len(firsts):
            until = _end(model, (first, until), following)
        blocks.append(_block(model, prefix, table, sources, (first, until)))
    return blocks


def _end(model: str, days: tuple[date | None, date | None], following: date | None) -> date:
    """The day a block with a successor ends, exclusive: its own `until`, else the next block's `from`."""
    first, until = days
    if following is None or (first is not None and following <= first):
        raise PriceError(f"after the block of '{model}' from {first} stands one from {following}; put the older first")
    if until is not None and until > following:
        raise PriceError(f"the block of '{model}' from {first} lasts until {until}, past the next one from {following}")
    return until or following


def _block(
    model: str, prefix: str, table: Mapping[str, Any], sources: Mapping[str, Any], days: tuple[date | None, date | None]
) -> _Block:
    first, until = days
    where = f"the prices of '{model}' from {first or 'its launch'}"
    _known_keys(table, (*_FRAME, *RATES, *_TIERS, *_GROUNDING), where)
    checked = _day(table, "checked_on", where)
    name = table.get("source")
    if checked is None or not isinstance(name, str) or not name:
        raise PriceError(f"{where} lack their source or the day they were checked (checked_on); add both")
    source = str(sources.get(name, name))
    return _Block(
        model=model, prefix=prefix, first=first, until=until, source=source, checked_on=str(checked), table=table
    )


def _rows(blocks: Iterable[_Block]) -> Iterator[Price]:
    for block in blocks:
        table, where = block.table, block.where
        standard = _standard(table, where)
        long = _long(table, standard, where)
        threshold = table.get("above_prompt_tokens", 0)
        yield from _tier_rows(block, "standard", {0: standard, threshold: long} if long else {0: standard})
        for tier in (tier for tier in _TIERS if tier in table):
            changes = _table(table[tier], f"{where}, {tier}")
            _known_keys(changes, tuple(standard), f"{where}, {tier}")
            rates = {0: _changed(standard, changes, f"{where}, {tier}")}
            if long:
                _refuse_own_prices(changes, f"{where}, {tier}")
                rates[threshold] = _changed(long, changes, f"{where}, {tier}, long")
            yield from _tier_rows(block, tier, rates)


def _tier_rows(block: _Block, tier: str, by_threshold: Mapping[int, _Rates]) -> Iterator[Price]:
    for threshold, rates in by_threshold.items():
        for key, pico in rates.items():
            meter, kinds = RATES[key]
            for kind in kinds if pico is not None else ():
                if f"{key}_{kind.value}" in rates:
                    continue  # this kind has a figure, or an "unknown", of its own
                for name, borrowing in meters_of(meter, kind):
                    yield _row(block, (name, borrowing, kind, tier, threshold), pico or 0)
    fee = _grounding(block)
    if fee is not None:
        yield _row(block, ("grounding", Meter.GROUNDING, Modality.TEXT, tier, 0), fee)


def meters_of(meter: Meter, kind: Modality) -> Iterator[tuple[str, Meter]]:
    """The meters a rate prices: its own and the one that borrows it (wire.md 6.2), as written in ids."""
    yield meter.value, meter
    if meter is Meter.INPUT:
        yield "intermediate=input", Meter.INTERMEDIATE
    elif meter is Meter.OUTPUT and kind is Modality.TEXT:
        yield "thinking=output", Meter.THINKING


def _row(block: _Block, thing: tuple[str, Meter, Modality, str, int], pico: int) -> Price:
    name, meter, kind, tier, threshold = thing
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


def _standard(table: Mapping[str, Any], where: str) -> _Rates:
    rates = {key: _rate(table[key], f"{where}, {key}") for key in RATES if key in table}
    if "input" not in rates or "output" not in rates:
        raise PriceError(f"{where} lack input or output; write both, or '{_UNKNOWN}'")
    if "input_audio" in rates and "cached" in rates and "cached_audio" not in rates:
        raise PriceError(f"{where} price audio input apart but not cached audio; add cached_audio, or '{_UNKNOWN}'")
    return rates


def _long(table: Mapping[str, Any], standard: _Rates, where: str) -> _Rates | None:
    """The rates above the threshold: all kinds of the block, so that no long call falls back to the lower price."""
    threshold, long = table.get("above_prompt_tokens"), table.get("long")
    if threshold is None and long is None:
        return None
    if type(threshold) is not int or threshold <= 0 or not isinstance(long, Mapping) or set(long) != set(standard):
        raise PriceError(f"{where}: above_prompt_tokens and long belong together; long prices {', '.join(standard)}")
    return {key: _rate(long[key], f"{where}, long, {key}") for key in standard}


def _changed(standard: _Rates, changes: Mapping[str, Any], where: str) -> _Rates:
    """The rates of a tier: a multiple of the standard rate or a price of its own; what is not named is not known."""
    rates: _Rates = {}
    for key, pico in standard.items():
        change = changes.get(key)
        if change is None and key in _STEMS:
            change = changes.get(_STEMS[key])
            if isinstance(change, str) and not change.startswith("x") and change != _UNKNOWN:
                raise PriceError(f"{where}: {_STEMS[key]} has a price of its own there, so {key} needs one too")
        rates[key] = None if change is None or pico is None else _changed_rate(pico, change, f"{where}, {key}")
    return rates


def _changed_rate(pico: int, change: object, where: str) -> int | None:
    if not isinstance(change, str) or not change.startswith("x"):
        return _rate(change, where)
    try:
        product = pico * Decimal(change[1:])
    except InvalidOperation:
        raise PriceError(f"{where}: '{change}' is no multiple; write it like x0.5") from None
    if not product.is_finite() or product < 0 or product != product.to_integral_value():
        raise PriceError(
            f"{where}: {change} of {money.usd_per_million(pico)} is no exact price; write the price itself"
        )
    return int(product)


def _refuse_own_prices(changes: Mapping[str, Any], where: str) -> None:
    for key, change in changes.items():
        if change != _UNKNOWN and not str(change).startswith("x"):
            raise PriceError(
                f"{where}, {key}: '{change}' cannot serve short and long prompts; write a multiple like x0.5"
            )


def _rate(value: object, where: str) -> int | None:
    if value == _UNKNOWN:
        return None
    if not isinstance(value, str):
        raise PriceError(f"{where} is {value!r}; write dollars per million tokens as a string, such as '0.30'")
    try:
        return money.unit_price(value)
    except ConfigurationError as error:
        raise PriceError(f"{where}: {error}") from None


def _grounding(block: _Block) -> int | None:
    """Pico-dollars of one search or one grounded prompt; None where the block has no such price."""
    given = [key for key in _GROUNDING if key in block.table]
    if not given:
        return None
    if len(given) > 1:
        raise PriceError(f"{block.where} have {' and '.join(given)}; a model has one or the other")
    value = block.table[given[0]]
    try:
        pico = money.parse_usd(value if isinstance(value, str) else "")
    except ConfigurationError as error:
        raise PriceError(f"{block.where}, {given[0]}: {error}") from None
    if pico < 0 or pico % 1000:
        raise PriceError(f"{block.where}, {given[0]}: '{value}' is negative or no exact price for one")
    return pico // 1000


def _aliases(model: str, body: Mapping[str, Any]) -> Iterator[Alias]:
    names = body.get("aliases", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise PriceError(f"the aliases of '{model}' are {names!r}; write a list of names")
    yield from (Alias(pattern=name, model=model) for name in names)
    since = _table(body.get("alias_since", {}), f"alias_since of '{model}'")
    for name in since:
        first = _day(since, name, f"alias_since of '{model}'")
        yield Alias(pattern=name, model=model, effective_from_us=_begin_us(first))


def _check_aliases(aliases: Iterable[Alias], models: Mapping[str, Any]) -> None:
    seen: dict[tuple[str, int | None], str] = {}
    for alias in aliases:
        other = alias.pattern if alias.pattern in models else seen.get((alias.pattern, alias.effective_from_us))
        if other is not None:
            raise PriceError(f"'{alias.pattern}' is an alias of '{alias.model}' and names '{other}' as well; keep one")
        seen[alias.pattern, alias.effective_from_us] = alias.model


def _begin_us(day: date | None) -> int | None:
    """Midnight on the calendar of Google's bill, where prices change; None stays open."""
    return None if day is None else period.instant(day.isoformat(), period.zone())


def _day(table: Mapping[str, Any], key: str, where: str) -> date | None:
    value = table.get(key)
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise PriceError(f"{where}: {key} is {value!r}; write a day such as 2026-12-01, without quotes")


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PriceError(f"{where} is {value!r}; write a table")
    return value


def _known_keys(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise PriceError(f"{where} has the unknown key '{unknown[0]}'; it can be {', '.join(known)}")

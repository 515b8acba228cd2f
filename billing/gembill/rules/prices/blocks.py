"""The blocks of a price list: its keys, and what each may say.

Owns: the keys of the file and their checks, block by block. Not here: the price rows they become (`toml`) and what is
said besides prices (`remarks`). Invariant: a value of a block has been checked, and a mistake names its path.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Annotated, Any

from msgspec import Meta

from gembill import period
from gembill.model import Meter, Modality
from gembill.rules.prices.figures import DAY, FEE, NAME, PIECE, RATE, STORAGE, TIMES
from gembill.toml_values import Kind, Path, checked, written

_ALL_KINDS = (Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.DOCUMENT, Modality.AUDIO)
OWN_KINDS = (Modality.AUDIO, Modality.IMAGE, Modality.VIDEO)  # kinds of content that may have a figure of their own
RATES = {  # key of the file -> what it prices, by the million
    "input": (Meter.INPUT, _ALL_KINDS),
    **{f"input_{kind.value}": (Meter.INPUT, (kind,)) for kind in OWN_KINDS},
    "cached": (Meter.CACHED_INPUT, _ALL_KINDS),
    **{f"cached_{kind.value}": (Meter.CACHED_INPUT, (kind,)) for kind in OWN_KINDS},
    "output": (Meter.OUTPUT, (Modality.TEXT,)),
    **{f"output_{kind.value}": (Meter.OUTPUT, (kind,)) for kind in OWN_KINDS},
}
STEMS = {f"{stem}_{kind.value}": stem for stem in ("input", "cached") for kind in OWN_KINDS}
PIECES = {  # key of the file -> what it prices, by the piece and on the standard tier only
    "image": (Meter.IMAGES, Modality.IMAGE),
    "video_second": (Meter.VIDEO_SECONDS, Modality.VIDEO),
    "video_second_1080p": (Meter.VIDEO_SECONDS_1080P, Modality.VIDEO),
    "video_second_4k": (Meter.VIDEO_SECONDS_4K, Modality.VIDEO),
    "silent_video_second": (Meter.SILENT_VIDEO_SECONDS, Modality.VIDEO),
    "silent_video_second_1080p": (Meter.SILENT_VIDEO_SECONDS_1080P, Modality.VIDEO),
    "silent_video_second_4k": (Meter.SILENT_VIDEO_SECONDS_4K, Modality.VIDEO),
    "storage": (Meter.STORAGE, Modality.TEXT),
}
TIERS = ("batch", "flex", "priority", "deferred")
GROUNDING_KEYS = ("grounding_per_1000_queries", "grounding_per_1000_prompts")
MAPS_KEY = "maps_per_1000"
REGIONAL = "regional"
DISPUTED = "disputed"
SHUT_DOWN = "shut_down"
_OTHER_SOURCES = "other_sources"

_Name = Annotated[str, Meta(min_length=1)]


class Mistake(Exception):
    """What is wrong with the value at a path, in a sentence that names it."""

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__(sentence)
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
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

    def mistake(self, words: str, *path: str) -> Mistake:
        """A mistake in the block or at a key of it; the words go on after the path."""
        return mistake_at((*self.path, *path), words)


def values_of(table: Mapping[str, Any], kinds: Mapping[str, Kind], path: Path, among: str) -> dict[str, Any]:
    """The values of a table, each checked."""
    values = {}
    for key, value in table.items():
        place = (*path, key)
        try:
            values[key] = checked(kinds, key, value, called=written(place), among=among)
        except ValueError as error:
            raise Mistake(place, str(error)) from None
    return values


def mistake_at(path: Path, words: str) -> Mistake:
    """A mistake at a path; the words go on after it."""
    return Mistake(path, f"{written(path)} {words}")


def blocks_of(model: str, tables: list[dict[str, Any]], sources: Mapping[str, str], prefix: str) -> list[Block]:
    """The blocks of a model in time, each until the next one; Mistake where they cannot be meant."""
    blocks = []
    for number, table in enumerate(tables):
        path = ("models", model, "prices", number)
        values = values_of(table, BLOCK, path, "a key of a block of prices")
        if "checked_on" not in values or "source" not in values:
            raise mistake_at(path, "lacks its source or the day it was checked (checked_on); add both")
        _check_sources(path, values)
        blocks.append(
            Block(
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


def _check_sources(path: Path, values: Mapping[str, Any]) -> None:
    for key in (key for keys in values.get(_OTHER_SOURCES, {}).values() for key in keys):
        tier, _, rate = key.rpartition(".")
        if rate not in (values.get(tier, {}) if tier else values):
            raise mistake_at((*path, _OTHER_SOURCES), f"names '{key}', a figure that the block does not have")


def _end(block: Block, following: Block) -> date:
    """The day a block with a successor ends, exclusive: its own `until`, else the next block's `from`."""
    if following.first is None or (block.first is not None and following.first <= block.first):
        since = f"from {block.first or 'its launch'}"
        raise following.mistake(f"begins on {following.first} but is after the block {since}; put the older first")
    if block.until is not None and block.until > following.first:
        raise block.mistake(f"lasts until {block.until}, past the next block, from {following.first}; end it there")
    return block.until or following.first


def _stem(key: str) -> str:
    """The key that is written where a kind of content follows its meter: `flex.cached` for `flex.cached_audio`."""
    tier, dot, rate = key.rpartition(".")
    return f"{tier}{dot}{STEMS.get(rate, rate)}"


def begin_us(day: date | None) -> int | None:
    """Midnight on the calendar of Google's bill, where prices change; None stays open."""
    return None if day is None else period.instant(day.isoformat(), period.zone())


RATE_KINDS = dict.fromkeys(RATES, RATE)
_TABLE = Kind(dict[str, Any], "a table")
_TABLES = Kind(list[dict[str, Any]], "a list of tables; begin each block of prices with [[models.NAME.prices]]")
DOCUMENT = {
    "models": Kind(dict[str, dict[str, Any]], "tables, each of a model"),
    "sources": Kind(dict[str, str], "a table of name = source"),
}
MODEL = {
    "prices": _TABLES,
    "aliases": Kind(tuple[_Name, ...], "a list of names"),
    SHUT_DOWN: _TABLE,
    "alias_since": Kind(dict[str, date], "a table of name = day, such as 2026-12-01 without quotes"),
}
BLOCK = {
    "from": DAY,
    "until": DAY,
    "source": NAME,
    "checked_on": DAY,
    "above_prompt_tokens": Kind(Annotated[int, Meta(gt=0)], "a whole number of tokens above 0"),
    "long": _TABLE,
    **RATE_KINDS,
    **dict.fromkeys(TIERS, _TABLE),
    **dict.fromkeys((*GROUNDING_KEYS, MAPS_KEY), FEE),
    **dict.fromkeys(PIECES, PIECE),
    "storage": STORAGE,
    REGIONAL: TIMES,
    DISPUTED: Kind(dict[str, dict[str, Any]], "a table of source = { key = price }, of what it says instead"),
    _OTHER_SOURCES: Kind(dict[str, tuple[_Name, ...]], "a table of source = list of keys, such as flex.cached"),
}

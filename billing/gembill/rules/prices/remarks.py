"""What a price list says besides prices: regional uplifts, sources that disagree, and models that will be shut down.

Owns: these three and how they are read from the blocks of a list. Not here: prices. Invariant: every remark names its
source; a dispute never decides a price, it says which figure another source has.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from gembill.model import Meter, Modality
from gembill.rules.prices.blocks import (
    DISPUTED,
    RATE_KINDS,
    RATES,
    REGIONAL,
    SHUT_DOWN,
    Block,
    begin_us,
    mistake_at,
    values_of,
)
from gembill.rules.prices.figures import DAY, NAME
from gembill.rules.prices.regional import Uplift


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """Another source's figure for one price, in pico-dollars, while ours is in force; text stands for its meter."""

    model: str
    service_tier: str
    meter: Meter
    modality: Modality
    unit_pico: int
    source: str
    effective_from_us: int | None
    effective_to_us: int | None

    def holds(self, at_us: int) -> bool:
        """Whether the price it is about is in force at an instant."""
        begun = self.effective_from_us is None or self.effective_from_us <= at_us
        return begun and (self.effective_to_us is None or at_us < self.effective_to_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutDown:
    """The day (US Pacific) from which a model is no longer served, and who says so."""

    model: str
    day: date
    source: str


class Remarks(NamedTuple):
    """All that a list says besides prices."""

    uplifts: tuple[Uplift, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    shut_downs: tuple[ShutDown, ...] = ()

    def joined(self, other: "Remarks") -> "Remarks":
        """These, then those of another list."""
        return Remarks(self.uplifts + other.uplifts, self.disputes + other.disputes, self.shut_downs + other.shut_downs)


NOTHING = Remarks()


def remarks_of(model: str, body: Mapping[str, Any], blocks: Iterable[Block], sources: Mapping[str, str]) -> Remarks:
    """The remarks of one model; `body` is its table, checked."""
    all_blocks = list(blocks)
    return Remarks(
        tuple(_uplifts(all_blocks)),
        tuple(dispute for block in all_blocks for dispute in _disputes(block, sources)),
        tuple(_shut_down(model, body, sources)),
    )


def _uplifts(blocks: Iterable[Block]) -> Iterator[Uplift]:
    for block in blocks:
        if REGIONAL in block.values:
            yield Uplift(
                model=block.model,
                times=block.values[REGIONAL],
                effective_from_us=begin_us(block.first),
                effective_to_us=begin_us(block.until),
                source=block.source_of(REGIONAL),
                checked_on=block.checked_on,
            )


def _disputes(block: Block, sources: Mapping[str, str]) -> Iterator[Dispute]:
    for name, figures in block.values.get(DISPUTED, {}).items():
        path = (*block.path, DISPUTED, name)
        kinds = {key: RATE_KINDS[key.rpartition(".")[2]] for key in figures if key.rpartition(".")[2] in RATE_KINDS}
        for key, pico in values_of(figures, kinds, path, "a price of the block").items():
            tier, _, rate = key.rpartition(".")
            meter, modalities = RATES[rate]
            yield Dispute(
                model=block.model,
                service_tier=tier or "standard",
                meter=meter,
                modality=modalities[0],
                unit_pico=pico or 0,
                source=sources.get(name, name),
                effective_from_us=begin_us(block.first),
                effective_to_us=begin_us(block.until),
            )


def _shut_down(model: str, body: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[ShutDown]:
    if SHUT_DOWN in body:
        kinds = {"on": DAY, "source": NAME}
        path = ("models", model, SHUT_DOWN)
        stated = values_of(body[SHUT_DOWN], kinds, path, "a key of a shut-down")
        if len(stated) < len(kinds):
            raise mistake_at(path, "lacks its day (on) or its source; add both")
        yield ShutDown(model=model, day=stated["on"], source=sources.get(stated["source"], stated["source"]))

"""The cells in which Google's bill and the ledger are held against each other.

Owns: the cell of an SKU and of a charge, and what one of a cell costs at list price. Not here: the comparison.
Invariant: both sides arrive at the same cell for the same tokens: thinking is output, intermediate tokens are input,
fees go by generation, and a model has the name it has in the price list.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from gembill.model import Meter, Modality
from gembill.period import DEFAULT_ZONE, midnight, zone
from gembill.reconcile.numerals import date_of
from gembill.reconcile.places import Place, Places
from gembill.reconcile.sku import Band, Product, Sku
from gembill.reconcile.sku_price import LONG_PROMPT, generation_model
from gembill.reconcile.sums import BillTotal, Usage
from gembill.rules.prices import NoPrice, PriceBook

_PACIFIC = zone(DEFAULT_ZONE)


class BillMeter(StrEnum):
    """What Google's bill counts."""

    INPUT = "input"
    CACHED = "cached_input"
    OUTPUT = "output"
    SEARCH = "search"
    MAPS = "maps"
    STORAGE = "storage"
    OTHER = "other"  # film, pictures by the piece: no SKU of tokens


class Cell(NamedTuple):
    """What is compared: `span` is the first day of the days compared together, `long` the band above 200,000 tokens.

    `project` and `location` are empty where the comparison does not tell the model apart by them (`places`).
    """

    span: int
    model: str
    tier: str
    meter: BillMeter
    kind: Modality
    long: bool
    project: str = ""
    location: str = ""

    @property
    def is_tokens(self) -> bool:
        """Whether it counts tokens of calls."""
        return self.meter in (BillMeter.INPUT, BillMeter.CACHED, BillMeter.OUTPUT)


_METERS = {
    Meter.INPUT: BillMeter.INPUT,
    Meter.INTERMEDIATE: BillMeter.INPUT,
    Meter.CACHED_INPUT: BillMeter.CACHED,
    Meter.OUTPUT: BillMeter.OUTPUT,
    Meter.THINKING: BillMeter.OUTPUT,
    Meter.GROUNDING: BillMeter.SEARCH,
    Meter.MAPS: BillMeter.MAPS,
    Meter.STORAGE: BillMeter.STORAGE,
}
_PRICED = {
    BillMeter.INPUT: Meter.INPUT,
    BillMeter.CACHED: Meter.CACHED_INPUT,
    BillMeter.OUTPUT: Meter.OUTPUT,
    BillMeter.SEARCH: Meter.GROUNDING,
    BillMeter.MAPS: Meter.MAPS,
    BillMeter.STORAGE: Meter.STORAGE,
}
_FLAT = (BillMeter.SEARCH, BillMeter.MAPS, BillMeter.STORAGE, BillMeter.OTHER)
_UNKNOWN_KINDS = (Modality.DOCUMENT, Modality.OTHER)  # no SKU has them; tokens of text are what is left


@dataclass(frozen=True, slots=True)
class Naming:
    """How SKUs and charges get their cells in one comparison.

    `banded` and `flat` are the (model, meter, kind) whose SKUs on this bill name a band, or do not; `places` are the
    models whose cells have a project or location, None where none has.
    """

    book: PriceBook
    banded: frozenset[tuple[str, BillMeter, Modality]] = frozenset()
    flat: frozenset[tuple[str, BillMeter, Modality]] = frozenset()
    places: Places | None = None
    _names: dict[tuple[str, int], str] = field(default_factory=dict)
    _prices: dict[Cell, Fraction | None] = field(default_factory=dict)

    @classmethod
    def of(cls, book: PriceBook, skus: Iterable[tuple[Sku, int]]) -> "Naming":
        """The naming for a bill that has these SKUs, each with a day."""
        plain = cls(book)
        seen: dict[bool, set[tuple[str, BillMeter, Modality]]] = {True: set(), False: set()}
        for sku, day in skus:
            cell = plain.of_sku(sku, day)
            if cell is not None and cell.is_tokens:
                seen[sku.band is not None].add((cell.model, cell.meter, cell.kind))
        return cls(book, frozenset(seen[True]), frozenset(seen[False]))

    def told_apart(self, bill: Iterable[tuple[int, Sku, BillTotal]], usages: Iterable[tuple[int, Usage]]) -> "Naming":
        """This naming with the projects and locations that the lines and the charges, each with its span, both name."""
        ours = [Place(self.of_usage(usage, span).model, usage.project, usage.location) for span, usage in usages]
        if not any(place.project or place.location for place in ours):
            return self
        lines = {(span, sku, total.project, total.location) for span, sku, total in bill}
        cells = ((self.of_sku(sku, span), project, location) for span, sku, project, location in lines)
        theirs = (Place(cell.model, project, location) for cell, project, location in cells if cell is not None)
        return replace(self, places=Places.of(theirs, ours) or None)

    def of_line(self, sku: Sku, total: BillTotal, span: int) -> Cell | None:
        """The cell of lines of a bill; None where no meter of ours counts them."""
        cell = self.of_sku(sku, span)
        return None if cell is None else self._placed(cell, total.project, total.location)

    def _placed(self, cell: Cell, project: str | None, location: str | None) -> Cell:
        if self.places is None:
            return cell
        project, location = self.places.named(Place(cell.model, project, location))
        return cell._replace(project=project, location=location) if project or location else cell

    def of_sku(self, sku: Sku, span: int) -> Cell | None:
        """The cell of an SKU wherever it was used; None where no meter of ours counts it."""
        if sku.meter is None or (sku.model is None and sku.product is not Product.STORAGE):
            return None
        meter = _METERS.get(sku.meter, BillMeter.OTHER)
        model = self.model(sku.model or "", span)
        if meter in (BillMeter.SEARCH, BillMeter.MAPS):
            model = generation(model)  # some SKUs name a model of it
        if meter in _FLAT:
            return Cell(span, model, "standard", meter, Modality.TEXT, long=False)
        return Cell(span, model, sku.tier, meter, sku.kind, long=sku.band is Band.LONG)

    def of_usage(self, usage: Usage, span: int) -> Cell:
        """The cell of charges."""
        cell = self._of_usage(usage, span)
        return cell if self.places is None else self._placed(cell, usage.project, usage.location)

    def _of_usage(self, usage: Usage, span: int) -> Cell:
        meter = _METERS.get(usage.meter, BillMeter.OTHER)
        if meter in (BillMeter.SEARCH, BillMeter.MAPS):
            return Cell(span, generation(usage.model), "standard", meter, Modality.TEXT, long=False)
        model = self.model(usage.model, span)
        if meter in _FLAT:
            return Cell(span, model, "standard", meter, Modality.TEXT, long=False)
        kind = Modality.TEXT if usage.modality in _UNKNOWN_KINDS else usage.modality
        return Cell(
            span, model, usage.service_tier, meter, kind, long=usage.long and self.is_banded(model, meter, kind)
        )

    def is_banded(self, model: str, meter: BillMeter, kind: Modality) -> bool:
        """Whether the bill tells long prompts from short ones here."""
        key = (model, meter, kind)
        if key in self.banded or key in self.flat:
            return key in self.banded
        tariff = self.book.tariff(model, "standard", _LATEST)
        return not isinstance(tariff, NoPrice) and bool(tariff.thresholds)

    def price(self, cell: Cell) -> Fraction | None:
        """List price of one in pico-dollars on the first day of the span; None if no row has it."""
        cell = cell._replace(project="", location="") if cell.project or cell.location else cell
        if cell not in self._prices:
            self._prices[cell] = self._price(cell)
        return self._prices[cell]

    def _price(self, cell: Cell) -> Fraction | None:
        meter = _PRICED.get(cell.meter)
        if meter is None:
            return None
        at_us = midnight(date_of(cell.span), _PACIFIC)
        prompt = LONG_PROMPT if cell.long else 0
        model = generation_model(cell.model)
        price = self.book.price(model, meter, cell.kind, service_tier=cell.tier, prompt_tokens=prompt, at_us=at_us)
        return None if isinstance(price, NoPrice) else Fraction(price.unit_pico)

    def model(self, name: str, day: int) -> str:
        """The name in the price list of a model called so on a day, or the name itself."""
        if (name, day) not in self._names:
            at_us = midnight(date_of(day), _PACIFIC)
            self._names[name, day] = self.book.stands_for(name, at_us) or self.book.stands_for(name, _LATEST) or name
        return self._names[name, day]


_LATEST = midnight(date_of(60_000), _PACIFIC)


def generation(model: str) -> str:
    """The generation by which Google charges fees: `gemini-3` for all 3.x models."""
    for name in ("gemini-4", "gemini-3", "gemini-2"):
        if model.startswith((f"{name}.", f"{name}-")):
            return "gemini-2.5" if name == "gemini-2" else name
    return model

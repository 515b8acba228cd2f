"""Price rows, and which of them was in force.

Owns: the price book, its validation, its aliases and its lookups. Not here: the file format and policies.
Invariant: for a model, meter, kind of content, tier, threshold and instant there is one price row at most, and a lookup
answers with it or with a `NoPrice` that says why there is none.

Asking is quick because a book is compiled once: for each model and tier a line of instants at which anything changes,
and between two of them a `Tariff`, which is one dictionary.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from gembill import period
from gembill.errors import PriceError
from gembill.model import Meter, Modality, Price
from gembill.rules.prices.regional import Uplift, regional_row
from gembill.rules.prices.remarks import NOTHING, Remarks

_EVER = -(1 << 63)  # "since ever" where instants are compared

_Rows = tuple[Price, ...]
_Prices = dict[tuple[Meter, Modality], _Rows]

PriceKey = tuple[Meter, Modality, int]
"""What a price is for: meter, kind of content, and prompt size (tokens) above which it holds."""


class PriceCell(NamedTuple):
    """A price and where it is from: pico-dollars for one, the source, and the day on which it was checked."""

    unit_pico: int
    source: str
    checked_on: str


def row_id(model: str, name: str, modality: Modality, service_tier: str, *, above: int, start: str) -> str:
    """The id of a price row: what it prices (`name` is a meter, or `thinking=output` where one borrows) and from when.

    It never changes when later rows are added. `start` is a day in US Pacific, or `launch`.
    """
    return f"{model}/{name}/{modality.value}/{service_tier}/{above}@{start}"


def dated_row(
    model: str, service_tier: str, key: PriceKey, cell: PriceCell, times: tuple[int | None, int | None]
) -> Price:
    """A row with a price that is in force from an instant (None: ever since) to another (None: open)."""
    meter, modality, above = key
    start = "launch" if times[0] is None else period.name(period.Unit.DAY, times[0], period.zone())
    return Price(
        id=row_id(model, meter.value, modality, service_tier, above=above, start=start),
        model=model,
        meter=meter,
        modality=modality,
        service_tier=service_tier,
        above_prompt_tokens=above,
        unit_pico=cell.unit_pico,
        effective_from_us=times[0],
        effective_to_us=times[1],
        source=cell.source,
        checked_on=cell.checked_on,
    )


@dataclass(frozen=True, slots=True)
class NoPrice:
    """Why there is no price, in a sentence without a full stop."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another name of a model since an instant (None: always). `#` in the pattern matches one digit."""

    pattern: str
    model: str
    effective_from_us: int | None = None

    @property
    def start_us(self) -> int:
        """The first instant as a number, for comparing."""
        return _EVER if self.effective_from_us is None else self.effective_from_us

    def covers(self, name: str) -> bool:
        """Whether the pattern fits the whole name."""
        return re.fullmatch(re.escape(self.pattern).replace(r"\#", "[0-9]"), name) is not None


class Tariff:
    """What one model costs on one tier between two changes of price.

    `thresholds` are the prompt sizes (tokens) above which another price applies; empty for models with flat prices.
    """

    __slots__ = ("_model", "_prices", "_regional", "_subject", "_tier", "thresholds")

    def __init__(self, model: str, service_tier: str, prices: _Prices) -> None:
        self._model, self._tier = model, service_tier
        self._prices = prices
        self._regional: dict[Decimal, Tariff] = {}
        self._subject = f"'{model}' on the {service_tier} tier"
        self.thresholds = tuple(sorted({p.above_prompt_tokens for rows in prices.values() for p in rows} - {0}))

    @property
    def rows(self) -> _Rows:
        """All its price rows, by meter and kind of content."""
        return tuple(row for key in sorted(self._prices) for row in self._prices[key])

    def price(self, meter: Meter, modality: Modality, prompt_tokens: int) -> Price | NoPrice:
        """The price of one of what the meter counts, in a call with a prompt of that size.

        The whole call is priced by its prompt: above a threshold every token has the higher price (wire.md 6.3).
        """
        for price in self._prices.get((meter, modality), ()):  # the highest threshold first
            if prompt_tokens > price.above_prompt_tokens or not price.above_prompt_tokens:
                return price
        what = f"{modality.value} tokens ({meter.value})" if meter.unit == "tokens" else meter.value.replace("_", " ")
        return NoPrice(f"no price is known for {what} of {self._subject}")

    def regional(self, times: Decimal) -> "Tariff":
        """The same for calls in a region, where tokens cost this multiple."""
        tariff = self._regional.get(times)
        if tariff is None:
            prices = {key: tuple(regional_row(row, times) for row in rows) for key, rows in self._prices.items()}
            tariff = self._regional[times] = Tariff(self._model, self._tier, prices)
        return tariff


class PriceBook:
    """Dated price rows. `rows` are all there are, `layers` the rows by book; `digest` names the content."""

    def __init__(
        self,
        rows: Iterable[Price],
        aliases: Iterable[Alias] = (),
        *,
        remarks: Remarks = NOTHING,
        over: "PriceBook | None" = None,
    ) -> None:
        """Check the rows; PriceError where they contradict each other.

        A row without an end is in force until the next row for the same key begins, so that appending is enough.
        `over` is a book whose rows count where these say nothing: for a user's own prices over the bundled ones.
        """
        own = _ended(tuple(rows))
        self.layers: tuple[_Rows, ...] = (*(over.layers if over else ()), own)
        self.rows: _Rows = (*(over.rows if over else ()), *own)
        self.aliases: tuple[Alias, ...] = (*(over.aliases if over else ()), *aliases)
        self.remarks: Remarks = over.remarks.joined(remarks) if over else remarks
        _reject_duplicates(self.rows)

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex over ids, figures, times and names."""
        return _digest(self.layers, self.aliases, self.remarks.uplifts)

    @cached_property
    def _timelines(self) -> "dict[tuple[str, str], _Timeline]":
        return _timelines(self.layers)

    @cached_property
    def _tiers(self) -> dict[str, list[str]]:
        tiers: dict[str, list[str]] = {}
        for model, tier in sorted(self._timelines):
            tiers.setdefault(model, []).append(tier)
        return tiers

    @cached_property
    def _names(self) -> dict[str, list[Alias]]:
        names: dict[str, list[Alias]] = {}
        for alias in sorted(self.aliases, key=lambda alias: alias.start_us):
            names.setdefault(alias.pattern, []).insert(0, alias)  # the newest first
        return names

    @cached_property
    def _uplifts(self) -> dict[str, list[Uplift]]:
        uplifts: dict[str, list[Uplift]] = {}
        for one in self.remarks.uplifts:
            uplifts.setdefault(one.model, []).append(one)
        return uplifts

    @property
    def models(self) -> tuple[str, ...]:
        """The models that have a price at any time."""
        return tuple(self._tiers)

    def tiers(self, model: str) -> tuple[str, ...]:
        """The tiers on which a model has a price at any time; none for a name that is an alias or is not known."""
        return tuple(self._tiers.get(model, ()))

    def stands_for(self, name: str, at_us: int) -> str | None:
        """The model a name means at an instant: itself, that of its alias, or None."""
        if name in self._tiers:
            return name
        models = (a.model for a in self._aliases_of(name) if a.start_us <= at_us and a.model in self._tiers)
        return next(models, None)

    def changes(self, model: str, service_tier: str) -> tuple[int, ...]:
        """The instants at which a price of the model on the tier begins or ends, in order; without "since ever"."""
        starts, _ = self._timelines.get((model, service_tier), ([], []))
        return tuple(start for start in starts if start != _EVER)

    def uplift(self, model: str, at_us: int) -> Uplift | None:
        """By what the model's regional prices differ from its global ones at an instant; None where that is unknown."""
        return next((one for one in reversed(self._uplifts.get(model, ())) if one.holds(at_us)), None)

    def tariff(self, model: str | None, service_tier: str, at_us: int, *, regional: bool = False) -> Tariff | NoPrice:
        """What the model costs on the tier at an instant (microseconds UTC), or why that is not known.

        A `regional` call has the global price where no uplift is known for the model.
        """
        if model is None:
            return NoPrice("the model that answered is not known")
        tariff = self._global(model, service_tier, at_us)
        uplift = self.uplift(self.stands_for(model, at_us) or model, at_us) if regional else None
        return tariff if uplift is None or isinstance(tariff, NoPrice) else tariff.regional(uplift.times)

    def _global(self, model: str, service_tier: str, at_us: int) -> Tariff | NoPrice:
        timeline = self._timelines.get((model, service_tier))
        if timeline is None:
            return self._resolve_alias(model, service_tier, at_us)
        starts, tariffs = timeline
        place = bisect_right(starts, at_us) - 1
        tariff = tariffs[place] if place >= 0 else None
        return NoPrice(_not_then(model, service_tier, starts[0], at_us)) if tariff is None else tariff

    def price(
        self,
        model: str | None,
        meter: Meter,
        modality: Modality,
        *,
        service_tier: str,
        prompt_tokens: int,
        at_us: int,
        regional: bool = False,
    ) -> Price | NoPrice:
        """The row in force at an instant for one meter and kind, or why there is none."""
        tariff = self.tariff(model, service_tier, at_us, regional=regional)
        return tariff if isinstance(tariff, NoPrice) else tariff.price(meter, modality, prompt_tokens)

    def _resolve_alias(self, name: str, service_tier: str, at_us: int) -> Tariff | NoPrice:
        """Follow an alias, or say what is not known: the model, the tier or what an alias meant then."""
        if name in self._tiers:
            known = ", ".join(self._tiers[name])
            return NoPrice(f"no price is known for '{name}' on the {service_tier} tier; known tiers: {known}")
        model = self.stands_for(name, at_us)
        if model is not None:
            return self._global(model, service_tier, at_us)
        if self._aliases_of(name):
            return NoPrice(f"what '{name}' stood for on {_day(at_us)} (US Pacific) is not known")
        return NoPrice(f"no price is known for the model '{name}'")

    def _aliases_of(self, name: str) -> list[Alias]:
        """The aliases the name fits, newest first; exact ones rather than patterns."""
        exact = self._names.get(name)
        if exact is not None:
            return exact
        return [
            alias for pattern, same in self._names.items() if "#" in pattern for alias in same if alias.covers(name)
        ]


def _ended(rows: _Rows) -> _Rows:
    """The rows in order, each with the end it has by itself or by its successor."""
    _reject_duplicates(rows)
    chains: dict[tuple[object, ...], list[Price]] = defaultdict(list)
    for row in rows:
        _check(row)
        chains[row.model, row.meter, row.modality, row.service_tier, row.above_prompt_tokens].append(row)
    ends = {row.id: end for chain in chains.values() for row, end in _ends(sorted(chain, key=_start))}
    return tuple(r if r.effective_to_us == ends[r.id] else replace(r, effective_to_us=ends[r.id]) for r in rows)


def _reject_duplicates(rows: _Rows) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise PriceError(f"the price '{row.id}' is in the list twice; give one of them another start or remove it")
        seen.add(row.id)


def _check(row: Price) -> None:
    if row.unit_pico < 0 or row.above_prompt_tokens < 0:
        raise PriceError(f"the price '{row.id}' has a negative figure: {row.unit_pico} above {row.above_prompt_tokens}")
    if not row.source or not row.checked_on:
        raise PriceError(f"the price '{row.id}' lacks its source or the day it was checked; add both")
    if row.effective_to_us is not None and row.effective_to_us <= _start(row):
        raise PriceError(f"the price '{row.id}' ends ({row.effective_to_us}) before it begins ({_start(row)})")


def _ends(chain: list[Price]) -> Iterator[tuple[Price, int | None]]:
    for row, following in pairwise(chain):
        end = _start(following) if row.effective_to_us is None else row.effective_to_us
        if end > _start(following) or _start(row) == _start(following):
            raise PriceError(f"the prices '{row.id}' and '{following.id}' overlap; end one where the other begins")
        yield row, end
    yield chain[-1], chain[-1].effective_to_us


_Timeline = tuple[list[int], list[Tariff | None]]


def _timelines(layers: Iterable[_Rows]) -> dict[tuple[str, str], _Timeline]:
    """For each model and tier its tariffs in time; rows of a later layer win over those of an earlier one."""
    grouped: dict[tuple[str, str], dict[int, list[Price]]] = defaultdict(lambda: defaultdict(list))
    for depth, layer in enumerate(layers):
        for row in layer:
            grouped[row.model, row.service_tier][depth].append(row)
    return {key: _timeline(key, list(by_depth.values())) for key, by_depth in grouped.items()}


def _timeline(key: tuple[str, str], layers: list[list[Price]]) -> _Timeline:
    rows = [row for layer in layers for row in layer]
    ends = {row.effective_to_us for row in rows if row.effective_to_us is not None}
    starts = sorted({_start(row) for row in rows} | ends)
    return starts, [_tariff(key, layers, at_us) for at_us in starts]


def _tariff(key: tuple[str, str], layers: list[list[Price]], at_us: int) -> Tariff | None:
    prices: _Prices = {}
    for layer in layers:
        prices.update(_in_force(layer, at_us))
    return Tariff(*key, prices) if prices else None


def _in_force(rows: list[Price], at_us: int) -> _Prices:
    in_force: dict[tuple[Meter, Modality], list[Price]] = defaultdict(list)
    for row in rows:
        if _start(row) <= at_us and (row.effective_to_us is None or at_us < row.effective_to_us):
            in_force[row.meter, row.modality].append(row)
    return {key: tuple(sorted(same, key=lambda row: -row.above_prompt_tokens)) for key, same in in_force.items()}


def _start(row: Price) -> int:
    return _EVER if row.effective_from_us is None else row.effective_from_us


def _digest(layers: tuple[_Rows, ...], aliases: tuple[Alias, ...], uplifts: tuple[Uplift, ...]) -> str:
    """SHA-256 in hex over ids, figures, times and names; the order of rows within a layer does not matter."""
    names = [f"{a.pattern} = {a.model} {a.effective_from_us}" for a in aliases]
    names += [f"{u.model} x{u.times} {u.effective_from_us} {u.effective_to_us}" for u in uplifts]
    digest = sha256("\n".join(sorted(names)).encode())
    for rows in layers:
        lines = sorted(f"{r.id} {r.unit_pico} {r.effective_from_us} {r.effective_to_us}" for r in rows)
        digest.update("\n".join(("", "--", *lines)).encode())
    return digest.hexdigest()


def _day(at_us: int) -> str:
    """The day on the calendar of Google's bill, on which prices change."""
    return period.name(period.Unit.DAY, at_us, period.zone())


def _not_then(model: str, service_tier: str, first_us: int, at_us: int) -> str:
    subject = f"'{model}' on the {service_tier} tier"
    if at_us < first_us:
        return f"the first price of {subject} is of {_day(first_us)}, the call of {_day(at_us)} (US Pacific)"
    return f"no price of {subject} was in force on {_day(at_us)} (US Pacific)"

"""Who caused a change of cost: two periods beside each other, by model, meter, key and label.

Owns: the differences, and which come first. Not here: sums (`gembill.ledger`) and words. Invariant: the differences of
the rows of each comparison add up to the difference of the totals to the pico-dollar, because all come from the same
sums; cost that is not known counts as 0 in them, and the calls it is of are counted beside it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from gembill.ledger import Ledger, Selection, read_sums
from gembill.model import COST_PARTS
from gembill.period import Period

METER = "meter"
"""By what of a call was paid for: the four parts of a cost."""
_MEASURES = (
    "calls",
    "costed",
    "unpriced_calls",
    "incomplete_calls",
    "cost_pico",
    *(f"cost_{p}_pico" for p in COST_PARTS),
)
_Group = tuple[str | int | None, ...]
_Sums = Mapping[_Group, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Spend:
    """What calls cost, in pico-dollars, as far as it is known."""

    calls: int = 0
    costed_calls: int = 0
    unpriced_calls: int = 0
    incomplete_calls: int = 0
    cost_pico: int = 0

    @property
    def is_known(self) -> bool:
        """Whether anything is known of the cost; that of no calls at all is: nothing."""
        return not self.calls or bool(self.costed_calls)

    def plus(self, other: "Spend") -> "Spend":
        """Both together."""
        return Spend(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Spend)))


@dataclass(frozen=True, slots=True)
class Change:
    """One group in both periods; `value` is None where calls have none."""

    value: str | None
    before: Spend
    now: Spend

    @property
    def difference_pico(self) -> int:
        """How much more the later period cost."""
        return self.now.cost_pico - self.before.cost_pico

    @property
    def is_known(self) -> bool:
        """Whether the difference says anything: a 0 does not where the cost of one period is not known."""
        return bool(self.difference_pico) or (self.before.is_known and self.now.is_known)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The changes by model, key, `meter` or label.NAME, the largest first, whichever its sign."""

    by: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class WhatChanged:
    """Two periods and what is between them. `unfinished`: the earlier one is cut as the later one is not over."""

    now: Period
    before: Period
    unfinished: bool
    total: Change
    comparisons: tuple[Comparison, ...]


def what_changed(
    ledger: Ledger,
    periods: tuple[Period, Period],
    labels: Sequence[str] = (),
    *,
    selection: Selection | None = None,
    unfinished: bool = False,
) -> WhatChanged:
    """The calls of `selection` in the first period against those in the second, by model, meter, key and these labels.

    The selection's own times are not used. Each period is read once, from rollups where its ends allow it.
    """
    by = ("model", "key", *(f"label.{name}" for name in labels))
    now, before = (_sums(ledger, period, by, selection or Selection()) for period in periods)
    comparisons = [
        Comparison(word, _changes(_spends(now, place), _spends(before, place))) for place, word in enumerate(by)
    ]
    meters = Comparison(METER, _changes(dict(_meters(now)), dict(_meters(before))))
    total = Change(None, before=_total(before), now=_total(now))
    return WhatChanged(*periods, unfinished, total, (comparisons[0], meters, *comparisons[1:]))


def _sums(ledger: Ledger, period: Period, by: Sequence[str], selection: Selection) -> _Sums:
    chosen = replace(selection, start_us=period.start_us, end_us=period.end_us)
    return read_sums(ledger, chosen, by, _MEASURES)


def _spend(values: Sequence[int]) -> Spend:
    return Spend(*values[:5])


def _total(sums: _Sums) -> Spend:
    return _added(map(_spend, sums.values()))


def _added(spends: Iterable[Spend]) -> Spend:
    total = Spend()
    for one in spends:
        total = total.plus(one)
    return total


def _spends(sums: _Sums, place: int) -> dict[str | None, Spend]:
    """What each value of one group cost."""
    spends: dict[str | None, Spend] = {}
    for group, values in sums.items():
        value = group[place]
        name = None if value is None else str(value)
        spends[name] = spends.get(name, Spend()).plus(_spend(values))
    return spends


def _meters(sums: _Sums) -> Iterator[tuple[str, Spend]]:
    """What each part of the cost was; what is in no part, which should be nothing, is `other`."""
    total = _total(sums)
    left = total.cost_pico
    for place, part in enumerate(COST_PARTS):
        cost = sum(values[5 + place] for values in sums.values())
        left -= cost
        yield part, replace(total, cost_pico=cost)
    if left:
        yield "other", replace(total, cost_pico=left)


def _changes(now: Mapping[str | None, Spend], before: Mapping[str | None, Spend]) -> tuple[Change, ...]:
    changes = [Change(value, before.get(value, Spend()), now.get(value, Spend())) for value in {**now, **before}]
    shown = (one for one in changes if one.before.calls or one.now.calls)
    return tuple(sorted(shown, key=lambda one: (-abs(one.difference_pico), one.value is None, one.value or "")))

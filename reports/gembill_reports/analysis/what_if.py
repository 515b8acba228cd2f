"""What recorded tokens would have cost otherwise: with another model, tier, share of cached input, or later prices.

Owns: the question, its answer by model, and why something cannot be compared. Not here: prices, SQL, and words
(`gembill_reports.views.what_if`). Invariant: both sides of a row are about the same tokens; what has no price on the
other side is in neither and named.

Counts are taken as they are: that another model might have used more or fewer tokens is not guessed, and fees for
keeping a cache are not in it.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction

from gembill.ledger import ChargeTotal, Ledger, Selection, Total, holds_demo_data, read_totals, sum_charges
from gembill.model import Meter
from gembill.period import Period
from gembill.price_catalog import PricingTerms
from gembill.rules import policy_ids
from gembill.rules.groundings import grounds_by_prompt
from gembill.rules.prices import NoPrice, PriceBook
from gembill.rules.prices.regional import is_regional
from gembill.rules.rating import LongContextCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfChange:
    """What would be otherwise; None stays as recorded. `cached` is the share of input served from a cache."""

    model: str | None = None
    service_tier: str | None = None
    cached: Fraction | None = None
    at_us: int | None = None  # the prices in force then instead of those on the day of each call


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfRow:
    """One model as recorded: what its comparable tokens cost, and what they would have cost; pico-dollars.

    Both are None where calls have a cost that is not known, or none that can be compared, and no other.
    """

    model: str | None
    calls: int
    now_pico: int | None
    then_pico: int | None

    @property
    def difference_pico(self) -> int | None:
        """More (positive) or less than was charged."""
        return None if self.now_pico is None or self.then_pico is None else self.then_pico - self.now_pico


class NotCharged(Enum):
    """Why calls, or some of their tokens, have no charge that could be compared."""

    UNPRICED = "unpriced"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class UnderPolicy:
    """The charge was decided by a policy of that name, not by a price."""

    policy: str


@dataclass(frozen=True, slots=True)
class CountedOtherwise:
    """One of the models charges grounding by prompt, the other by search."""

    model: str | None
    other: str | None


Reason = NoPrice | UnderPolicy | CountedOtherwise | NotCharged


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncompared:
    """Charges, or calls without any, that are on neither side, and why."""

    model: str | None
    reason: Reason
    quantity: int
    unit: str  # tokens, searches, calls
    cost_pico: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The answer: rows by model, the most expensive first."""

    period: Period
    change: WhatIfChange
    rows: tuple[WhatIfRow, ...]
    uncompared: tuple[Uncompared, ...]
    demo: bool = False  # made-up calls are among them

    @property
    def total(self) -> WhatIfRow:
        """All rows together, as far as they are known; not known where none of them is."""
        known = [(row.now_pico, row.then_pico) for row in self.rows if row.now_pico is not None]
        return WhatIfRow(
            model=None,
            calls=sum(row.calls for row in self.rows),
            now_pico=sum(now for now, _ in known) if known or not self.rows else None,
            then_pico=sum(then or 0 for _, then in known) if known or not self.rows else None,
        )


@dataclass(frozen=True, slots=True)
class _Priced:
    """A group of charges with its price on the other side, or why there is none."""

    used: ChargeTotal
    then_pico: int
    reason: Reason | None = None


def compare(ledger: Ledger, terms: PricingTerms, selection: Selection, period: Period, change: WhatIfChange) -> WhatIf:
    """Compare the calls of the selection within the period."""
    chosen = replace(selection, start_us=period.start_us, end_us=period.end_us)
    sums = read_totals(ledger, chosen, ["model"])
    calls = {_name(one): one.calls for one in sums}
    priced: list[_Priced] = []
    for part, at_us in _parts(terms.book, chosen, change, [name for name in calls if name is not None]):
        priced += _priced(_used(ledger, terms, part), terms.book, change, at_us)
    lost = (*_lost(priced), *_uncharged(sums))
    doubted = {one.model for one in lost if not isinstance(one.reason, UnderPolicy)}
    rows = [_row(name, count, priced, doubted) for name, count in calls.items()]
    rows.sort(key=lambda row: (row.model is None, row.now_pico is None, -(row.now_pico or 0), row.model or ""))
    return WhatIf(period=period, change=change, rows=tuple(rows), uncompared=lost, demo=holds_demo_data(ledger))


def _name(total: Total) -> str | None:
    name = total.group["model"]
    return None if name is None else str(name)


def _row(model: str | None, calls: int, priced: Iterable[_Priced], doubted: Container[str | None]) -> WhatIfRow:
    mine = [one for one in priced if one.used.model == model and one.reason is None]
    if not mine and model in doubted:
        return WhatIfRow(model=model, calls=calls, now_pico=None, then_pico=None)
    now, then = sum(one.used.cost_pico for one in mine), sum(one.then_pico for one in mine)
    return WhatIfRow(model=model, calls=calls, now_pico=now, then_pico=then)


def _parts(
    book: PriceBook, chosen: Selection, change: WhatIfChange, models: Iterable[str]
) -> Iterator[tuple[Selection, int]]:
    """The selection cut where prices of the other side change; each part with an instant that has its prices."""
    if change.at_us is not None:
        yield chosen, change.at_us
        return
    cuts: set[int] = set()
    for name in {change.model} if change.model else set(models):
        for model in {name, *(alias.model for alias in book.aliases if alias.covers(name))}:
            cuts.update(at for tier in book.tiers(model) for at in book.changes(model, tier))
        cuts.update(a.start_us for a in book.aliases if a.effective_from_us is not None and a.covers(name))
    start, end = chosen.start_us, chosen.end_us
    inner = sorted(at for at in cuts if (start is None or start < at) and (end is None or at < end))
    starts, ends = [start, *inner], [*inner, end]
    for first, last in zip(starts, ends, strict=True):
        at_us = first if first is not None else (0 if last is None else last - 1)
        yield replace(chosen, start_us=first, end_us=last), at_us


def _used(ledger: Ledger, terms: PricingTerms, part: Selection) -> list[ChargeTotal]:
    sizes = {row.above_prompt_tokens for row in terms.book.rows} - {0}
    both = terms.policies.long_context_counts is LongContextCounts.PROMPT_AND_INTERMEDIATE
    return sum_charges(ledger, part, sorted(sizes), with_intermediate=both)


def _priced(used: Iterable[ChargeTotal], book: PriceBook, change: WhatIfChange, at_us: int) -> list[_Priced]:
    priced: list[_Priced] = []
    for group in _cached(used, change.cached):
        together = [_price(one, book, change, at_us) for one in group]
        reason = next((one.reason for one in together if one.reason is not None), None)
        if reason is not None:  # moved between input and cached: both or neither
            together = [_Priced(one, 0, reason) for one in group]
        priced += together
    return priced


def _price(one: ChargeTotal, book: PriceBook, change: WhatIfChange, at_us: int) -> _Priced:
    model, tier = change.model or one.model, change.service_tier or one.service_tier
    if policy_ids.is_policy(one.price_id) and not one.price_id.startswith(policy_ids.ESTIMATED):
        return _under_policy(one)
    if one.meter in (Meter.GROUNDING, Meter.MAPS) and grounds_by_prompt(model) != grounds_by_prompt(one.model):
        return _Priced(one, 0, CountedOtherwise(one.model, model))
    price = book.price(
        model,
        one.meter,
        one.modality,
        service_tier=tier,
        prompt_tokens=_prompt(one.above),
        at_us=at_us,
        regional=is_regional(one.price_id),
    )
    if isinstance(price, NoPrice):
        return _Priced(one, 0, price)
    return _Priced(one, one.quantity * price.unit_pico)


def _under_policy(one: ChargeTotal) -> _Priced:
    word = policy_ids.policy_of(one.price_id)
    if word.startswith("tool_tokens_with_grounding"):
        return _Priced(one, 0)  # free on either side
    return _Priced(one, 0, UnderPolicy(word))


def _cached(used: Iterable[ChargeTotal], share: Fraction | None) -> Iterator[list[ChargeTotal]]:
    """Groups that are compared together: with a share of cached input, input and cached input of one kind."""
    if share is None:
        yield from ([one] for one in used)
        return
    prompts: dict[tuple[object, ...], list[ChargeTotal]] = defaultdict(list)
    for one in used:
        if one.meter in (Meter.INPUT, Meter.CACHED_INPUT) and not policy_ids.is_policy(one.price_id):
            prompts[one.model, one.service_tier, one.modality, one.above].append(one)
        else:
            yield [one]
    for group in prompts.values():
        yield _moved(group, share)


def _moved(group: list[ChargeTotal], share: Fraction) -> list[ChargeTotal]:
    """The same tokens, of which the share is cached, rounded down; never fewer than were."""
    tokens = sum(one.quantity for one in group)
    were = sum(one.quantity for one in group if one.meter is Meter.CACHED_INPUT)
    cached = max(were, int(tokens * share))
    cost = sum(one.cost_pico for one in group)
    first = replace(group[0], meter=Meter.INPUT, quantity=tokens - cached, cost_pico=cost)
    moved = [first, replace(first, meter=Meter.CACHED_INPUT, quantity=cached, cost_pico=0)]
    return [one for one in moved if one.quantity or one.cost_pico]


def _prompt(above: int) -> int:
    return above + 1 if above else 0


def _lost(priced: Iterable[_Priced]) -> Iterator[Uncompared]:
    sums: dict[tuple[str | None, Reason, str], list[int]] = {}
    for one in priced:
        if one.reason is not None:
            unit = one.used.meter.unit
            amounts = sums.setdefault((one.used.model, one.reason, unit), [0, 0])
            amounts[0] += one.used.quantity
            amounts[1] += one.used.cost_pico
    for (model, reason, unit), (quantity, cost) in sorted(sums.items(), key=lambda item: -item[1][1]):
        yield Uncompared(model=model, reason=reason, quantity=quantity, unit=unit, cost_pico=cost)


def _uncharged(totals: Iterable[Total]) -> Iterator[Uncompared]:
    for one in totals:
        for reason, calls in (
            (NotCharged.UNPRICED, one.unpriced_calls),
            (NotCharged.INCOMPLETE, one.incomplete_calls),
        ):
            if calls:
                yield Uncompared(model=_name(one), reason=reason, quantity=calls, unit="calls", cost_pico=None)

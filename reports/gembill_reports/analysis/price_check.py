"""Whether the price list fits what the ledger holds: gaps, rows not checked for long, changes to come.

Owns: the findings. Not here: prices and layout. Invariant: gaps, rows not checked and changes are of models that were
called, a change with what it would have done to last month's tokens; shut-downs and disputes are those of the whole
list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from gembill.ledger import Ledger, Selection, read_totals
from gembill.model import Meter, Modality, Price, Status
from gembill.period import Period, Unit, containing, local, zone
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import NoPrice, PriceBook
from gembill.rules.prices.remarks import Dispute, ShutDown
from gembill.rules.rating import PROVISIONED
from gembill_reports.analysis.what_if import WhatIf, WhatIfChange, compare

_RECENT = timedelta(days=31)
_DAY_US = 86_400_000_000
_SHOWN = (Meter.INPUT, Meter.OUTPUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceGap:
    """Calls of a model on a tier without a price, and why; None where there is a price by now."""

    model: str | None
    service_tier: str
    calls: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StalePrice:
    """Rows in force that were last checked long ago."""

    model: str
    checked_on: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingPrice:
    """A change of price: its day, figures for text in dollars per million as pico-dollars a token (before, after), and
    last month's usage at today's prices and at those; pico-dollars. `hidden`: prices of a user's own stay instead.
    """

    model: str
    at_us: int
    input: tuple[int | None, int | None]
    output: tuple[int | None, int | None]
    now_pico: int | None
    then_pico: int | None
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingShutDown:
    """A model that will not be served from a day on, in so many days; `calls` it had in the last 31 days."""

    shut_down: ShutDown
    days: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputedPrice:
    """A price in force for which another source has another figure."""

    ours: Price
    theirs: Dispute


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCheck:
    """All findings; `month` is the calendar month that changes are worked out on."""

    month: Period
    days: int
    gaps: tuple[PriceGap, ...]
    stale: tuple[StalePrice, ...]
    coming: tuple[ComingPrice, ...]
    shut_downs: tuple[ComingShutDown, ...] = ()
    disputed: tuple[DisputedPrice, ...] = ()

    @property
    def in_order(self) -> bool:
        """Whether nothing has to be done: no gap, and nothing unchecked for long. The rest is not a fault."""
        return not self.gaps and not self.stale


@dataclass(frozen=True, slots=True)
class _CallCounts:
    """What the ledger holds: by model and tier the calls, the unpriced ones and those of the last weeks."""

    calls: dict[tuple[str | None, str], int] = field(default_factory=dict)
    unpriced: dict[tuple[str | None, str], int] = field(default_factory=dict)
    recent: dict[tuple[str | None, str], int] = field(default_factory=dict)

    def models(self, book: PriceBook, at_us: int) -> list[str]:
        """The models called, by the names under which they have prices."""
        return sorted({model for name, _ in self.calls if name and (model := book.stands_for(name, at_us))})


def check(ledger: Ledger, terms: PricingTerms, list_prices: PriceBook, now_us: int, days: int) -> PriceCheck:
    """Look through the book in force; `list_prices` is the one without a user's own. Stale is older than `days`."""
    called = _call_counts(ledger, now_us)
    this_month = containing(Unit.MONTH, now_us, zone())
    assert this_month.start_us is not None
    month = containing(Unit.MONTH, this_month.start_us - 1, zone())
    models = called.models(terms.book, now_us)
    return PriceCheck(
        month=month,
        days=days,
        gaps=tuple(_gaps(called, terms.book, now_us)),
        stale=tuple(_stale(models, terms.book, now_us, days)),
        coming=tuple(_coming(ledger, terms, list_prices, models, (now_us, month))),
        shut_downs=tuple(_shut_downs(called, terms.book, now_us)),
        disputed=tuple(disputed_prices(terms.book, now_us)),
    )


def coming_shut_downs(book: PriceBook, now_us: int) -> list[tuple[ShutDown, int]]:
    """The models of the list that will be shut down, the next first, each with the days that are left."""
    today = local(now_us, zone()).date()
    left = [(one, (one.day - today).days) for one in book.remarks.shut_downs]
    return sorted(((one, days) for one, days in left if days >= 0), key=lambda pair: (pair[0].day, pair[0].model))


def disputed_prices(book: PriceBook, now_us: int) -> Iterator[DisputedPrice]:
    """The prices in force for which a source has another figure, in the order of the list."""
    for dispute in book.remarks.disputes:
        if dispute.holds(now_us):
            tier = dispute.service_tier
            key = (dispute.model, dispute.meter, dispute.modality)
            price = book.price(*key, service_tier=tier, prompt_tokens=0, at_us=now_us)
            if not isinstance(price, NoPrice) and price.unit_pico != dispute.unit_pico:
                yield DisputedPrice(ours=price, theirs=dispute)


def _shut_downs(called: _CallCounts, book: PriceBook, now_us: int) -> Iterator[ComingShutDown]:
    for shut_down, days in coming_shut_downs(book, now_us):
        calls = [
            n for (name, _), n in called.recent.items() if name and book.stands_for(name, now_us) == shut_down.model
        ]
        yield ComingShutDown(shut_down=shut_down, days=days, calls=sum(calls))


def _call_counts(ledger: Ledger, now_us: int) -> _CallCounts:
    called = _CallCounts()
    for recent, start_us in ((False, None), (True, now_us - _RECENT // timedelta(microseconds=1))):
        for one in read_totals(ledger, Selection(start_us=start_us), ["model", "service_tier", "status"]):
            name, tier = one.group["model"], str(one.group["service_tier"])
            key = (None if name is None else str(name), tier)
            if one.group["status"] == Status.ERROR.value or tier == PROVISIONED:
                continue
            if recent:
                called.recent[key] = called.recent.get(key, 0) + one.calls
                continue
            called.calls[key] = called.calls.get(key, 0) + one.calls
            called.unpriced[key] = called.unpriced.get(key, 0) + one.unpriced_calls
    return called


def _gaps(called: _CallCounts, book: PriceBook, now_us: int) -> Iterator[PriceGap]:
    for key in sorted(called.calls, key=lambda key: (key[0] is None, key)):
        model, tier = key
        tariff = book.tariff(model, tier, now_us)
        if isinstance(tariff, NoPrice) and (key in called.recent or called.unpriced[key]):
            yield PriceGap(model=model, service_tier=tier, calls=called.unpriced[key], reason=tariff.reason)
        elif called.unpriced[key]:
            yield PriceGap(model=model, service_tier=tier, calls=called.unpriced[key], reason=None)


def _stale(models: Sequence[str], book: PriceBook, now_us: int, days: int) -> Iterator[StalePrice]:
    oldest = local(now_us, zone()).date() - timedelta(days=days)
    for model in models:
        counts: dict[str, int] = {}
        for row in _in_force(book, model, now_us):
            if date.fromisoformat(row.checked_on) < oldest:
                counts[row.checked_on] = counts.get(row.checked_on, 0) + 1
        yield from (StalePrice(model=model, checked_on=day, rows=rows) for day, rows in sorted(counts.items()))


def _in_force(book: PriceBook, model: str, at_us: int) -> list[Price]:
    tariffs = (book.tariff(model, tier, at_us) for tier in book.tiers(model))
    return [row for tariff in tariffs if not isinstance(tariff, NoPrice) for row in tariff.rows]


def _coming(
    ledger: Ledger, terms: PricingTerms, list_prices: PriceBook, models: Sequence[str], times: tuple[int, Period]
) -> Iterator[ComingPrice]:
    now_us, month = times
    book = terms.book
    days = {model: _days(book, model, now_us) for model in models}
    listed = {model: _days(list_prices, model, now_us) for model in models}

    def priced(at_us: int) -> WhatIf:
        return compare(ledger, terms, Selection(), month, WhatIfChange(at_us=at_us))

    comparisons = {at: priced(at) for at in sorted({now_us, *(at for one in days.values() for at in one)})}
    for at_us, name in sorted((at, model) for model in models for at in days[model] | listed[model]):
        hidden = at_us not in days[name]
        figures = [_figures(list_prices if hidden else book, name, meter, at_us) for meter in _SHOWN]
        yield ComingPrice(
            model=name,
            at_us=at_us,
            input=figures[0],
            output=figures[1],
            now_pico=None if hidden else _cost(comparisons[now_us], book, name, now_us),
            then_pico=None if hidden else _cost(comparisons[at_us], book, name, now_us),
            hidden=hidden,
        )


def _days(book: PriceBook, model: str, now_us: int) -> set[int]:
    """The days to come on which a figure of the model changes; rows that others hide change nothing."""
    return {
        at
        for tier in book.tiers(model)
        for at in book.changes(model, tier)
        if at > now_us and _all_figures(book, model, tier, at - 1) != _all_figures(book, model, tier, at)
    }


def _all_figures(book: PriceBook, model: str, tier: str, at_us: int) -> dict[tuple[Meter, Modality, int], int]:
    tariff = book.tariff(model, tier, at_us)
    rows = () if isinstance(tariff, NoPrice) else tariff.rows
    return {(row.meter, row.modality, row.above_prompt_tokens): row.unit_pico for row in rows}


def _cost(comparison: WhatIf, book: PriceBook, model: str, now_us: int) -> int:
    return sum(
        row.then_pico or 0 for row in comparison.rows if row.model and book.stands_for(row.model, now_us) == model
    )


def _figures(book: PriceBook, model: str, meter: Meter, at_us: int) -> tuple[int | None, int | None]:
    def figure(at: int) -> int | None:
        price = book.price(model, meter, Modality.TEXT, service_tier="standard", prompt_tokens=0, at_us=at)
        return None if isinstance(price, NoPrice) else price.unit_pico

    return figure(at_us - 1), figure(at_us)

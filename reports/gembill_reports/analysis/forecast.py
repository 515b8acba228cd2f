"""What a period will have cost when it ends.

Owns: the estimate, its range, and when there is none. Not here: prices (it is given the book) and the clock. Invariant:
it is silent with fewer than `FEWEST` whole days to go by; a price that is known to change counts from the instant on.

The method: every whole day so far represents a day to come; its calls are priced again at the prices of that day. The
range is where 8 of 10 such months end if the days to come differ from each other as the days so far did.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import isqrt
from zoneinfo import ZoneInfo

from gembill.ledger import Total
from gembill.model import Modality
from gembill.period import Period, Unit, buckets, containing, instant, local, name
from gembill.rules.prices import NoPrice, PriceBook
from gembill_reports.analysis.report import Report

FEWEST = 5
GROUPS = ("day", "model", "service_tier")  # what the report has to be cut by
_PERCENT = 128  # of the standard deviation: 8 of 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Pico-dollars at the period's end, `low` and `high` its range; drawn from `days` whole days.

    `changes` are the announced price changes that are in it: models and the days they change on.
    """

    end: str
    cost_pico: int
    low_pico: int
    high_pico: int
    days: int
    changes: tuple[tuple[str, date], ...] = ()


def forecast(report: Report, now_us: int, book: PriceBook) -> Forecast | None:
    """The forecast for the end of the report's period, from rows by `GROUPS`; None if it is over or barely begun."""
    period = report.period
    start, end = period.start_us, period.end_us
    if start is None or end is None or not start < now_us < end:
        return None
    days = _days(report, now_us)
    if len(days) < FEWEST:
        return None
    rows = [row for row in report.rows if str(row.group["day"]) in days and row.cost_pico]
    prices = _Prices(book, period)
    ahead = sum(
        (
            _daily(rows, days, prices, at)[0] * _length(at, until, period.zone)
            for at, until in prices.pieces(now_us, rows)
        ),
        Fraction(),
    )
    spent = report.total.cost_pico or 0
    half = _half(_daily(rows, days, prices, now_us)[1], _length(now_us, end, period.zone))
    cost = spent + round(ahead)
    return Forecast(
        end=period.end or "",
        cost_pico=cost,
        low_pico=max(spent, cost - half),
        high_pico=cost + half,
        days=len(days),
        changes=tuple(prices.announced(now_us, rows)),
    )


@dataclass(frozen=True, slots=True)
class _Prices:
    """The prices of a period's models over time."""

    book: PriceBook
    period: Period

    def factor(self, row: Total, then_us: int, at_us: int) -> Fraction:
        """What the tokens of a row cost at an instant, measured by what they cost then; 1 where that is not known."""
        if not self._changes(row):
            return Fraction(1)
        then, at = self._cost(row, then_us), self._cost(row, at_us)
        return Fraction(at, then) if then and at is not None else Fraction(1)

    def pieces(self, now_us: int, rows: Sequence[Total]) -> Iterator[tuple[int, int]]:
        """The time to come, cut where a price of these rows changes."""
        end = self.period.end_us or now_us
        cuts = sorted({now_us, end, *(at for row in rows for at in self._changes(row) if now_us < at < end)})
        return pairwise(cuts)

    def announced(self, now_us: int, rows: Sequence[Total]) -> list[tuple[str, date]]:
        end = self.period.end_us or now_us
        changes = {(at, str(row.group["model"])) for row in rows for at in self._changes(row) if now_us < at < end}
        return [(model, local(at, self.period.zone).date()) for at, model in sorted(changes)]

    def _changes(self, row: Total) -> tuple[int, ...]:
        """The instants within the period at which the row's model changes its price."""
        model, start, end = self._model(row), self.period.start_us or 0, self.period.end_us or 0
        if model is None:
            return ()
        return tuple(at for at in self.book.changes(model, str(row.group["service_tier"])) if start < at < end)

    def _model(self, row: Total) -> str | None:
        return self.book.stands_for(str(row.group["model"]), self.period.start_us or 0)

    def _cost(self, row: Total, at_us: int) -> int | None:
        from gembill.rules.metering import by_meter  # for a change of price alone: with it come all forms of answers

        tariff = self.book.tariff(self._model(row), str(row.group["service_tier"]), at_us)
        if isinstance(tariff, NoPrice):
            return None
        costs = []
        for meter, quantity in by_meter(row.tokens).items():
            price = tariff.price(meter, Modality.TEXT, 0)
            if isinstance(price, NoPrice):
                return None
            costs.append(quantity * price.unit_pico)
        return sum(costs)


def _days(report: Report, now_us: int) -> dict[str, int]:
    """The whole days so far from the first with a call on, and the middle of each."""
    period = report.period
    first = min((str(row.group["day"]) for row in report.rows), default=None)
    if first is None:
        return {}
    begun = max(period.start_us or 0, instant(first, period.zone))
    middles = {}
    for day in buckets(replace(period, start_us=begun, end_us=now_us), Unit.DAY):
        start, end = day.start_us, day.end_us
        assert start is not None
        assert end is not None
        if day == containing(Unit.DAY, start, day.zone):
            middles[name(Unit.DAY, start, day.zone)] = (start + end) // 2
    return middles


def _length(start_us: int, end_us: int, zone: ZoneInfo) -> Fraction:
    """Days between two instants; one on which the clock is changed is a day like any other."""
    return _place(end_us, zone) - _place(start_us, zone)


def _place(at_us: int, zone: ZoneInfo) -> Fraction:
    """The number of the day that an instant is in, and how much of that day has gone by."""
    day = containing(Unit.DAY, at_us, zone)
    assert day.start_us is not None
    assert day.end_us is not None
    passed = Fraction(at_us - day.start_us, day.end_us - day.start_us)
    return local(day.start_us, zone).date().toordinal() + passed


def _daily(rows: Sequence[Total], days: dict[str, int], prices: _Prices, at_us: int) -> tuple[Fraction, list[Fraction]]:
    """What a day costs on average at the prices of an instant, and what each of the days would have cost."""
    costs = dict.fromkeys(days, Fraction())
    for row in rows:
        day = str(row.group["day"])
        costs[day] += (row.cost_pico or 0) * prices.factor(row, days[day], at_us)
    return sum(costs.values(), Fraction()) / len(costs), list(costs.values())


def _half(costs: Sequence[Fraction], ahead: Fraction) -> int:
    """Half the width of the range: the days ahead vary, and the average itself is only known from a few days."""
    mean = sum(costs, Fraction()) / len(costs)
    variance = sum(((cost - mean) ** 2 for cost in costs), Fraction()) / (len(costs) - 1)
    return isqrt(round(variance * (ahead + ahead**2 / len(costs)) * _PERCENT**2)) // 100

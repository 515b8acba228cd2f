"""What later corrections did to months that were closed.

Owns: the frozen sums of a closed month beside those of today, and the adjustments that a period made to months closed
before. Not here: closing (`gembill.ledger`), and words. Invariant: whatever is posted about a closed month after its
closing is an adjustment of exactly one moment; frozen sums and all adjustments add up to the sums of today, by any
group: what only moves cost from one team to another is an adjustment of both.

Most closed months are never touched again. Whether one was is seen from counts of its calls and their revisions; only
then are the records read as they were at the moments between.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gembill.ledger import Closing, Ledger, Selection, Total, read_closings, read_totals, was_touched
from gembill.period import Period
from gembill_reports.analysis.report import TIMES, add, group_sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What was posted about a closed month after its closing: the difference of its sums. `group` as in a report."""

    closing: Closing
    group: dict[str, str | int | bool | None]
    calls: int  # that came late, or are gone
    cost_pico: int


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A closed month within a period: its frozen sums of the calls selected, and what they are today.

    `is_corrected`: something was posted about its calls since, even if these sums are the same.
    """

    closing: Closing
    frozen: Total
    today: Total
    is_corrected: bool

    @property
    def is_adjusted(self) -> bool:
        """Whether anything that is summed up changed since."""
        return self.frozen != self.today


@dataclass(frozen=True, slots=True)
class MonthAdjustment:
    """What a period adjusted of a closed month: all of it, which may be nothing, and its parts by the report's groups.

    There are no parts where a report has no groups but those of time.
    """

    total: Adjustment
    rows: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosedMonths:
    """What is to be said below a report: the closed months in its period, and adjustments of others made in it."""

    months: tuple[ClosedMonth, ...] = ()
    adjustments: tuple[MonthAdjustment, ...] = ()


def closed_months(ledger: Ledger, period: Period, selection: Selection, by: Sequence[str] = ()) -> ClosedMonths | None:
    """The closed months that lie wholly in the period, and what it adjusted of those that ended before it began, with
    the groups of a report; None where no month was closed."""
    closings = read_closings(ledger)
    if not closings:
        return None
    inside = [one for one in closings if _within(one, period)]
    months = tuple(_month(ledger, one, selection) for one in inside)
    groups = tuple(name for name in by if name not in TIMES)
    return ClosedMonths(months, tuple(_by_month(adjustments(ledger, closings, period, selection, groups))))


def adjustments(
    ledger: Ledger, closings: Sequence[Closing], period: Period, selection: Selection, by: Sequence[str] = ()
) -> list[Adjustment]:
    """What was posted within the period about months that were closed and ended before it began, by group.

    Of the period's calendar alone: a month may be closed in several, and one correction is one adjustment in each.
    """
    start, end = period.start_us, period.end_us
    made: list[Adjustment] = []
    for closing in closings:
        if start is None or closing.end_us > start or closing.timezone != period.timezone:
            continue
        if not was_touched(ledger, closing):
            continue
        follows = start == closing.end_us  # then all that was not seen, whatever the clock of its writer said
        before = closing.seen_us if follows else max(closing.seen_us, start - 1)
        until = None if end is None else end - 1
        if until is not None and until <= before:
            continue
        old, new = (_groups(ledger, closing, selection, by, seen_us) for seen_us in (before, until))
        made += _differences(closing, old, new)
    return made


def _by_month(made: Sequence[Adjustment]) -> list[MonthAdjustment]:
    months: dict[tuple[str, str], list[Adjustment]] = {}
    for one in made:
        months.setdefault((one.closing.month, one.closing.timezone), []).append(one)
    return [MonthAdjustment(_total(rows), tuple(rows) if rows[0].group else ()) for rows in months.values()]


def _total(rows: Sequence[Adjustment]) -> Adjustment:
    calls, cost_pico = sum(one.calls for one in rows), sum(one.cost_pico for one in rows)
    return Adjustment(closing=rows[0].closing, group={}, calls=calls, cost_pico=cost_pico)


def _month(ledger: Ledger, closing: Closing, selection: Selection) -> ClosedMonth:
    today, is_corrected = _sum(ledger, closing, selection), was_touched(ledger, closing)
    frozen = _sum(ledger, closing, selection, closing.seen_us) if is_corrected else today
    return ClosedMonth(closing, frozen, today, is_corrected)


def _within(closing: Closing, period: Period) -> bool:
    begins = period.start_us is None or period.start_us <= closing.start_us
    return begins and (period.end_us is None or closing.end_us <= period.end_us)


def _sum(ledger: Ledger, closing: Closing, selection: Selection, seen_us: int | None = None) -> Total:
    return add({}, read_totals(ledger, _of(closing, selection, seen_us)))


def _groups(
    ledger: Ledger, closing: Closing, selection: Selection, by: Sequence[str], seen_us: int | None
) -> dict[tuple[object, ...], Total]:
    rows = group_sums(by, read_totals(ledger, _of(closing, selection, seen_us), by))
    return {tuple(row.group.values()): row for row in rows}


def _of(closing: Closing, selection: Selection, seen_us: int | None) -> Selection:
    return replace(selection, start_us=closing.start_us, end_us=closing.end_us, seen_us=seen_us)


def _differences(
    closing: Closing, old: dict[tuple[object, ...], Total], new: dict[tuple[object, ...], Total]
) -> list[Adjustment]:
    made = []
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        calls = (after.calls if after else 0) - (before.calls if before else 0)
        cost = ((after.cost_pico if after else 0) or 0) - ((before.cost_pico if before else 0) or 0)
        if calls or cost:
            group = (after or before).group  # type: ignore[union-attr]
            made.append(Adjustment(closing=closing, group=group, calls=calls, cost_pico=cost))
    return made

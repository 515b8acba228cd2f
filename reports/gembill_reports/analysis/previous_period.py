"""A report beside that of the period before.

Owns: which period is "the one before", and how a change is said. Owns no sum. Invariant: a period that is not over is
compared with as much of the one before as has passed of it, never with the whole. Both are measured on the calendar:
the 21st at nine o'clock is as far into a month as the 21st at nine of another, though a clock was changed in one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Selection, Total
from gembill.money import usd
from gembill.period import Period, Unit, containing, local, us
from gembill_reports.analysis.report import TIMES, Report, report, row_dict
from gembill_reports.layout.sheet import money

_MINUTE_US = 60_000_000
_UNITS = (Unit.MONTH, Unit.WEEK, Unit.DAY)


@dataclass(frozen=True, slots=True)
class PreviousPeriod:
    """The report of the period before. `unfinished`: both are cut at the same distance from their beginning."""

    report: Report
    unfinished: bool

    @property
    def by_row(self) -> bool:
        """Whether rows have counterparts: those of a day or a month do not, for it comes only once."""
        return not set(self.report.by) & set(TIMES)

    def cost_of(self, row: Total) -> int | None:
        """What the same group cost before: 0 where it had no call, None where it is not known."""
        if not row.group:
            return self.report.total.cost_pico
        found = next((one for one in self.report.rows if one.group == row.group), None)
        return 0 if found is None else found.cost_pico


def previous(period: Period, now_us: int) -> tuple[Period, bool]:
    """The month, week or day before, else as many days or as much time before; and whether `now` has cut it.

    ConfigurationError where the period has an open end.
    """
    start, end = period.start_us, period.end_us
    if start is None or end is None:
        raise ConfigurationError("--compare needs a period with a beginning and an end; name one, such as --month")
    whole = next((unit for unit in _UNITS if containing(unit, start, period.zone) == period), None)
    if whole is not None:
        before = containing(whole, start - 1, period.zone)
    else:
        before = replace(period, start_us=_as_long_before(start, end, period.zone), end_us=start)
    if not start < now_us < end:
        return before, False
    assert before.start_us is not None
    reached = _moved(now_us // _MINUTE_US * _MINUTE_US, start, before.start_us, period.zone)
    return replace(before, end_us=max(before.start_us, min(reached, start))), True


def _as_long_before(start_us: int, end_us: int, zone: ZoneInfo) -> int:
    """Where a period of the same length begins that ends at `start`; not before 1970, when there was no call."""
    if 2 * start_us - end_us < 0:
        return min(0, start_us)
    return _moved(start_us, end_us, start_us, zone)


def _moved(at_us: int, origin_us: int, to_us: int, zone: ZoneInfo) -> int:
    """The instant that lies to `to` as `at` lies to `origin`: in days and on the clock if both are midnights."""
    if not (_midnight(origin_us, zone) and _midnight(to_us, zone)):
        return at_us - origin_us + to_us
    at = local(at_us, zone)
    day = at.date() + (local(to_us, zone).date() - local(origin_us, zone).date())
    clock = time() if _midnight(at_us, zone) else at.time()  # a day may begin at one, where the clock skips midnight
    return us(datetime.combine(day, clock, tzinfo=zone))


def _midnight(at_us: int, zone: ZoneInfo) -> bool:
    return containing(Unit.DAY, at_us, zone).start_us == at_us


def predecessor(ledger: Ledger, found: Report, now_us: int, *, selection: Selection | None = None) -> PreviousPeriod:
    """The same report of the period before."""
    period, unfinished = previous(found.period, now_us)
    return PreviousPeriod(report(ledger, period, found.by, selection=selection), unfinished)


def change(now_pico: int | None, before_pico: int | None) -> str:
    """A change of cost in whole percent: `+12%`, `-3%`, `new` where nothing was before, empty where it is unknown.

    While something is left it is less than -100%.
    """
    if now_pico is None or before_pico is None:
        return ""
    if not before_pico:
        return "new" if now_pico else "0%"
    difference = abs(now_pico - before_pico)
    percent = (200 * difference + before_pico) // (2 * before_pico)
    if 0 < now_pico < before_pico:
        percent = min(percent, 99)
    return "0%" if not percent else f"{'+' if now_pico > before_pico else '-'}{percent:,}%"


def sentence(before: PreviousPeriod, total: Total) -> str:
    """What a report says beneath: the cost before, its period and the change."""
    period, cost = before.report.period, before.report.total.cost_pico
    changed = change(total.cost_pico, cost)
    cut = ", as far into it as this period is" if before.unfinished else ""
    said = f" ({changed} since)" if changed and cost else ""
    return f"The period before, {period.start} until {period.end} (not included){cut}: {money(cost)}{said}."


def as_dict(before: PreviousPeriod) -> dict[str, Any]:
    """The period before as JSON carries it."""
    period = before.report.period
    return {
        "period": {"start": period.start, "end": period.end, "timezone": period.timezone},
        "unfinished": before.unfinished,
        "rows": [row_dict(row) for row in before.report.rows],
        "total": row_dict(before.report.total),
    }


def csv_columns(before: PreviousPeriod, row: Total) -> Mapping[str, str | None]:
    """What a row of CSV gets: the cost of the same group before and the difference; nothing where rows have none."""
    if not before.by_row:
        return {}
    cost = before.cost_of(row)
    known = cost is not None and row.cost_pico is not None
    return {
        "previous_cost_usd": None if cost is None else usd(cost),
        "change_usd": usd((row.cost_pico or 0) - (cost or 0)) if known else None,
    }

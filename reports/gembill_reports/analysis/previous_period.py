"""A report beside that of the period before.

Owns: which period is "the one before". Not here: sums, and how a change is written (`gembill_reports.views`).
Invariant: a period that is not over is compared with as much of the one before as has passed of it, never with the
whole. Both are measured on the calendar: the 21st at nine o'clock is as far into a month as the 21st at nine of
another, though a clock was changed in one.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Selection, Total
from gembill.period import Period, Unit, containing, local, us
from gembill_reports.analysis.report import TIMES, Report, report

_MINUTE_US = 60_000_000
_UNITS = (Unit.MONTH, Unit.WEEK, Unit.DAY)


@dataclass(frozen=True, slots=True)
class PreviousPeriod:
    """The report of the period before. `unfinished`: both are cut at the same distance from their beginning."""

    report: Report
    unfinished: bool

    @property
    def by_row(self) -> bool:
        """Whether rows have counterparts: those of a day or a month do not, because it comes only once."""
        return not set(self.report.by) & set(TIMES)

    def cost_of(self, row: Total) -> int | None:
        """What the same group cost before: 0 where it had no call, None where it is not known."""
        counterpart = self.counterpart(row)
        return 0 if counterpart is None else counterpart.cost_pico

    def waste_of(self, row: Total) -> int | None:
        """What its failed executions cost before, an estimate: 0 where it had no call, None where it is not known."""
        counterpart = self.counterpart(row)
        return 0 if counterpart is None else counterpart.failed_execution_cost_pico

    def counterpart(self, row: Total) -> Total | None:
        """The sums of the same group before, those of all calls for a total; None where it had no call."""
        if not row.group:
            return self.report.total
        return next((one for one in self.report.rows if one.group == row.group), None)


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


def predecessor(ledger: Ledger, current: Report, now_us: int, *, selection: Selection | None = None) -> PreviousPeriod:
    """The same report of the period before."""
    period, unfinished = previous(current.period, now_us)
    return PreviousPeriod(report(ledger, period, current.by, selection=selection), unfinished)

"""A period in few words for people, and as JSON carries it; and the time of a call.

Owns: those forms. Not here: what a period is (`gembill.period`). Invariant: an end that is not part of the period
is never written as if it were.
"""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gembill.period import Period, Unit, containing, local, name, tz_version


def words(period: Period) -> str:
    """A period in few words: `2026-11`, `2026-11-01 through 2026-11-07`, or its instants."""
    if period.start_us is None or period.end_us is None:
        since = f"since {_point(period, period.start_us)}" if period.start_us is not None else "all"
        return since if period.end_us is None else f"{since} {_end(period, period.end_us)}"
    for unit in (Unit.MONTH, Unit.DAY):
        if containing(unit, period.start_us, period.zone) == period:
            return name(unit, period.start_us, period.zone)
    if _whole_days(period):
        return f"{name(Unit.DAY, period.start_us, period.zone)} {_end(period, period.end_us)}"
    return f"{_point(period, period.start_us)} {_end(period, period.end_us)}"


def period_dict(period: Period) -> dict[str, Any]:
    """The period as JSON carries it; an open end is None. `timezone_database` is the version that says when days end;
    None where it is the machine's own."""
    ends = {"start": period.start, "end": period.end, "timezone": period.timezone}
    return ends | {"timezone_database": tz_version()}


def second(at_us: int, zone: ZoneInfo) -> str:
    """The time of a call for people, on the zone's clock, which is named elsewhere."""
    return f"{local(at_us, zone):%Y-%m-%d %H:%M:%S}"


def _end(period: Period, at_us: int) -> str:
    """The end as the last day that is part of the period, where it is the end of a day."""
    if containing(Unit.DAY, at_us, period.zone).start_us == at_us:
        return f"through {local(at_us, period.zone).date() - timedelta(days=1)}"
    return f"until {_point(period, at_us)} (not included)"


def _point(period: Period, at_us: int) -> str:
    moment = local(at_us, period.zone)
    if containing(Unit.DAY, at_us, period.zone).start_us == at_us:
        return moment.date().isoformat()
    return moment.isoformat()


def _whole_days(period: Period) -> bool:
    ends = (period.start_us, period.end_us)
    return all(at is not None and containing(Unit.DAY, at, period.zone).start_us == at for at in ends)

"""Periods of time as people name them: hours, days, weeks and months in a time zone.

Owns: what a date, a month or an instant in a flag means, which period an instant is in, and how a period is cut into
smaller ones; reports and budgets share it. Not here: a clock; "now" comes in. Invariant: periods are half open
`[start, end)` in microseconds since 1970 UTC, and neighbouring ones meet without gap or overlap, whatever the zone's
clock does in between. The default zone is the calendar of Google's bill (contract.md, Time). Weeks begin on Monday.
"""

import os
import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import tzdata

from gembill.errors import ConfigurationError

DEFAULT_ZONE = "America/Los_Angeles"
HOUR_US = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(1970, 9999)  # those that a period may be in

if "PYTHONTZPATH" not in os.environ:  # the wheel `tzdata` alone, so that two machines close the same month
    zoneinfo.reset_tzpath(to=(str(Path(tzdata.__file__).parent / "zoneinfo"),))  # found without importlib.resources


class Unit(StrEnum):
    """The lengths a period can have; `total` is all of time."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Period:
    """Calls with `start_us <= occurred_us < end_us`; None is an open end. `zone` is the calendar it was named in."""

    start_us: int | None
    end_us: int | None
    zone: ZoneInfo

    @property
    def start(self) -> str | None:
        """The first instant, ISO 8601 with offset."""
        return None if self.start_us is None else iso(self.start_us, self.zone)

    @property
    def end(self) -> str | None:
        """The first instant after it, ISO 8601 with offset."""
        return None if self.end_us is None else iso(self.end_us, self.zone)

    @property
    def timezone(self) -> str:
        """The name of the zone, such as `America/Los_Angeles`."""
        return self.zone.key


def tz_version() -> str | None:
    """The version of the time zone database that days and months are taken from; None if the machine's own is used."""
    if "PYTHONTZPATH" in os.environ:
        return None
    return str(tzdata.IANA_VERSION)


def zone(name: str | None = None) -> ZoneInfo:
    """The time zone of that name; ConfigurationError if it is not known."""
    try:
        return ZoneInfo(name or DEFAULT_ZONE)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"'{name}' is not a known time zone; write it like {DEFAULT_ZONE} or UTC") from None


def iso(at_us: int, zone: ZoneInfo) -> str:
    """The instant as ISO 8601 with the zone's offset; microseconds only where there are any."""
    return local(at_us, zone).isoformat()


def local(at_us: int, zone: ZoneInfo) -> datetime:
    """The instant on the zone's clock."""
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)


def us(when: datetime) -> int:
    """Microseconds since 1970 of a time with a zone or an offset."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def parse(
    since: str | None = None,
    until: str | None = None,
    month: str | None = None,
    *,
    tz: str | None = None,
    through: str | None = None,
) -> Period:
    """The period that the flags `--since --until --through --month --tz` name; ends that were not given are open.

    Dates are midnights in the zone, instants without an offset are on its clock; `until` is not included, the day
    `through` is. ConfigurationError if they contradict each other or cannot be read.
    """
    calendar = zone(tz)
    if month is not None:
        if since is not None or until is not None or through is not None:
            raise ConfigurationError("--month names a whole period; leave out the other ends of a period, or --month")
        return _month(month, calendar)
    if until is not None and through is not None:
        raise ConfigurationError("--until and --through both name the end; leave out one of them")
    start = None if since is None else instant(since, calendar, name="--since")
    end = None if until is None else instant(until, calendar, name="--until")
    if through is not None:
        end = _day_after(through, calendar)
    if start is not None and end is not None and start >= end:
        last = f"--until {until} (which is not included)" if through is None else f"the end of --through {through}"
        raise ConfigurationError(f"--since {since} is not before {last}")
    return Period(start, end, calendar)


def _day_after(text: str, zone: ZoneInfo) -> int:
    """The end of a day that was named, which has to be a day and not an instant."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise ConfigurationError(f"--through is '{text}', which is not a day; write it like 2026-11-21")
    return midnight(day + timedelta(days=1), zone)


def instant(text: str, zone: ZoneInfo, *, name: str = "the time") -> int:
    """Microseconds of a date or an ISO instant; `name` is what an error calls it.

    A wall-clock time that occurs twice is the first of the two; one that is skipped is the moment of the jump or
    as far after it as it is into the gap.
    """
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        when = None
    if when is None or when.year not in YEARS:
        raise ConfigurationError(
            f"{name} is '{text}', which is not a date or an instant; write it like 2026-11-21 or 2026-11-21T09:00:00Z"
        )
    return us(when if when.tzinfo else when.replace(tzinfo=zone))


def containing(unit: Unit, at_us: int, zone: ZoneInfo) -> Period:
    """The period of that length which holds the instant."""
    if unit is Unit.TOTAL:
        return Period(None, None, zone)
    if unit is Unit.HOUR:
        return _hour(at_us, zone)
    first = _first_day(unit, day_of(at_us, zone))
    return Period(midnight(first, zone), midnight(_next_day(unit, first), zone), zone)


def buckets(period: Period, unit: Unit) -> Iterator[Period]:
    """The period cut into periods of that length, in order; the first and the last may be cut short.

    Both ends must be closed, unless the unit is `total`.
    """
    if unit is Unit.TOTAL:
        yield period
        return
    if period.start_us is None or period.end_us is None:
        raise ValueError("a period with an open end cannot be cut into smaller ones")
    at = period.start_us
    while at < period.end_us:
        end = containing(unit, at, period.zone).end_us
        assert end is not None
        yield replace(period, start_us=at, end_us=min(end, period.end_us))
        at = end


def name(unit: Unit, at_us: int, zone: ZoneInfo) -> str:
    """What reports call the period of an instant: `2026-11`, `2026-11-21`, a week by its Monday, an hour in full."""
    if unit is Unit.TOTAL:
        return "total"
    if unit is Unit.HOUR:
        start = _hour(at_us, zone).start_us
        assert start is not None
        return iso(start, zone)
    first = _first_day(unit, day_of(at_us, zone)).isoformat()
    return first[:7] if unit is Unit.MONTH else first


def midnight(day: date, zone: ZoneInfo) -> int:
    """The first instant of a day, also where the clock skips midnight (it is then the jump) or strikes it twice."""
    return us(datetime.combine(day, time(), tzinfo=zone))


def day_of(at_us: int, zone: ZoneInfo) -> date:
    """The day of an instant. Where a clock is set back across midnight, the day that has begun goes on."""
    day = local(at_us, zone).date()
    while midnight(day + timedelta(days=1), zone) <= at_us:
        day += timedelta(days=1)
    return day


def _first_day(unit: Unit, day: date) -> date:
    if unit is Unit.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit is Unit.WEEK else day


def _next_day(unit: Unit, first: date) -> date:
    if unit is Unit.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if unit is Unit.WEEK else 1)


def _hour_start(at_us: int, zone: ZoneInfo) -> int:
    return us(local(at_us, zone).replace(minute=0, second=0, microsecond=0))


def _hour(at_us: int, zone: ZoneInfo) -> Period:
    """The hour of the zone's clock; it is shorter or longer where the clock jumps by less or more than an hour."""
    start = _hour_start(at_us, zone)
    while (end := _hour_end(start, zone)) <= at_us:
        start = end
    return Period(start, end, zone)


def _hour_end(start: int, zone: ZoneInfo) -> int:
    probe = start + HOUR_US // 2
    while (end := _hour_start(probe, zone)) <= start:
        probe += HOUR_US // 2
    return end


def _month(text: str, zone: ZoneInfo) -> Period:
    match = re.fullmatch(r"(\d{4})-(\d{2})", text.strip(), re.ASCII)
    if not match or int(match[1]) not in YEARS or not 1 <= int(match[2]) <= 12:
        raise ConfigurationError(f"--month is '{text}', which is not a month; write it like 2026-11")
    first = date(int(match[1]), int(match[2]), 1)
    return Period(midnight(first, zone), midnight(_next_day(Unit.MONTH, first), zone), zone)

"""Periods in the words that people say: `today`, `last-month`, `2026-Q3`.

Owns: the words of `--period`, and which period each of them means at a given moment. Not here: a clock; "now" comes in.
Invariant: a word means whole days of the zone's calendar, and a word that is not known is refused with the nearest one.
"""

import re
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from gembill.errors import ConfigurationError
from gembill.period import YEARS, Period, Unit, containing, day_of, midnight

WORDS = ("today", "yesterday", "last-7-days", "last-30-days", "this-week", "last-week", "this-month", "last-month")
FORMS = "a day like 2026-10-31, a month like 2026-10, a quarter like 2026-Q3 or a year like 2026"
_LAST_DAYS = re.compile(r"last-([1-9][0-9]{0,3})-days", re.ASCII)
_DATED = re.compile(r"([0-9]{4})(?:-(?:(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?|Q(?P<quarter>[1-4])))?", re.ASCII)


def spoken(text: str, zone: ZoneInfo, now_us: int) -> Period:
    """The period that a word means at that moment. `last-7-days` ends with today, `last-week` with the last Sunday.

    ConfigurationError, which names the nearest word, where it is none.
    """
    word = text.strip()
    if word in _UNITS:
        unit, back = _UNITS[word]
        now = containing(unit, now_us, zone)
        return containing(unit, now.start_us - 1, zone) if back and now.start_us is not None else now
    if days := _LAST_DAYS.fullmatch(word):
        today = containing(Unit.DAY, now_us, zone)
        first = day_of(now_us, zone) - timedelta(days=int(days[1]) - 1)
        return replace(today, start_us=midnight(first, zone))
    dated = _DATED.fullmatch(word)
    ends = None if dated is None else _dates(dated)
    if ends is None:
        raise ConfigurationError(f"--period is '{text}', which is not a period{_nearest(word)}; it can be {_known()}")
    return Period(midnight(ends[0], zone), midnight(ends[1], zone), zone)


_UNITS = {
    "today": (Unit.DAY, False),
    "yesterday": (Unit.DAY, True),
    "this-week": (Unit.WEEK, False),
    "last-week": (Unit.WEEK, True),
    "this-month": (Unit.MONTH, False),
    "last-month": (Unit.MONTH, True),
}


def _dates(written: re.Match[str]) -> tuple[date, date] | None:
    """The first day and the first day after; None where there is no such day."""
    year = int(written[1])
    if year not in YEARS:
        return None
    month, day, quarter = (None if one is None else int(one) for one in written.group("month", "day", "quarter"))
    try:
        if day is not None and month is not None:
            first = date(year, month, day)
            return first, first + timedelta(days=1)
        if quarter is not None:
            return date(year, 3 * quarter - 2, 1), _month_after(date(year, 3 * quarter, 1))
        if month is not None:
            return date(year, month, 1), _month_after(date(year, month, 1))
    except ValueError:
        return None
    return date(year, 1, 1), date(year + 1, 1, 1)


def _month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word.lower().replace("_", "-").replace(" ", "-"), WORDS, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _known() -> str:
    return f"{', '.join(WORDS)} (or another number of days), {FORMS}"

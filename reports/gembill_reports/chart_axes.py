"""The names of hours and days on an axis.

Owns: which bars are named, and how short. Not here: bars. Invariant: a name that is written is of one bar only: where a
clock is set back, the hour that comes twice carries its offset.
"""

from collections.abc import Sequence
from datetime import date

_MOST = 8  # names that an axis has room for
_DAY = len("2026-11-21")
_HOUR = len("2026-11-21T09:00:00+00:00")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def ticks(names: Sequence[str]) -> list[str]:
    """What the axis says below each bar: empty for most. A second line is a date or the offset of the hour."""
    if names and all(map(_is_hour, names)):
        return _hours(names)
    every = max(1, -(-len(names) // _MOST))
    return [short(name) if at % every == 0 else "" for at, name in enumerate(names)]


def short(name: str) -> str:
    """The name of a bucket as an axis writes it: a day without its year, an hour without its offset."""
    return name[5:16].replace("T", " ") if _is_hour(name) else name[5:] if _is_day(name) else name


def spoken(name: str) -> str:
    """The name of a bucket in full: `Sat 2026-11-21`, `2026-11-21 09:00 +00:00`; any other name as it is."""
    if _is_day(name):
        return f"{_DAYS[date.fromisoformat(name).weekday()]} {name}"
    return f"{name[:10]} {name[11:16]} {name[19:]}" if _is_hour(name) else name


def _hours(names: Sequence[str]) -> list[str]:
    """Some hours of the clock, the first one of each day with the date, and the second one of two that read alike."""
    days = len({name[:_DAY] for name in names})
    every = next(step for step in (1, 2, 3, 6, 8, 12, 24) if len(names) <= step * _MOST + 1 or step == 24)
    seen: set[str] = set()
    named: set[str] = set()
    said = []
    for name in names:
        day, clock, offset = name[:_DAY], name[11:16], name[19:]
        again = name[:16] in seen
        seen.add(name[:16])
        wanted = again or (clock[3:] == "00" and int(clock[:2]) % every == 0)
        below = [offset] if again else [day[5:]] if days > 1 and day not in named and wanted else []
        named.update([day] if wanted else [])
        said.append("\n".join([clock, *below]) if wanted else "")
    return said


def _is_day(name: str) -> bool:
    try:
        return len(name) == _DAY and bool(date.fromisoformat(name))
    except ValueError:
        return False


def _is_hour(name: str) -> bool:
    return len(name) == _HOUR and name[10] == "T" and _is_day(name[:_DAY])

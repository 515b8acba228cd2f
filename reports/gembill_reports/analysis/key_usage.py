"""What each API key was used for: cost, calls, refusals, and when it was seen last.

Owns: the rows and how the last hour of each key is found. Not here: sums (`gembill.ledger`) and words. Invariant: every
call of the period is in exactly one row; the last hour is that of a call in the period, found by looking back from its
end in ever longer steps, so that a month is read by hours only for a key that was silent for most of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gembill.ledger import Ledger, Selection, Total, read_sums, read_time_range, read_totals
from gembill.model import Status
from gembill.period import HOUR_US, Period
from gembill_reports.analysis.report import Report, report_of

_FIRST_LOOK_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """One key, None of calls without one. `last_us` is the start of the hour of its last call, in UTC hours."""

    key: str | None
    total: Total
    refused_calls: int
    last_us: int | None


@dataclass(frozen=True, slots=True)
class KeysInUse:
    """The keys of a period in the order of a report, which is beside them."""

    report: Report
    keys: tuple[KeyUsage, ...]
    refused_calls: int


def keys_in_use(ledger: Ledger, period: Period, *, selection: Selection | None = None) -> KeysInUse:
    """The keys with calls of `selection` in the period; the selection's own times are not used."""
    chosen = replace(selection or Selection(), start_us=period.start_us, end_us=period.end_us)
    by_status = read_totals(ledger, chosen, ("key", "status"))
    result = report_of(ledger, period, ("key",), by_status)
    refused = _refused(by_status)
    last = _last_hours(ledger, chosen, [_key(row) for row in result.rows])
    keys = tuple(KeyUsage(_key(row), row, refused.get(_key(row), 0), last.get(_key(row))) for row in result.rows)
    return KeysInUse(result, keys, sum(refused.values()))


def _key(row: Total) -> str | None:
    key = row.group["key"]
    return None if key is None else str(key)


def _refused(totals: Sequence[Total]) -> dict[str | None, int]:
    return {_key(one): one.calls for one in totals if one.group["status"] == Status.ERROR.value}


def _last_hours(ledger: Ledger, chosen: Selection, keys: Sequence[str | None]) -> dict[str | None, int]:
    """When the hour of each key's last call began."""
    last: dict[str | None, int] = {}
    for start, end in _looks(ledger, chosen):
        if len(last) == len(keys):
            break
        window = replace(chosen, start_us=start, end_us=end)
        hours: dict[str | None, int] = {}
        for (key, hour), (calls,) in read_sums(ledger, window, ("key", "hour"), ("calls",)).items():
            if calls and isinstance(hour, int):
                named = None if key is None else str(key)
                hours[named] = max(hour * HOUR_US, hours.get(named, 0))
        last = {**hours, **last}
    return last


def _looks(ledger: Ledger, chosen: Selection) -> Iterator[tuple[int, int]]:
    """The period from its end to its start in steps of a day, two, four and so on, as far as there are calls."""
    extent = read_time_range(ledger)
    if extent is None:
        return
    first, past_last = extent[0], (extent[1] // HOUR_US + 1) * HOUR_US
    start = first if chosen.start_us is None else max(first, chosen.start_us)
    end = past_last if chosen.end_us is None else min(past_last, chosen.end_us)
    step = _FIRST_LOOK_US
    while start < end:
        begin = max(start, (end - step) // HOUR_US * HOUR_US)
        yield begin, end
        end, step = begin, 2 * step

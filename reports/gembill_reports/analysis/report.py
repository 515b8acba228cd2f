"""Totals of calls in a period: the rows of every report.

Owns: the groups a report may have, cutting a period into days or months, the order of rows, and the total row. Not
here: SQL (sums come from `gembill.ledger`) and how a report is written (`gembill_reports.views.report`). Invariant:
every call of the period is in exactly one row, so the rows add up to the total; sums skip what is not known, and a sum
of nothing but unknowns is unknown (None), while no calls at all cost 0.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Selection, Total, read_remarks, read_totals
from gembill.model import COST_PARTS, CostParts, Tokens
from gembill.period import HOUR_US, Period, Unit, buckets, name

GROUPS = ("model", "api", "operation", "service_tier", "status", "key", "location", "project")
TIMES = tuple(unit.value for unit in Unit if unit is not Unit.TOTAL)
_LABEL = "label."
_MEASURES = tuple(f.name for f in fields(Total) if f.name not in ("group", "tokens", "cost_parts"))
_TOKENS = Tokens.__struct_fields__

Group = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a period used: `rows` in order, one per value of the groups `by`, and `total` over all of them.

    It iterates over its rows.
    """

    period: Period
    by: tuple[str, ...]
    rows: tuple[Total, ...]
    total: Total
    demo: bool = False  # made-up calls are among them
    dead_letters: int = 0  # calls of any time that could not become records

    def __iter__(self) -> Iterator[Total]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def strictly_complete(self) -> bool:
        """Whether every call is a record and has its tokens and a price."""
        return not (self.total.unpriced_calls or self.total.incomplete_calls or self.dead_letters)


def groups(by: Iterable[str]) -> tuple[str, ...]:
    """The names of groups, checked; ConfigurationError names an unknown one, a repeated one or a second one of time."""
    names = tuple(name.strip() for name in by)
    for one in names:
        if one not in GROUPS and one not in TIMES and not (one.startswith(_LABEL) and len(one) > len(_LABEL)):
            known = ", ".join((*GROUPS, "label.NAME", *TIMES))
            raise ConfigurationError(f"--by '{one}' is not a group; it can be {known}")
    if len(set(names)) < len(names):
        raise ConfigurationError(f"--by names a group twice: {', '.join(names)}")
    if len(set(names) & set(TIMES)) > 1:
        raise ConfigurationError(f"--by {','.join(names)} cuts time twice; choose one of {', '.join(TIMES)}")
    return names


def report(ledger: Ledger, period: Period, by: Sequence[str] = (), *, selection: Selection | None = None) -> Report:
    """Totals of the calls of `selection` in the period, by the groups named; the selection's own times are not used."""
    by = groups(by)
    chosen = replace(selection or Selection(), start_us=period.start_us, end_us=period.end_us)
    time = next((Unit(one) for one in by if one in TIMES), None)
    if time is None:
        sums = read_totals(ledger, chosen, by)
    else:
        sums = _in_buckets(ledger, chosen, _Cut(time, period, tuple(one for one in by if one not in TIMES)))
    return report_of(ledger, period, by, sums)


def report_of(ledger: Ledger, period: Period, by: Sequence[str], sums: Iterable[Total]) -> Report:
    """The report by these groups of sums of a ledger that have them, maybe beside others."""
    rows = group_sums(by, sums)
    ordered = tuple(sorted(rows, key=lambda row: _order(by, row)))
    remarks = read_remarks(ledger)
    return Report(period, tuple(by), ordered, add({}, rows), demo=remarks.demo, dead_letters=remarks.dead_letters)


def add(group: Group, sums: Sequence[Total]) -> Total:
    """The sums added up under another group. No calls at all give zeros, because nothing was used."""
    empty = None if any(one.calls for one in sums) else 0
    return Total(
        group=dict(group),
        tokens=Tokens(**{part: _sum((getattr(one.tokens, part) for one in sums), empty) for part in _TOKENS}),
        cost_parts=CostParts(
            **{part: _sum((getattr(one.cost_parts, part) for one in sums), empty) for part in COST_PARTS}
        ),
        **{measure: _sum((getattr(one, measure) for one in sums), _start(measure, empty)) for measure in _MEASURES},
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    """How a period is cut: into `unit`s, and within them by the groups `others`."""

    unit: Unit
    period: Period
    others: tuple[str, ...]

    def value(self, at_us: int) -> str:
        return name(self.unit, at_us, self.period.zone)


def _in_buckets(ledger: Ledger, chosen: Selection, cut: _Cut) -> list[Total]:
    """Sums whose group holds the name of their hour, day, week or month.

    The rollups know whole UTC hours. Where the zone's days begin at one, hours are added up; where they do not
    (India is at half past), each bucket that has calls is asked for by itself.
    """
    hourly = [one for one in read_totals(ledger, chosen, ("hour", *cut.others)) if one.calls]
    if not hourly:
        return []
    hours = sorted({_hour(one) for one in hourly})
    windows = _windows(cut, hours)
    if all(start % HOUR_US == 0 for start, _ in windows[1:]):
        names = {hour: cut.value(max(hour * HOUR_US, windows[0][0])) for hour in hours}
        return [replace(one, group={**one.group, "hour": None, cut.unit.value: names[_hour(one)]}) for one in hourly]
    totals = []
    for start, end in windows:
        sums = read_totals(ledger, replace(chosen, start_us=start, end_us=end), cut.others)
        totals += [replace(one, group={**one.group, cut.unit.value: cut.value(start)}) for one in sums]
    return totals


def _hour(one: Total) -> int:
    hour = one.group["hour"]
    assert isinstance(hour, int)
    return hour


def _windows(cut: _Cut, hours: Sequence[int]) -> list[tuple[int, int]]:
    """Start and end of each bucket that may hold calls, given the UTC hours that have some."""
    first, last = hours[0] * HOUR_US, (hours[-1] + 1) * HOUR_US
    start = first if cut.period.start_us is None else max(first, cut.period.start_us)
    end = last if cut.period.end_us is None else min(last, cut.period.end_us)
    busy = {hour * HOUR_US for hour in hours}
    windows = []
    for bucket in buckets(Period(start, end, cut.period.zone), cut.unit):
        assert bucket.start_us is not None
        assert bucket.end_us is not None
        if any(at in busy for at in range(bucket.start_us // HOUR_US * HOUR_US, bucket.end_us, HOUR_US)):
            windows.append((bucket.start_us, bucket.end_us))
    return windows


def group_sums(by: Sequence[str], sums: Iterable[Total]) -> list[Total]:
    """One sum for each group that has calls, in the order in which groups first come."""
    together: dict[tuple[Any, ...], list[Total]] = {}
    for one in sums:
        if one.calls:
            together.setdefault(tuple(one.group[key] for key in by), []).append(one)
    return [add(dict(zip(by, values, strict=True)), rows) for values, rows in together.items()]


def _order(by: Sequence[str], row: Total) -> tuple[Any, ...]:
    """Time runs forward; then the most expensive first, unknown cost after known, then by name; missing values last."""
    times = [_when(key, str(row.group[key])) for key in by if key in TIMES]
    values = [row.group[key] for key in by if key not in TIMES]
    cost = row.cost_pico
    missing = [value is None for value in values]
    return times, missing, cost is None, -(cost or 0), [str(value) for value in values]


def _when(unit: str, name: str) -> Any:  # noqa: ANN401 - of one report all are of one type
    """What names of times are ordered by. An hour that comes twice has +02:00, then +01:00: another order than text."""
    return datetime.fromisoformat(name) if unit == Unit.HOUR else name


def _start(measure: str, empty: int | None) -> int | None:
    """Counts start at 0; money is unknown until something is known."""
    return empty if measure.endswith("_pico") else 0


def _sum(values: Iterable[int | None], start: int | None) -> Any:  # noqa: ANN401
    known = [value for value in values if value is not None]
    return sum(known) if known else start

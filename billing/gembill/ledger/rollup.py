"""What one revision of a record adds to the rollups: a narrow and a wide one, each by UTC hour and by UTC day.

Owns: keys, measures and their differences, and the same measures as SQL over `record` (for audits and cut hours).
Not here: totals. Invariant: the sum of the differences posted for a record is the contribution of its current revision.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import add, sub
from typing import Any

from sqlalchemy import ColumnElement, Table, case, func, literal_column

from gembill.ledger import schema
from gembill.ledger.entries import LedgerRecord
from gembill.ledger.mapping import Figures, figures, hour_of
from gembill.ledger.measures import COSTS, TOKEN_FIELDS
from gembill.ledger.schema import record

Key = tuple[Any, ...]
DAY_HOURS = 24
_HOUR = schema.NARROW_KEY.index("hour_utc")
_TOKENS = len(TOKEN_FIELDS)


def contribution(revisions: Sequence[tuple[bool, Figures]]) -> list[int]:
    """What revisions count for together, in the order of `MEASURES`; nulls count as 0 and are not `known`.

    Each is given as whether it is priced, and its figures. At least one.
    """
    priced, each = zip(*revisions, strict=True)
    columns = list(zip(*each, strict=True))
    tokens, (runs, failed), costs = columns[:_TOKENS], columns[_TOKENS : _TOKENS + 2], columns[_TOKENS + 2 :]
    sums = [len(priced), len(priced) - sum(priced), sum(runs), sum(failed)]
    for counts in tokens:
        sums += _sum_and_known(counts)
    sums.append(_sum_and_known(costs[0])[1])
    return sums + [_sum_and_known(amounts)[0] for amounts in costs]


def _sum_and_known(column: tuple[int | None, ...]) -> tuple[int, int]:
    """The sum of what is known, and of how many it is."""
    unknown = column.count(None)
    return sum(filter(None, column)), len(column) - unknown


def narrow_key(entry: LedgerRecord) -> Key:
    """The cell of the narrow rollup a revision belongs to."""
    record = entry.record
    return (
        record.source_id,
        hour_of(record.occurred_us),
        record.model or "",
        record.api.value,
        str(record.operation),
        record.service_tier,
        record.status.value,
        int(bool(record.executions)),
    )


@dataclass(frozen=True, slots=True)
class Differences:
    """What revisions add to or take from each cell of the wide rollup by hour; those of the others are their sums."""

    added: dict[Key, list[tuple[bool, Figures]]] = field(default_factory=dict)
    taken: dict[Key, list[tuple[bool, Figures]]] = field(default_factory=dict)

    def add(self, entry: LedgerRecord, labels_hash: bytes, counts: Figures) -> None:
        """Count a revision in; `counts` are its figures."""
        key = (*narrow_key(entry), entry.record.key or "", labels_hash)
        self.added.setdefault(key, []).append((entry.priced, counts))

    def take(self, entry: LedgerRecord, labels_hash: bytes) -> None:
        """Count a revision out that was counted in before."""
        key = (*narrow_key(entry), entry.record.key or "", labels_hash)
        self.taken.setdefault(key, []).append((entry.priced, figures(entry)))

    @property
    def wide(self) -> dict[Key, list[int]]:
        """Sums by cell of the wide rollup by hour."""
        sums = {key: contribution(revisions) for key, revisions in self.added.items()}
        for key, revisions in self.taken.items():
            less = contribution(revisions)
            sums[key] = list(map(sub, sums.get(key, (0,) * len(less)), less))
        return sums

    @property
    def narrow(self) -> dict[Key, list[int]]:
        """Sums by cell of the narrow rollup by hour."""
        return _joined(self.wide, _narrow)

    def rows(self) -> Iterator[tuple[Table, list[tuple[Any, ...]]]]:
        """What to add to each rollup, cells left out that change nothing."""
        wide = self.wide
        narrow = _joined(wide, _narrow)
        yield schema.rollup_narrow, _rows(narrow)
        yield schema.rollup_wide, _rows(wide)
        yield schema.rollup_narrow_day, _rows(_joined(narrow, _day))
        yield schema.rollup_wide_day, _rows(_joined(wide, _day))


def _narrow(key: Key) -> Key:
    return key[: len(schema.NARROW_KEY)]


def _joined(cells: Mapping[Key, list[int]], coarser: Callable[[Key], Key]) -> dict[Key, list[int]]:
    """The same sums in coarser cells."""
    sums: dict[Key, list[int]] = {}
    for key, values in cells.items():
        cell = coarser(key)
        known = sums.get(cell)
        sums[cell] = values if known is None else list(map(add, known, values))
    return sums


def _day(key: Key) -> Key:
    return (*key[:_HOUR], key[_HOUR] // DAY_HOURS, *key[_HOUR + 1 :])


def _rows(cells: Mapping[Key, list[int]]) -> list[tuple[Any, ...]]:
    return [(*key, *sums) for key, sums in cells.items() if any(sums)]


def _known(name: str) -> ColumnElement[int]:
    return case((record.c[name].is_(None), 0), else_=1)


def _floor_day(hour: ColumnElement[int]) -> ColumnElement[int]:
    """The day of an hour, rounded down as Python does it; SQL rounds towards 1970."""
    of_day = (hour % DAY_HOURS + DAY_HOURS) % DAY_HOURS
    return (hour - of_day) // DAY_HOURS


MEASURED: dict[str, ColumnElement[Any]] = {
    "calls": literal_column("1"),
    "unpriced_calls": 1 - record.c.priced,
    "executions": record.c.executions_count,
    "executions_failed": record.c.executions_failed,
    **{f"tokens_{field}": func.coalesce(record.c[f"tokens_{field}"], 0) for field in TOKEN_FIELDS},
    **{f"tokens_{field}_known": _known(f"tokens_{field}") for field in TOKEN_FIELDS},
    "costed": _known("cost_pico"),
    **{cost: func.coalesce(record.c[cost], 0) for cost in COSTS},
}
"""Each measure of one row of `record`."""

KEYED: dict[str, ColumnElement[Any]] = {
    "model": func.coalesce(record.c.model, literal_column("''")),
    **{name: func.coalesce(record.c[name], literal_column("''")) for name in ("key", "location", "project")},
    **{name: record.c[name] for name in ("source_id", "hour_utc", "api", "operation", "service_tier", "status")},
    "day_utc": _floor_day(record.c.hour_utc),
    "code_execution_used": record.c.code_execution_used,
    "labels_hash": record.c.labels_hash,
}
"""Each part of a rollup's key of one row of `record`, and where it ran, which no rollup knows."""

"""The sums of whole days, kept so that a bill is compared without looking at each call again.

Owns: the rows of `usage_day`, and when one still holds. Not here: how a day is summed (`usage_sums`). Invariant:
the sums of a day hold exactly as long as nothing was posted about its calls (`count_changes`, which is kept as
`entries`); else it is summed again, and what was kept is replaced. `audit_ledger` sums each day that still holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any

from gembill.ledger.entry_counts import count_changes
from gembill.ledger.errors import translated
from gembill.ledger.reading import DrivenSnapshot
from gembill.ledger.store import Ledger
from gembill.ledger.usage_sums import BillDay, read_words, usage_of_day
from gembill.model import Meter, Modality
from gembill.reconcile.sums import Usage

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gembill.ledger.reading import Snapshot

_Kept = tuple[BillDay, int, list[Usage]]  # the number is that of changes
_Stale = tuple[BillDay, int, int]  # the numbers of changes and of entries
_NAMES = tuple(one.name for one in fields(Usage))  # in the order in which values are kept


def read_usage_of_days(
    ledger: Ledger,
    days: Sequence[BillDay],
    *,
    keep: bool = False,
    report: Callable[[int, int], object] = lambda _done, _all: None,
) -> list[Usage]:
    """The charges of all calls of these days, from what is kept where it holds. `keep` keeps what had to be summed.

    `report` is given how many entries were summed by now, and of how many.
    """
    with translated("sum up its charges"), ledger.reading() as snapshot:
        kept, stale = _look(snapshot, days)
        summed = _sum(snapshot, stale, report)
    if keep and summed:
        _keep(ledger, summed)
    by_day = {day.day: usages for day, _, usages in (*kept, *summed)}
    return [usage for day in sorted(by_day) for usage in by_day[day]]


def audit_usage_days(connection: Connection) -> Iterable[str]:
    """Whether the sums of each day that still holds are those of its charges."""
    snapshot = DrivenSnapshot(connection)
    words = None
    for number, start_us, end_us, changes, document in snapshot.rows(
        "SELECT day, start_us, end_us, entries, document FROM usage_day ORDER BY day"
    ):
        day = BillDay(number, start_us, end_us)
        entries = day.count_entries(snapshot)
        if count_changes(snapshot, start_us, end_us, entries) != changes:
            continue
        words = words or read_words(snapshot)
        if set(_read(document)) != set(usage_of_day(snapshot, words, day, entries)):
            yield f"usage_day {number}: its sums are not those of the charges of its calls"


def _look(snapshot: Snapshot, days: Sequence[BillDay]) -> tuple[list[_Kept], list[_Stale]]:
    """The days whose sums hold, with them; and the others that have calls."""
    first, last = (min((day.day for day in days), default=0), max((day.day for day in days), default=0))
    asked = "SELECT day, start_us, end_us, entries, document FROM usage_day WHERE day >= ? AND day <= ?"
    there = {row[0]: row[1:] for row in snapshot.rows(asked, (first, last))}
    kept: list[_Kept] = []
    stale: list[_Stale] = []
    for day in days:
        entries = day.count_entries(snapshot)
        changes = count_changes(snapshot, day.start_us, day.end_us, entries)
        row = there.get(day.day)
        if row is not None and tuple(row[:3]) == (day.start_us, day.end_us, changes):
            kept.append((day, changes, _read(row[3])))
        elif entries:
            stale.append((day, changes, entries))
    return kept, stale


def _sum(snapshot: Snapshot, stale: Sequence[_Stale], report: Callable[[int, int], object]) -> list[_Kept]:
    if not stale:
        return []
    words = read_words(snapshot)
    total, done = sum(entries for _, _, entries in stale), 0
    summed = []
    for day, changes, entries in stale:
        summed.append((day, changes, usage_of_day(snapshot, words, day, entries)))
        done += entries
        report(done, total)
    return summed


def _keep(ledger: Ledger, summed: Sequence[_Kept]) -> None:
    from sqlalchemy import delete

    from gembill.ledger import schema, sql

    rows = [(day.day, day.start_us, day.end_us, changes, _written(usages)) for day, changes, usages in summed]
    for attempt in ledger.attempts("keep the sums of days"):
        with attempt as transaction:
            days = [row[0] for row in rows]
            transaction.connection.execute(delete(schema.usage_day).where(schema.usage_day.c.day.in_(days)))
            sql.insert(transaction.connection, schema.usage_day, rows)


def _written(usages: Iterable[Usage]) -> str:
    return json.dumps([astuple(usage) for usage in usages], separators=(",", ":"))


def _read(document: str) -> list[Usage]:
    return [_usage(values) for values in json.loads(document)]


def _usage(values: Sequence[Any]) -> Usage:
    named = dict(zip(_NAMES, values, strict=True))
    return Usage(**named | {"meter": Meter(named["meter"]), "modality": Modality(named["modality"])})

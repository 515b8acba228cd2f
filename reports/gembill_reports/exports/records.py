"""Calls and charges as files for other programs.

Owns: the three forms of an export, piece by piece. Not here: queries, and the columns of FOCUS (`focus`). Invariant:
calls pass through as a stream, so that memory does not grow with their number; nothing a spreadsheet would run is left.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, groupby, islice
from typing import Any
from zoneinfo import ZoneInfo

from gembill.ledger import Ledger, LedgerRecord, holds_demo_data, read_bodies, read_charges_of
from gembill.model import Meter, Modality, Price, Record
from gembill.period import Unit, containing
from gembill_reports.analysis.receipt import receipt
from gembill_reports.exports import focus
from gembill_reports.layout.tables import csv_lines
from gembill_reports.views.records import csv_rows, record_dict

_PAGE = 500


class ExportFormat(StrEnum):
    """What can be written: a line per call (`csv`, `jsonl`) or a line per charge (`focus`, FOCUS 1.2 as CSV)."""

    CSV = "csv"
    JSONL = "jsonl"
    FOCUS = "focus"

    @property
    def has_charges_alone(self) -> bool:
        """Whether a call whose cost is not known has no line."""
        return self is ExportFormat.FOCUS


class Grain(StrEnum):
    """What a row of charges is about: one call, or all like calls of a day."""

    CALL = "call"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Export:
    """The calls to write, and what a line per charge needs besides them."""

    ledger: Ledger
    records: Iterable[LedgerRecord]
    prices_of: Callable[[Iterable[str]], Mapping[str, Price]]  # the price rows of ids
    zone: ZoneInfo  # the calendar of billing periods
    account: str  # who pays
    grain: Grain = Grain.CALL  # of the rows of `focus`
    is_reconciled: Callable[[Record, Meter, Modality | None], bool] = lambda *_: False

    def text(self, form: ExportFormat) -> Iterator[str]:
        """The export in a form, piece by piece."""
        return _WRITERS[form](self)


def _csv(export: Export) -> Iterator[str]:
    rows = csv_rows(export.records)
    return csv_lines(rows.header, rows.rows)


def _jsonl(export: Export) -> Iterator[str]:
    demo = {"demo_data": True} if holds_demo_data(export.ledger) else {}
    for page in _pages(export):
        bodies = read_bodies(export.ledger, page)
        for stored in page:
            events = ", ".join(body.decode() for body in bodies[stored.record.source_id, stored.record.id])
            yield f'{json.dumps(record_dict(stored) | demo)[:-1]}, "events": [{events}]}}\n'


def _pages(export: Export) -> Iterator[list[LedgerRecord]]:
    records = iter(export.records)
    while page := list(islice(records, _PAGE)):
        yield page


def _focus(export: Export) -> Iterator[str]:
    return csv_lines(focus.COLUMNS, _charges(export))


def _charges(export: Export) -> Iterator[dict[str, Any]]:
    """A row per charge, or their sums by day: calls come newest first, so that a day is held at a time."""
    if export.grain is Grain.CALL:
        yield from chain.from_iterable(rows for _, rows in _charges_of_calls(export))
        return
    days = groupby(_charges_of_calls(export), lambda one: containing(Unit.DAY, one[0].record.occurred_us, export.zone))
    for day, calls in days:
        yield from focus.by_day(chain.from_iterable(rows for _, rows in calls), day)


def _charges_of_calls(export: Export) -> Iterator[tuple[LedgerRecord, Iterator[dict[str, Any]]]]:
    for page in _pages(export):
        posted = read_charges_of(export.ledger, page)
        prices = export.prices_of({one.charge.price_id for one in chain.from_iterable(posted.values())})
        for stored in page:
            charges = posted[stored.record.source_id, stored.record.id]
            yield (
                stored,
                focus.rows(receipt(stored, charges, prices), export.zone, export.account, export.is_reconciled),
            )


_WRITERS: Mapping[ExportFormat, Callable[[Export], Iterator[str]]] = {
    ExportFormat.CSV: _csv,
    ExportFormat.JSONL: _jsonl,
    ExportFormat.FOCUS: _focus,
}

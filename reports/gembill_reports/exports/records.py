"""Calls and charges as files for other programs.

Owns: the three forms of an export, piece by piece. Owns no query and no column of FOCUS (`focus`). Invariant: calls
pass through as a stream, so that memory does not grow with their number; nothing a spreadsheet would run is left.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

from gembill.ledger import Ledger, LedgerRecord
from gembill.ledger.charging import charges_of
from gembill.model import Price
from gembill_reports.analysis.receipt import receipt
from gembill_reports.exports import focus
from gembill_reports.layout.tables import csv_lines
from gembill_reports.views import records

FORMS = ("csv", "jsonl", "focus")
_PAGE = 500

Rows = Callable[[Iterable[str]], Mapping[str, Price]]


def csv(found: Iterable[LedgerRecord]) -> Iterator[str]:
    """A line per call, as `gembill records --format csv`."""
    return records.csv_chunks(found)


def jsonl(found: Iterable[LedgerRecord]) -> Iterator[str]:
    """A JSON document per call and line, each as in `gembill records --format json`."""
    return (json.dumps(records.as_dict(stored)) + "\n" for stored in found)


def focus_csv(
    ledger: Ledger, found: Iterable[LedgerRecord], rows_of: Rows, zone: ZoneInfo, account: str
) -> Iterator[str]:
    """FOCUS 1.2 as CSV: a line per charge. `rows_of` gives the price rows of ids."""
    return csv_lines(focus.COLUMNS, _charges(ledger, iter(found), rows_of, zone, account))


def _charges(
    ledger: Ledger, found: Iterator[LedgerRecord], rows_of: Rows, zone: ZoneInfo, account: str
) -> Iterator[dict[str, Any]]:
    while page := list(islice(found, _PAGE)):
        posted = charges_of(ledger, page)
        prices = rows_of({one.charge.price_id for one in chain.from_iterable(posted.values())})
        for stored in page:
            yield from focus.rows(
                receipt(stored, posted[stored.record.source_id, stored.record.id], prices), zone, account
            )

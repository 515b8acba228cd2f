"""Keys as scripts read them.

Owns: their JSON and CSV. Not here: the rows (`gembill_reports.analysis.key_usage`). Invariant: a key has the numbers
that a report by key has, and beside them what only this has.
"""

from collections.abc import Mapping
from typing import Any

from gembill.ledger import Total
from gembill.period import iso
from gembill_reports.analysis.key_usage import KeysInUse, KeyUsage
from gembill_reports.analysis.previous_period import PreviousPeriod
from gembill_reports.layout.tables import flat
from gembill_reports.views.previous_period import csv_columns
from gembill_reports.views.report import report_dict, row_dict
from gembill_reports.views.view import Csv


def keys_dict(used: KeysInUse) -> dict[str, Any]:
    """The report by key; rows have `refused_calls` and the start of the hour of the last call, `last_hour`, besides."""
    rows = [_row(used, one) for one in used.keys]
    total = row_dict(used.report.total) | {"refused_calls": used.refused_calls}
    return report_dict(used.report) | {"rows": rows, "total": total}


def csv_rows(used: KeysInUse, before: PreviousPeriod | None = None) -> Csv:
    """A row for each key, and beside it what the key cost in the period before."""

    def beside(row: Total) -> Mapping[str, str | None]:
        return {} if before is None else csv_columns(before, row)

    total = used.report.total
    header = ("key", *flat(row_dict(total)), "refused_calls", "last_hour", *beside(total))
    return Csv(header, [{**flat(_row(used, one)), **beside(one.total)} for one in used.keys])


def _row(used: KeysInUse, one: KeyUsage) -> dict[str, Any]:
    last = None if one.last_us is None else iso(one.last_us, used.report.period.zone)
    return row_dict(one.total) | {"refused_calls": one.refused_calls, "last_hour": last}

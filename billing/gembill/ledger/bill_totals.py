"""Sums over the lines of Google's bill that count.

Owns: the queries over `bill_line`. Not here: taking files in (`bills`) and what an SKU means. Invariant: a line counts
if no newer file has its scope, or, of reports, which may be of days or of a month, any of its days; sums are
exact however large, and those of all groups add up to the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gembill.ledger.bills import WHOLE_FILES
from gembill.ledger.errors import translated
from gembill.ledger.measures import HALVES, OVERFLOW, joined_halves
from gembill.ledger.store import Ledger
from gembill.money import PICO_PER_USD
from gembill.reconcile.bill_line import BillForm, LineKind
from gembill.reconcile.sums import BillTotal

if TYPE_CHECKING:
    from gembill.ledger.reading import Snapshot

_KEYS = (
    *("kind", "sku_id", "sku", "unit", "service", "project", "location", "currency", "rate", "month"),
    *("first_day", "last_day", "decimals"),
)
_SORTED = tuple(sorted(_KEYS, key=("first_day", "sku", "project").__contains__, reverse=True))
"""The keys, those first that tell most lines apart: groups are made by sorting, which compares key after key."""
_VALUES = ("amount_micro", "cost_units", "cost_pico", "1")
_NEWER = f"newer.file_number > b.file_number AND newer.file_number IN ({WHOLE_FILES})"
_CURRENT = (
    f"b.file_number IN ({WHOLE_FILES}) "  # noqa: S608
    f"AND (b.file_number = (SELECT max(number) FROM bill_file WHERE lines >= 0) "  # the newest: nothing to look for
    f"OR NOT EXISTS (SELECT 1 FROM bill_line newer WHERE newer.scope = b.scope AND {_NEWER}))"
)
_CURRENT_REPORTS = (
    f"b.file_number IN ({WHOLE_FILES}) AND NOT EXISTS ("  # noqa: S608
    "SELECT 1 FROM (SELECT file_number, project, min(first_day) AS first_day, max(last_day) AS last_day "
    "FROM bill_line WHERE form = 'reports' GROUP BY file_number, project) newer "
    f"WHERE newer.project = b.project AND {_NEWER} "
    "AND newer.first_day <= b.last_day AND newer.last_day >= b.first_day)"
)


def bill_days(ledger: Ledger) -> dict[BillForm, tuple[int, int]]:
    """The first and the last day of usage on the lines of each form there is."""
    statement = (
        "SELECT form, min(first_day), max(last_day) FROM bill_line "  # noqa: S608
        f"WHERE kind = ? AND file_number IN ({WHOLE_FILES}) GROUP BY form"
    )
    with translated("read its bills"), ledger.reading() as snapshot:
        rows = snapshot.rows(statement, (LineKind.USAGE.value,))
    return {BillForm(row[0]): (row[1], row[2]) for row in rows}


def sku_texts(ledger: Ledger) -> list[tuple[str, str, int]]:
    """The ids of SKUs on all lines, each with the texts it has there and the numbers of their files, in their order."""
    statement = (
        "SELECT DISTINCT sku_id, sku, file_number FROM bill_line "  # noqa: S608
        f"WHERE sku_id <> '' AND file_number IN ({WHOLE_FILES}) ORDER BY sku_id, sku, file_number"
    )
    with translated("read its bills"), ledger.reading() as snapshot:
        return [(row[0], row[1], row[2]) for row in snapshot.rows(statement)]


def sum_bill(
    ledger: Ledger, form: BillForm, days: tuple[int | None, int | None] = (None, None), project: str | None = None
) -> list[BillTotal]:
    """The lines of a form that lie within the days (both included; None is open), of one project if it is named."""
    first, last = days
    limits = (("b.first_day >= ?", first), ("b.last_day <= ?", last), ("b.project = ?", project))
    chosen = [(condition, value) for condition, value in limits if value is not None]
    current = _CURRENT_REPORTS if form is BillForm.REPORTS else _CURRENT
    where = " AND ".join(["b.form = ?", current, *(condition for condition, _ in chosen)])
    values = (form.value, *(value for _, value in chosen))
    with translated("read its bills"), ledger.reading() as snapshot:
        return [_total(row) for row in _summed(snapshot, where, values)]


def _summed(snapshot: Snapshot, where: str, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    try:
        rows = _grouped(snapshot, [f"sum({value})" for value in _VALUES], where, values)
    except Exception as error:
        if OVERFLOW not in str(error):
            raise
        halves = [f"sum(({value}) {half})" for value in _VALUES for half in HALVES]
        rows = _grouped(snapshot, halves, where, values)
        yield from ((*row[: len(_KEYS)], *joined_halves(row[len(_KEYS) :])) for row in rows)
    else:
        yield from (tuple(row) for row in rows)


def _grouped(snapshot: Snapshot, sums: list[str], where: str, values: tuple[Any, ...]) -> Any:  # noqa: ANN401
    keys, groups = (", ".join(f"b.{key}" for key in some) for some in (_KEYS, _SORTED))
    rows = snapshot.rows(f"SELECT {keys}, {', '.join(sums)} FROM bill_line b WHERE {where} GROUP BY {groups}", values)  # noqa: S608
    return sorted(rows, key=lambda row: tuple(row[: len(_KEYS)]))


def _total(row: tuple[Any, ...]) -> BillTotal:
    named = dict(zip(_KEYS, row, strict=False))
    amount, units, pico, lines = (int(value) for value in row[len(_KEYS) :])
    for name in ("project", "location", "rate", "month"):
        named[name] = named[name] or None
    named["kind"] = LineKind(named["kind"])
    return BillTotal(**named, amount_micro=amount, cost_pico=units * PICO_PER_USD + pico, lines=lines)

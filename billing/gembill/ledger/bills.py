"""Google's bill in the ledger, append-only.

Owns: the rows of `bill_file` and `bill_line`, and which of them count. Not here: how files are read, and comparisons.
Invariant: a file counts whole or not at all; one that is there already changes nothing; of lines with the same scope
those of the newest file count, so a revised file takes the place of the one it revises without a row being changed.

A file comes in some thousand lines at a time, so that a proxy can post in between. Until all are there its number of
lines is -1 and nothing reads it; what a crash left is removed when the next file comes.

A row of an export of BigQuery never changes there, so its scope is what it says: two files that overlap add up to what
both hold. The scope of a line of a cost table is its invoice month and project, that of a report's the days it covers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any

from gembill.errors import LedgerError
from gembill.ledger.errors import translated
from gembill.ledger.reading import DrivenSnapshot
from gembill.ledger.store import Ledger
from gembill.money import PICO_PER_USD
from gembill.reconcile.bill_line import BillForm, BillLine, LineKind

if TYPE_CHECKING:
    from gembill.ledger.reading import Snapshot
    from gembill.ledger.transaction import Transaction

_APPENDED = (BillForm.BIGQUERY, BillForm.FOCUS)  # their rows only repeat themselves
_AT_ONCE = 20_000  # lines
_MEMORY_KIB = 64 * 1024  # while a file comes in: each batch falls on all pages of the index by scope
_GIVEN_UP_US = 120 * 1_000_000  # an import that has not moved for so long is dead
_LARGEST = 1 << 63
_PICO_PER_UNIT = PICO_PER_USD
_NAMES = (
    *("line", "part", "kind", "service", "sku_id", "sku", "project", "location", "first_day", "last_day"),
    *("amount_micro", "unit", "cost_units", "cost_pico", "currency", "rate", "decimals", "month", "exported_us"),
)
_WHOLE = "lines >= 0"
WHOLE_FILES = f"SELECT number FROM bill_file WHERE {_WHOLE}"  # noqa: S608
"""The files that count: all of whose lines are there."""
_SUMS = "sum(amount_micro), sum(cost_units), sum(cost_pico), count(*)"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillFile:
    """A file to take in. `project` is the one it was filtered to, where the file does not say; empty if to none."""

    digest: str
    name: str
    form: BillForm
    project: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillChange:
    """What a revised file says otherwise of an SKU on some days: differences in millionths and in pico-units."""

    sku: str
    first_day: int
    last_day: int
    currency: str
    amount_micro: int
    cost_pico: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BillImport:
    """What became of a file: its number, whether it was new, how many lines it has, and what it changed.

    `replaced` counts lines of earlier files that no longer count.
    """

    number: int
    fresh: bool
    lines: int
    replaced: int = 0
    changes: tuple[BillChange, ...] = ()


def add_bill(
    ledger: Ledger,
    file: BillFile,
    lines: Callable[[], Iterable[BillLine]],
    report: Callable[[int], object] = lambda _written: None,
) -> BillImport:
    """Keep a file, or find that it is there. `lines` is called once; what it raises undoes it all.

    `report` is given how many lines are kept by now. LedgerError: another program is taking this file in.
    """
    from gembill.ledger.engine import use_memory

    number, known = _begin(ledger, file)
    if known is not None:
        return known
    try:
        written = _write(ledger, file, number, lines(), report)
        with translated("keep a bill"), ledger.reading() as snapshot:
            replaced, changes = _changes(snapshot, number, file.form)
        for attempt in ledger.attempts("keep a bill"):
            with attempt as transaction:
                _note(transaction, file, number, written)
                use_memory(transaction.connection)
    except BaseException:
        _forget(ledger, number)
        raise
    return BillImport(number=number, fresh=True, lines=written, replaced=replaced, changes=changes)


def bill_files(ledger: Ledger) -> list[tuple[int, BillFile]]:
    """The files that were taken in, with their numbers, oldest first."""
    with translated("read its bills"), ledger.reading() as snapshot:
        rows = snapshot.rows(
            f"SELECT number, digest, name, form, project FROM bill_file WHERE {_WHOLE} ORDER BY number"  # noqa: S608
        )
    return [(row[0], BillFile(digest=row[1], name=row[2], form=BillForm(row[3]), project=row[4])) for row in rows]


def read_bill_line(ledger: Ledger, line: int, digest: str | None = None) -> list[BillLine]:
    """The line of a file and its parts; of the newest file unless a digest names one. Empty if it has none."""
    newest = f"SELECT max(number) FROM bill_file WHERE {_WHOLE} AND (digest = ? OR ? = '')"  # noqa: S608
    statement = f"SELECT {', '.join(_NAMES)} FROM bill_line WHERE line = ? AND file_number = ({newest}) ORDER BY part"  # noqa: S608
    with translated("read its bills"), ledger.reading() as snapshot:
        rows = snapshot.rows(statement, (line, digest or "", digest or ""))
    return [_line(dict(zip(_NAMES, row, strict=True))) for row in rows]


def _line(row: dict[str, Any]) -> BillLine:
    units, pico = row.pop("cost_units"), row.pop("cost_pico")
    for name in ("project", "location", "rate", "month"):
        row[name] = row[name] or None
    kind = LineKind(row.pop("kind"))
    return BillLine(number=row.pop("line"), kind=kind, cost_pico=units * _PICO_PER_UNIT + pico, **row)


def _begin(ledger: Ledger, file: BillFile) -> tuple[int, BillImport | None]:
    """A number for a file that is not there, or what is known of it."""
    left: list[int] = []
    for attempt in ledger.attempts("keep a bill"):
        with attempt as transaction:
            rows = DrivenSnapshot(transaction.connection).rows(
                "SELECT number, digest, project, lines, imported_us FROM bill_file"
            )
            mine = [row for row in rows if (row[1], row[2]) == (file.digest, file.project)]
            if mine and mine[0][3] >= 0:
                return mine[0][0], BillImport(number=mine[0][0], fresh=False, lines=mine[0][3])
            left = [row[0] for row in rows if row[3] < 0 and row[4] < transaction.now_us - _GIVEN_UP_US]
            if any(row[0] not in left for row in mine):
                raise LedgerError(f"{file.name} is being taken in by another gembill; wait until that is done")
            number = max((row[0] for row in rows), default=0) + 1
            _insert(transaction, "bill_file", [(number, *_facts(file), -1, transaction.now_us)])
    for other in left:
        _forget(ledger, other)
    return number, None


def _facts(file: BillFile) -> tuple[str, ...]:
    return file.digest, file.name, file.form.value, file.project


def _write(
    ledger: Ledger, file: BillFile, number: int, lines: Iterable[BillLine], report: Callable[[int], object]
) -> int:
    from gembill.ledger.engine import use_memory

    written = 0
    rows = map(_Rows(number, file).of, lines)
    while some := list(islice(rows, _AT_ONCE)):
        for attempt in ledger.attempts("keep a bill"):
            with attempt as transaction:
                _note(transaction, file, number, -1)
                use_memory(transaction.connection, _MEMORY_KIB)
                _insert(transaction, "bill_line", some)
        written += len(some)
        report(written)
    return written


def _insert(transaction: Transaction, table: str, rows: list[tuple[Any, ...]]) -> None:
    from gembill.ledger import schema, sql

    sql.insert(transaction.connection, schema.metadata.tables[table], rows)


def _note(transaction: Transaction, file: BillFile, number: int, lines: int) -> None:
    """How many lines a file has, and that somebody was at it now. LedgerError if another program has given it up."""
    from sqlalchemy import update

    from gembill.ledger import schema

    c = schema.bill_file.c
    mine = update(schema.bill_file).where(c.number == number, c.digest == file.digest, c.lines < 0)
    changed = transaction.connection.execute(mine.values(lines=lines, imported_us=transaction.now_us))
    if changed.rowcount != 1:
        raise LedgerError(f"{file.name} took so long that another gembill removed what was there; take it in again")


def _forget(ledger: Ledger, number: int) -> None:
    """Remove a file that did not come whole, some lines at a time; its own row last, so that it can be gone on with."""
    from sqlalchemy import delete, select

    from gembill.ledger import schema

    line, file = schema.bill_line, schema.bill_file
    unfinished = select(file.c.number).where(file.c.number == number, file.c.lines < 0)
    with translated("undo a bill"), ledger.reading() as snapshot:
        last = snapshot.rows("SELECT max(line) FROM bill_line WHERE file_number = ?", (number,))[0][0] or 0
    for start in range(0, last + 1, _AT_ONCE):
        for attempt in ledger.attempts("undo a bill"):
            with attempt as transaction:
                some = line.c.line.between(start, start + _AT_ONCE - 1)
                transaction.connection.execute(delete(line).where(line.c.file_number.in_(unfinished), some))
    for attempt in ledger.attempts("undo a bill"):
        with attempt as transaction:
            transaction.connection.execute(delete(file).where(file.c.number == number, file.c.lines < 0))


_Said = tuple[str | None, ...]


class _Rows:
    """The rows of a file's lines. What lines of one SKU and project have in common is put into words once."""

    def __init__(self, number: int, file: BillFile) -> None:
        self._number = number
        self._file = file
        self._words: dict[_Said, tuple[tuple[str, ...], str]] = {}

    def of(self, line: BillLine) -> tuple[Any, ...]:
        """The row of a line; LedgerError if it cannot be kept."""
        units, pico = divmod(line.cost_pico, _PICO_PER_UNIT)
        if not (-_LARGEST <= line.amount_micro < _LARGEST and -_LARGEST <= units < _LARGEST):
            raise LedgerError(
                f"line {line.number} of {self._file.name} has an amount or a cost that no ledger can hold"
            )
        words, scope = self._said(line)
        return (
            *(self._number, line.number, line.part, scope, *words),
            *(line.first_day, line.last_day, line.decimals),
            *(line.amount_micro, units, pico, line.exported_us),
        )

    def _said(self, line: BillLine) -> tuple[tuple[str, ...], bytes]:
        """What a line says in words, and its scope."""
        project = line.project or self._file.project
        said = (
            *(line.kind.value, line.service, line.sku_id, line.sku, line.unit, project, line.location),
            *(line.currency, line.rate, line.month),
        )
        kept = self._words.get(said)
        if kept is None:
            form = self._file.form.value
            words = (form, *(word or "" for word in said))
            kept = self._words[said] = words, repr((form, *said))[:-1]
        return kept[0], self._scope(line, project, kept[1])

    def _scope(self, line: BillLine, project: str, said: str) -> bytes:
        form = self._file.form
        if form is BillForm.COST_TABLE:
            parts = repr((form.value, line.month, project))
        elif form is BillForm.REPORTS:
            parts = repr((form.value, self._file.project, line.first_day, line.last_day))
        else:  # the `repr` of a tuple of all of it
            ends = f"{line.first_day}, {line.last_day}, {line.amount_micro}, {line.cost_pico}, {line.exported_us}"
            parts = f"{said}, {ends})"
        return blake2b(parts.encode(), digest_size=16).digest()


def _changes(snapshot: Snapshot, number: int, form: BillForm) -> tuple[int, tuple[BillChange, ...]]:
    """How many lines a file took the place of, and where what counts differs from what counted before."""
    earlier_files = f"SELECT 1 FROM bill_file WHERE {_WHOLE} AND form = ? AND number < ? LIMIT 1"  # noqa: S608
    if not snapshot.rows(earlier_files, (form.value, number)):
        return 0, ()
    earlier = (
        "file_number = (SELECT max(older.file_number) FROM bill_line older WHERE older.scope = bill_line.scope "  # noqa: S608
        f"AND older.file_number < ? AND older.file_number IN ({WHOLE_FILES})) "
        "AND scope IN (SELECT scope FROM bill_line WHERE file_number = ?)"
    )
    old = _sums_of(snapshot, earlier, (number, number))
    replaced = sum(sums[2] for sums in old.values())
    if not old or form in _APPENDED:
        return replaced, ()
    return replaced, tuple(_differences(old, _sums_of(snapshot, "file_number = ?", (number,))))


_Sums = dict[tuple[Any, ...], tuple[int, int, int]]


def _sums_of(snapshot: Snapshot, where: str, values: tuple[int, ...]) -> _Sums:
    """Amount, cost and number of lines by SKU, days and currency."""
    keys = "sku, first_day, last_day, currency"
    rows = snapshot.rows(f"SELECT {keys}, {_SUMS} FROM bill_line WHERE {where} GROUP BY {keys}", values)  # noqa: S608
    return {tuple(row[:4]): (int(row[4]), int(row[5]) * _PICO_PER_UNIT + int(row[6]), int(row[7])) for row in rows}


def _differences(old: _Sums, new: _Sums) -> Iterator[BillChange]:
    for key in sorted({*old, *new}):
        before, after = old.get(key, (0, 0, 0)), new.get(key, (0, 0, 0))
        if before[:2] != after[:2]:
            yield BillChange(
                sku=key[0],
                first_day=key[1],
                last_day=key[2],
                currency=key[3],
                amount_micro=after[0] - before[0],
                cost_pico=after[1] - before[1],
            )

"""A file of Google's bill, recognised by what is in it.

Owns: the table of forms, and how a file's text becomes rows with the numbers of their lines. Not here: what a row says
(`console_csv`, `exported_rows`) and the ledger. Invariant: exports of BigQuery are read as a stream, whatever their
size; a file that fits no form, or has a line that cannot be used, is refused whole.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec

from gembill.errors import ConfigurationError, GembillError
from gembill.reconcile import columns, console_csv, exported_rows
from gembill.reconcile.bill_line import BadLine, BillForm, BillLine
from gembill.reconcile.parquet_rows import parquet_rows

_PARQUET = b"PAR1"
_LONGEST_PREAMBLE = 60
_LOOKED_AT = 1_000  # rows
_NAMED = 5
_decode = msgspec.json.Decoder(float_hook=str).decode  # three times as fast as `json`; no float comes near money


class BillError(GembillError):
    """A file of a bill that cannot be used."""


@dataclass(frozen=True, slots=True)
class _Export:
    """A form whose rows have fixed names, and what tells it from others: names it has, and names it has not."""

    form: BillForm
    has: frozenset[str]
    lacks: frozenset[str]
    lines_of: Callable[[int, exported_rows.Row], list[BillLine]]


_EXPORTS = (
    _Export(
        BillForm.BIGQUERY,
        frozenset(("sku_description", "cost", "currency", "usage_start_time")),
        frozenset(),
        exported_rows.bigquery_lines,
    ),
    _Export(
        BillForm.FOCUS,
        frozenset(("BilledCost", "BillingCurrency", "ChargePeriodStart", "SkuId")),
        frozenset(("x_CostBasis",)),  # that is our own export
        exported_rows.focus_lines,
    ),
)


@dataclass(frozen=True, slots=True)
class BillReading:
    """A file that was recognised; its lines come one by one and once."""

    form: BillForm
    lines: Iterator[BillLine | BadLine]


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex; ConfigurationError if it cannot be read."""
    hashed = sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(1 << 20):
                hashed.update(piece)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    return hashed.hexdigest()


def open_bill(path: Path, days: console_csv.Days | None = None) -> BillReading:
    """Recognise a file; `days` are those of a report that names none.

    ConfigurationError if it cannot be read, BillError if it is no bill that we know.
    """
    try:
        with path.open("rb") as stream:
            if stream.read(4) == _PARQUET:
                return _of_export(parquet_rows(path), str(path))
        return recognise(_text_lines(path), str(path), days)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None


def _text_lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            yield from stream
        except UnicodeDecodeError as error:
            raise BillError(f"{path} is not UTF-8: {error.reason}") from None


def recognise(texts: Iterable[str], name: str, days: console_csv.Days | None = None) -> BillReading:
    """The reading of a text that comes in lines; BillError if it is no bill that we know. `name` is for errors."""
    lines = iter(texts)
    first = next(lines, "")
    rejoined = chain([first], lines)
    if first.lstrip().startswith("{"):
        return _of_export(_documents(rejoined, name), name)
    if first.lstrip().startswith("["):
        return _of_export(_listed("".join(rejoined), name), name)
    separator = max(",;\t", key=first.count)
    return _of_table(csv.reader(rejoined, delimiter=separator), name, days)


def checked(reading: BillReading, name: str) -> Iterator[BillLine]:
    """The lines of a reading. BillError at its end if one could not be used: how many, and the first by number."""
    complaints: list[str] = []
    bad = 0
    for line in reading.lines:
        if isinstance(line, BadLine):
            bad += 1
            if len(complaints) < _NAMED:
                complaints.append(f"line {line.number}: {line.reason}")
        elif not bad:
            yield line
    if bad:
        more = f"; and {bad - len(complaints)} more" if bad > len(complaints) else ""
        raise BillError(
            f"{name} has {bad} lines that cannot be used, so nothing of it was taken in: {'; '.join(complaints)}{more}"
        )


def _documents(lines: Iterable[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = _decode(line)
        except (ValueError, RecursionError):
            raise BillError(f"line {number} of {name} is not a JSON object; the file must be JSON Lines") from None
        if not isinstance(document, dict):
            raise BillError(f"line {number} of {name} is not a JSON object; the file must be JSON Lines")
        yield number, exported_rows.flat(document)


def _listed(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of one JSON list, as `bq query --format=json` prints them; their place stands for the line."""
    try:
        documents = _decode(text)
    except (ValueError, RecursionError):
        raise BillError(f"{name} is not JSON: it begins with [ and is not a list") from None
    for number, document in enumerate(documents, 1):
        if not isinstance(document, dict):
            raise BillError(f"item {number} of {name} is not a JSON object")
        yield number, exported_rows.flat(document)


def _of_table(reader: Any, name: str, days: console_csv.Days | None) -> BillReading:  # noqa: ANN401 - csv.reader has no public type
    preamble: list[console_csv.Row] = []
    for row in reader:
        names = [cell.strip().replace(".", "_") for cell in row]
        if any(export.has <= set(names) for export in _EXPORTS):
            return _of_export(_named_rows(reader, names), name)
        if columns.has_sku(row):
            header = (reader.line_num, row)
            rows = [(reader.line_num, one) for one in reader if any(cell.strip() for cell in one)]
            form = console_csv.form_of(row, [one for _, one in preamble])
            return BillReading(form, console_csv.read(preamble, header, rows, days))
        if len(preamble) == _LONGEST_PREAMBLE:
            break
        if any(cell.strip() for cell in row):
            preamble.append((reader.line_num, row))
    raise _unknown(name)


def _named_rows(reader: Any, names: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:  # noqa: ANN401
    for row in reader:
        if row:
            yield reader.line_num, dict(zip(names, row, strict=False))


def _of_export(rows: Iterator[tuple[int, dict[str, Any]]], name: str) -> BillReading:
    first = list(islice(rows, _LOOKED_AT))
    names = {
        column for _, row in first for column in row
    }  # BigQuery leaves out of JSON what is null, as in rows of tax
    for export in _EXPORTS:
        if export.has <= names and not export.lacks & names:
            return BillReading(export.form, exported_rows.read(chain(first, rows), export.lines_of))
    if "x_CostBasis" in names:
        raise BillError(f"{name} is an export of gembill's own, not Google's; give the file that Google wrote")
    raise _unknown(name)


def _unknown(name: str) -> BillError:
    return BillError(
        f"{name} is not a bill that gembill knows: a cost table or a report as CSV from Google's billing console, or "
        "the standard, detailed or FOCUS export of BigQuery as CSV, JSON Lines or Parquet"
    )

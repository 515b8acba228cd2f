"""The two tables that the billing console downloads as CSV: the cost table of an invoice month, and a report.

Owns: preamble, header, footer, and what a line says. Not here: the words of headers (`columns`) and numbers
(`numerals`). Invariant: every line that names an SKU or carries tax, a credit or an adjustment becomes a line of the
bill or a complaint; only sums that repeat others are left out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gembill.reconcile import columns, numerals
from gembill.reconcile.bill_line import BadLine, BillForm, BillLine, LineKind
from gembill.reconcile.numerals import Unreadable

Row = tuple[int, Sequence[str]]
Days = tuple[int, int]
_SIGNS = {
    "A$": "AUD",
    "CA$": "CAD",
    "US$": "USD",
    "R$": "BRL",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "$": "USD",
}
_RATE = re.compile(
    r"exchange rate|wechselkurs|taux de change|tipo de cambio|tasso di cambio|taxa de cambio|為替", re.IGNORECASE
)
_CURRENCY = re.compile(r"\b(?:currency|wahrung|waehrung|devise|moneda|valuta|moeda)\b|通貨", re.IGNORECASE)
_INVOICE = re.compile(
    r"invoice date|rechnungsdatum|invoice month|date de facturation|fecha de la factura", re.IGNORECASE
)
_ISO = re.compile(r"\b[A-Z]{3}\b")


@dataclass(frozen=True, slots=True)
class _Table:
    """What holds for all lines of a file."""

    form: BillForm
    roles: Mapping[str, int]
    currency: str
    rate: str | None
    month: str | None
    point: str
    order: str
    decimals: int


def form_of(header: Sequence[str], preamble: Sequence[Sequence[str]]) -> BillForm:
    """A cost table has a preamble, or says of what type a cost is; a report has neither."""
    words = {columns.plain(text) for text in header}
    return BillForm.COST_TABLE if preamble or "cost type" in words or "usage end date" in words else BillForm.REPORTS


def read(
    preamble: Sequence[Row], header: Row, rows: Sequence[Row], days: Days | None = None
) -> Iterator[BillLine | BadLine]:
    """The lines of a table whose header is on line `header[0]`; `days` are those of a report that names none."""
    table = _table(preamble, header, rows)
    if isinstance(table, BadLine):
        yield table
        return
    for number, row in rows:
        try:
            line = _line(table, number, row, days)
        except Unreadable as error:
            yield BadLine(number, str(error))
        else:
            if line is not None:
                yield line


def _table(preamble: Sequence[Row], header: Row, rows: Sequence[Row]) -> _Table | BadLine:
    number, names = header
    roles = columns.roles(names, [row for _, row in rows[:200] if len(row) >= len(names) - 1])
    lacking = [role for role in ("sku", "amount", "cost") if role not in roles]
    if lacking:
        return BadLine(number, f"the header names no column for the {lacking[0]}")
    said = {columns.plain(row[0]): row[1].strip() for _, row in preamble if len(row) > 1 and row[1].strip()}
    money = [
        row[roles[role]] for _, row in rows for role in ("unrounded", "cost") if len(row) > roles.get(role, 1 << 20)
    ]
    point = numerals.decimal_point(money)
    days = [row[roles["first"]] for _, row in rows if "first" in roles and len(row) > roles["first"]]
    british = any("programmes" in name.lower() for name in names)
    form = form_of(names, [row for _, row in preamble])
    order = numerals.day_order(days, american=point == "." and not british)
    return _Table(
        form=form,
        roles=roles,
        currency=_currency(names[roles["cost"]], said),
        rate=_said(said, _RATE, point),
        month=_month(said) or (_last_month(rows, roles, order) if form is BillForm.COST_TABLE else None),
        point=point,
        order=order,
        decimals=_decimals(rows, roles["unrounded"] if "unrounded" in roles else roles["cost"], point),
    )


def _decimals(rows: Sequence[Row], place: int, point: str) -> int:
    """How many digits a column of costs shows at most; zeros at the end are not written by all of Google's tables."""
    texts = (row[place] for _, row in rows if len(row) > place)
    return max((len(text.strip().rpartition(point)[2]) for text in texts if point in text), default=0)


def _currency(header: str, said: Mapping[str, str]) -> str:
    """The currency of the preamble, else the one in the header's parentheses."""
    for word, value in said.items():
        if _CURRENCY.search(word) and (code := _ISO.search(value)):
            return code[0]
    inner = re.search(r"[(（](.+?)[)）]", header)
    if inner is None:
        return "USD"
    code = _ISO.search(inner[1])
    return code[0] if code else next((iso for sign, iso in _SIGNS.items() if sign in inner[1]), "USD")


def _said(said: Mapping[str, str], words: re.Pattern[str], point: str) -> str | None:
    for word, value in said.items():
        if words.search(word) and (number := re.search(r"\d[\d.,]*", value)):
            return number[0].replace(",", ".") if point == "," else number[0].replace(",", "")
    return None


def _month(said: Mapping[str, str]) -> str | None:
    for word, value in said.items():
        if _INVOICE.search(word):
            try:
                return numerals.day_text(numerals.day(value))[:7]
            except Unreadable:
                return None
    return None


def _last_month(rows: Sequence[Row], roles: Mapping[str, int], order: str) -> str | None:
    """The month of the last day of usage, where a preamble does not say which month was invoiced."""
    place = roles.get("last", roles.get("first", 1 << 20))
    last = None
    for _, row in rows:
        try:
            at = numerals.day(row[place], order) if len(row) > place and row[place].strip() else None
        except Unreadable:
            continue  # the line itself complains
        last = at if last is None else max(last, at or last)
    return None if last is None else numerals.day_text(last)[:7]


def _line(table: _Table, number: int, row: Sequence[str], given: Days | None) -> BillLine | None:
    cells = {role: row[place].strip() for role, place in table.roles.items() if place < len(row)}
    kind = _kind(cells, row)
    if kind is None:
        return None
    cost = numerals.scaled(cells.get("unrounded") or cells.get("cost") or "", 12, table.point)[0]
    amount = numerals.scaled(cells.get("amount") or "0", 6, table.point)[0]
    days = _days(table, cells, given)
    return BillLine(
        number=number,
        kind=kind,
        service=cells.get("service", ""),
        sku_id=cells.get("sku_id", ""),
        sku=cells.get("sku", "") or kind.value,
        project=cells.get("project_id") or cells.get("project_name") or None,
        first_day=days[0],
        last_day=days[1],
        amount_micro=amount if kind is LineKind.USAGE else 0,
        unit=cells.get("unit", ""),
        cost_pico=cost,
        currency=table.currency,
        rate=table.rate,
        decimals=table.decimals,
        month=table.month or (numerals.day_text(days[1])[:7] if table.form is BillForm.COST_TABLE else None),
    )


def _kind(cells: Mapping[str, str], row: Sequence[str]) -> LineKind | None:
    """What a line is for; None for sums at the end, which say again what the lines said."""
    if cells.get("sku_id") or (cells.get("sku") and cells.get("amount")):
        return _named(cells.get("kind", "")) or LineKind.USAGE
    if not (cells.get("cost") or cells.get("unrounded")):
        return None
    label = cells.get("kind") or next((text for text in row if text.strip()), "")
    return _named(label)


def _named(text: str) -> LineKind | None:
    word = columns.plain(text)
    for words, kind in (
        (columns.TAX_WORDS, LineKind.TAX),
        (columns.CREDIT_WORDS, LineKind.CREDIT),
        (columns.ROUNDING_WORDS, LineKind.ROUNDING),
        (("adjustment", "anpassung", "ajuste", "correction", "korrektur"), LineKind.ADJUSTMENT),
    ):
        if any(re.search(rf"(?<![a-z]){one}", word) for one in words):
            return kind
    return None


def _days(table: _Table, cells: Mapping[str, str], given: Days | None) -> Days:
    first, last = cells.get("first"), cells.get("last")
    if first:
        start = numerals.day(first, table.order)
        return start, numerals.day(last, table.order) if last else start
    month = cells.get("month") or table.month
    if not month and given is not None:
        return given
    if not month:
        raise Unreadable("it has neither a day nor a month; group by day as well, or name the period of the report")
    return numerals.month_days(
        month if re.fullmatch(r"\d{4}-?\d{2}", month) else numerals.day_text(numerals.day(month, table.order))[:7]
    )

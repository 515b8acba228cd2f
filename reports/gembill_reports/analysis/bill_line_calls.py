"""A line of Google's bill beside the calls that make it.

Owns: which calls have tokens that the line bills, and their sum. Not here: comparing whole bills (`reconciliation`) and
layout. Invariant: a call is here exactly if its charges have the line's cell on one of the line's days, and it names no
other project or location than the line, as far as any such call names the line's.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Selection, read_bill_line, read_usage_of_calls
from gembill.reconcile.bill_line import BillLine, LineKind
from gembill.reconcile.cell import Cell, Naming
from gembill.reconcile.sku import UnknownSku, read
from gembill.rules.prices import PriceBook
from gembill_reports.analysis.reconciliation import window

SHOWN = 100


@dataclass(frozen=True, slots=True, order=True)
class CallShare:
    """What one call has of a line: the amount in the meter's unit and pico-dollars at the ledger's prices."""

    cost_pico: int
    quantity: int
    occurred_us: int
    id: str


_Place = tuple[str | None, str | None]  # project and location
_Placed = tuple[CallShare, _Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLineCalls:
    """The line, its cell, the calls with the greatest costs, and the sums over all of them."""

    line: BillLine
    cell: Cell
    calls: tuple[CallShare, ...]
    count: int
    quantity: int
    cost_pico: int


def explain_line(
    ledger: Ledger,
    book: PriceBook,
    number: int,
    digest: str | None = None,
    selection: Selection = Selection(),  # noqa: B008
) -> BillLineCalls:
    """The calls behind a line. ConfigurationError if there is no such line, or nothing of ours is counted on it."""
    line = next(iter(read_bill_line(ledger, number, digest)), None)
    if line is None:
        raise ConfigurationError(f"the bill has no line {number}; the header is line 1 of most files")
    if line.kind is not LineKind.USAGE:
        raise ConfigurationError(f"line {number} is {line.kind.value}, which no call makes")
    sku = read(line.sku)
    if isinstance(sku, UnknownSku):
        raise ConfigurationError(f"line {number} has an SKU that is not known, {line.sku}: {sku.reason}")
    naming = Naming.of(book, [(sku, line.first_day)])
    cell = naming.of_sku(sku, line.first_day)
    if cell is None:
        raise ConfigurationError(f"line {number} bills {line.sku}, which no meter of the ledger counts")
    shares = _of_place(list(_shares(ledger, naming, cell, line, selection)), line)
    return BillLineCalls(
        line=line,
        cell=cell,
        calls=tuple(heapq.nlargest(SHOWN, shares)),
        count=len({share.id for share in shares}),
        quantity=sum(share.quantity for share in shares),
        cost_pico=sum(share.cost_pico for share in shares),
    )


def _of_place(shares: list[_Placed], line: BillLine) -> list[CallShare]:
    """Those of the line's project and location; all, where none names them: its words for them are others then."""
    for field, name in enumerate((line.project, line.location)):
        if name and any(place[field] == name for _, place in shares):
            shares = [(share, place) for share, place in shares if place[field] in (None, name)]
    return [share for share, _ in shares]


def _shares(ledger: Ledger, naming: Naming, cell: Cell, line: BillLine, selection: Selection) -> Iterator[_Placed]:
    """The calls of any place, each with its project and location."""
    chosen, offsets = window(selection, line.first_day, line.last_day)
    current: CallShare | None = None
    place: _Place = (None, None)
    for record_id, occurred_us, usage in read_usage_of_calls(ledger, chosen, offsets):
        if naming.of_usage(usage, cell.span) != cell:
            continue
        if current is not None and current.id == record_id:  # prompt and intermediate tokens are one amount of the bill
            quantity, cost = current.quantity + usage.quantity, current.cost_pico + usage.cost_pico
            current = CallShare(cost, quantity, occurred_us, record_id)
            continue
        if current is not None:
            yield current, place
        current = CallShare(usage.cost_pico, usage.quantity, occurred_us, record_id)
        place = usage.project, usage.location
    if current is not None:
        yield current, place

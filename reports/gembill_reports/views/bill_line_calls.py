"""A line of Google's bill and its calls, as scripts and people read them.

Owns: its JSON, CSV and sheet. Not here: which calls they are (`gembill_reports.analysis.bill_line_calls`). Invariant:
sums are over all calls, also where only the most expensive ones are listed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gembill.money import display, usd
from gembill.period import iso, zone
from gembill.reconcile.hypothesis import MICRO
from gembill.reconcile.numerals import day_text
from gembill.reconcile.synthetic import decimal_text
from gembill_reports.analysis.bill_line_calls import BillLineCalls, CallShare
from gembill_reports.layout.sheet import DEMO, Sheet, count
from gembill_reports.layout.tables import Column, Table
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class BillLineView(View):
    """One line with its calls."""

    explained: BillLineCalls
    demo: bool = False  # the ledger holds made-up calls

    def json(self) -> dict[str, Any]:
        """The line, the sums, and the calls with the greatest costs."""
        one, line = self.explained, self.explained.line
        return {
            "schema_version": SCHEMA_VERSION,
            "line": line.number,
            "sku": line.sku,
            "start": day_text(line.first_day),
            "end": day_text(line.last_day + 1),
            "billed": decimal_text(line.amount_micro, 6),
            "billed_cost": usd(line.cost_pico),
            "currency": line.currency,
            "ours": one.quantity,
            "ours_cost_usd": usd(one.cost_pico),
            "difference": decimal_text(line.amount_micro - one.quantity * MICRO, 6),
            "calls_count": one.count,
            "calls": [_call(call) for call in one.calls],
        } | ({"demo_data": True} if self.demo else {})

    def csv(self) -> Csv:
        """A row for each call."""
        return Csv(("id", "occurred_at", "quantity", "cost_usd"), map(_call, self.explained.calls))

    def sheets(self) -> Sequence[Sheet]:
        """The calls, and both sums."""
        one, line = self.explained, self.explained.line
        columns = (
            Column("Received", text=True, whole=True),
            Column("Call", text=True, whole=True),
            Column("Amount"),
            Column("Cost"),
        )
        rows = tuple((iso(c.occurred_us, zone()), c.id, count(c.quantity), display(c.cost_pico)) for c in one.calls)
        total = ("All calls", count(one.count), count(one.quantity), display(one.cost_pico))
        cost = f"{decimal_text(line.cost_pico, 12)} {line.currency}"
        notes = (
            f"Billed {decimal_text(line.amount_micro, 6)} for {cost}; ours {one.quantity:,}.",
            "`gembill receipt ID` explains a call.",
        )
        mark = DEMO if self.demo else ""
        heading = f"{mark}Line {line.number}: {line.sku}, {day_text(line.first_day)}"
        return [Sheet(heading, Table(columns, rows, total), notes)]


def _call(call: CallShare) -> dict[str, Any]:
    at = iso(call.occurred_us, zone("UTC"))
    return {"id": call.id, "occurred_at": at, "quantity": call.quantity, "cost_usd": usd(call.cost_pico)}

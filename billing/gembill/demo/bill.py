"""The demo's bill: what Google would have sent for the made-up month, and what comes of holding it against the ledger.

Owns: how the demo's bill departs from its ledger, and the sentences about it. Not here: bills and their comparison.
Invariant: one call on it never went through the proxy, and the comparison finds it.
"""

from hashlib import sha256

from msgspec.structs import replace

from gembill.config import Settings
from gembill.demo.month import MONTH
from gembill.ledger import BillFile, Ledger, add_bill, open_ledger
from gembill.price_catalog import book_in_force
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.cell import BillMeter
from gembill.reconcile.comparison import Comparison
from gembill.reconcile.hypothesis import MICRO
from gembill.reconcile.numerals import day_text, month_days
from gembill.reconcile.residue import Name
from gembill.reconcile.synthetic import BillOptions, make_bill
from gembill_reports.analysis.reconciliation import BillScope, charged, reconcile
from gembill_reports.views.reconciliation import headline

_OPTIONS = BillOptions(bypass=1, project="demo", seed=4)
_SETTLED = month_days(MONTH)[1] + 30  # the bill is looked at when no day of the month is open


def receive(settings: Settings) -> None:
    """Take the bill of the made-up month into the demo's ledger."""
    ledger = open_ledger(settings.ledger_url)
    try:
        ours = charged(ledger, MONTH)
        made = make_bill(ours.usages, ours.results, book_in_force(ledger, settings), _OPTIONS)
        lines = [replace(line, number=number) for number, line in enumerate(made, 1)]
        name = sha256(repr(lines).encode()).hexdigest()
        add_bill(ledger, BillFile(digest=name, name="demo", form=BillForm.BIGQUERY), lambda: lines)
    finally:
        ledger.close()


def proof(ledger: Ledger, settings: Settings) -> list[str]:
    """What the bill says of the ledger, and which call went past the proxy."""
    days = month_days(MONTH)
    comparison = reconcile(ledger, book_in_force(ledger, settings), BillScope(now_day=_SETTLED, days=days))
    return [headline(comparison), *_strangers(comparison)]


def _strangers(comparison: Comparison) -> list[str]:
    tokens: dict[tuple[int, str], dict[BillMeter, int]] = {}
    for residue in comparison.residues:
        if residue.name == Name.UNRECORDED and residue.cell is not None:
            of_call = tokens.setdefault((residue.cell.span, residue.cell.model), {})
            of_call[residue.cell.meter] = of_call.get(residue.cell.meter, 0) + residue.amount_micro // MICRO
    return [
        f"Billed and not recorded, so it went past the proxy: {model} on {day_text(day)}, "
        f"{counts.get(BillMeter.INPUT, 0):,} tokens in and {counts.get(BillMeter.OUTPUT, 0):,} out."
        for (day, model), counts in sorted(tokens.items())
    ]

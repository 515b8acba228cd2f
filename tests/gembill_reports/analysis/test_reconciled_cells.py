"""Which charges are on the bill as they are in the ledger."""

import pytest
from msgspec.structs import replace

from gembill.ledger import BillFile, Ledger, Selection, add_bill, read_charges, read_records
from gembill.model import Meter, Modality
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.synthetic import BillOptions, make_bill
from gembill.rules.prices import bundled
from gembill_reports.analysis.receipt import receipt
from gembill_reports.analysis.reconciled_cells import reconciled_cells
from gembill_reports.analysis.reconciliation import charged
from gembill_reports.exports import focus
from tests.gembill_reports.making import FLASH, PRO, call, put, us

BOOK = bundled()
LATER = us("2027-02-21T09:00:00+00:00")
ALL = (None, None)


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    put(
        ledger,
        call("2026-11-10T10:00:00+00:00", (5000, 70, 300), FLASH),
        call("2026-11-11T10:00:00+00:00", (5000, 70, 300), FLASH),
        call("2026-11-11T11:00:00+00:00", (900, 0, 30), PRO),
    )
    return ledger


def billed(ledger: Ledger, change=lambda line: line, **options: object) -> None:
    made = make_bill(charged(ledger).usages, [], BOOK, BillOptions(**options))  # type: ignore[arg-type]
    lines = [change(replace(line, number=number)) for number, line in enumerate(made, 1)]
    add_bill(ledger, BillFile(digest="x", name="x", form=BillForm.BIGQUERY), lambda: lines)


def bases(ledger: Ledger, now_us: int = LATER) -> dict[tuple[str, str, str], str]:
    """What the export says, by day, model and kind of tokens."""
    cells = reconciled_cells(ledger, BOOK, ALL, now_us)
    rows = []
    for stored in read_records(ledger, Selection()):
        shown = receipt(stored, read_charges(ledger, stored), {})
        rows += focus.rows(shown, focus._UTC, is_reconciled=cells.holds)
    return {
        (row["ChargePeriodStart"][:10], row["ChargeDescription"].split()[0], row["x_TokenKind"]): row["x_CostBasis"]
        for row in rows
    }


def test_without_a_bill_everything_is_an_estimate(filled: Ledger) -> None:
    assert set(bases(filled).values()) == {"estimate-list-price"}


def test_what_a_bill_says_to_the_token_is_reconciled(filled: Ledger) -> None:
    billed(filled)
    assert set(bases(filled).values()) == {"reconciled"}


def test_a_cell_that_differs_is_an_estimate_and_no_other(filled: Ledger) -> None:
    def change(line):
        differs = "output" in line.sku and line.sku.endswith("flash text")
        return replace(line, amount_micro=line.amount_micro + 1_000_000) if differs else line

    billed(filled, change)
    by_basis = bases(filled)
    estimates = {key for key, basis in by_basis.items() if basis == "estimate-list-price"}
    assert estimates == {key for key in by_basis if key[1] == FLASH and key[2] in ("output", "thinking")}


def test_open_days_and_a_bill_without_a_rate_prove_nothing(filled: Ledger) -> None:
    billed(filled)
    assert set(bases(filled, us("2026-11-12T09:00:00+00:00")).values()) == {"estimate-list-price"}
    record = next(iter(read_records(filled, Selection()))).record
    nothing = reconciled_cells(filled, BOOK, (1, 2), LATER)
    assert nothing.holds(record, Meter.INPUT, Modality.TEXT) is False

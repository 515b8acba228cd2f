"""What is written is read back."""

import pytest
from msgspec.structs import replace

from gembill.reconcile.bill_files import recognise
from gembill.reconcile.bill_line import BillForm, LineKind
from gembill.reconcile.synthetic import BillOptions, make_bill
from gembill.reconcile.synthetic_files import written
from tests.gembill.reconcile.ledgers import BOOK, month, placed

LINES = make_bill(*month(days=3), BOOK, BillOptions(currency="EUR", rate="0.92", tax_percent=19))

PLACED = make_bill(*map(placed, month(days=3)), BOOK, BillOptions())


@pytest.mark.parametrize("form", list(BillForm))
def test_a_file_is_recognised_and_read_back(form):
    reading = recognise(written(LINES, form).splitlines(keepends=True), "bill")
    assert reading.form is form
    back = list(reading.lines)
    facts = [
        [(line.sku, line.sku_id, line.first_day, line.amount_micro, line.cost_pico, line.currency) for line in lines]
        for lines in (back, LINES)
    ]
    usage = [line for line in LINES if line.kind is LineKind.USAGE]
    assert facts[0][: len(usage)] == facts[1][: len(usage)]


@pytest.mark.parametrize("form", [BillForm.BIGQUERY, BillForm.FOCUS])
def test_an_export_loses_nothing(form):
    back = recognise(written(LINES, form).splitlines(keepends=True), "bill").lines
    assert [replace(line, number=0, location=None) for line in back] == LINES
    back = recognise(written(PLACED, form).splitlines(keepends=True), "bill").lines
    assert [replace(line, number=0) for line in back] == PLACED

"""A line of a bill is a value."""

import pytest

from gembill.reconcile.bill_line import BillForm, BillLine, LineKind


def test_a_line_cannot_be_changed_and_is_compared_by_what_it_says():
    facts = {"kind": LineKind.USAGE, "sku": "x", "first_day": 1, "last_day": 1, "amount_micro": 5, "cost_pico": 7}
    line, same = (BillLine(number=1, currency="EUR", decimals=2, **facts) for _ in range(2))
    assert line == same
    with pytest.raises(AttributeError):
        line.cost_pico = 8


def test_the_finest_form_comes_first():
    assert next(iter(BillForm)) is BillForm.BIGQUERY

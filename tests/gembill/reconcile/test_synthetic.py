"""Made-up bills say what was asked for."""

from itertools import product

import pytest

from gembill.reconcile.bill_line import LineKind
from gembill.reconcile.cell import Naming
from gembill.reconcile.hypothesis import Sides
from gembill.reconcile.sku import Sku, read
from gembill.reconcile.synthetic import BillOptions, decimal_text, make_bill, sku_text
from tests.gembill.reconcile.ledgers import BOOK, LOCATIONS, PROJECTS, month, placed

USAGES, RESULTS = month(days=3)
NAMING = Naming(BOOK)
CELLS = sorted(Sides([(usage.day, usage) for usage in USAGES]).amounts(NAMING, frozenset()))


@pytest.mark.parametrize("cell", CELLS[:20], ids=str)
def test_the_sku_of_a_cell_means_that_cell(cell):
    sku = read(sku_text(cell))
    assert isinstance(sku, Sku), sku
    assert NAMING.of_sku(sku, cell.span) == cell


def test_a_bill_is_the_same_for_the_same_seed():
    options = BillOptions(bypass=3, corrected=True, tax_percent=19)
    assert make_bill(USAGES, RESULTS, BOOK, options) == make_bill(USAGES, RESULTS, BOOK, options)


def test_corrections_move_amounts_to_later_rows_and_change_no_sum():
    plain, corrected = (make_bill(USAGES, RESULTS, BOOK, BillOptions(corrected=some)) for some in (False, True))
    assert len(corrected) > len(plain)
    for name in ("amount_micro", "cost_pico"):
        assert sum(getattr(line, name) for line in plain) == sum(getattr(line, name) for line in corrected)


def test_days_of_the_lag_are_not_on_it_and_tax_is():
    lines = make_bill(USAGES, RESULTS, BOOK, BillOptions(lag_days=1, tax_percent=10))
    assert {line.first_day for line in lines} == {USAGES[0].day, USAGES[0].day + 1}
    assert sum(line.kind is LineKind.TAX for line in lines) == 1


def test_a_line_has_the_project_and_location_of_its_charges_and_another_where_they_name_none():
    lines = make_bill(placed(USAGES), placed(RESULTS), BOOK, BillOptions())
    assert {(line.project, line.location) for line in lines} == set(product(PROJECTS, LOCATIONS))
    nowhere = make_bill(USAGES, RESULTS, BOOK, BillOptions(project="p"))
    assert {(line.project, line.location) for line in nowhere} == {("p", None)}
    assert sum(line.amount_micro for line in lines) == sum(line.amount_micro for line in nowhere)


@pytest.mark.parametrize(("value", "text"), [(1_500_000, "1.5"), (1_000_000, "1"), (0, "0"), (-1, "-0.000001")])
def test_a_decimal_is_written_without_superfluous_zeros(value, text):
    assert decimal_text(value, 6) == text

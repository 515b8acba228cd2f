"""Sums over the bill are exact."""

from gembill.ledger import Ledger, add_bill, bill_days, sku_texts, sum_bill
from gembill.reconcile.bill_line import BillForm, LineKind
from tests.gembill.ledger.test_bills import DAY, file, line


def test_lines_that_differ_only_in_amounts_are_added_up(ledger: Ledger) -> None:
    rows = [line(1, sku="x"), line(2, sku="x", cost_pico=-3), line(3, sku="y", project="p", rate="0.92", location="eu")]
    add_bill(ledger, file(), lambda: rows)
    first, second = sum_bill(ledger, BillForm.COST_TABLE)
    assert (first.sku, first.amount_micro, first.cost_pico, first.lines, first.project) == (
        "x",
        2_000_000,
        497,
        2,
        None,
    )
    assert (second.project, second.rate, second.location, second.month) == ("p", "0.92", "eu", "2026-11")


def test_days_and_projects_are_chosen_whole(ledger: Ledger) -> None:
    rows = [line(1), line(2, first_day=DAY + 1, last_day=DAY + 2), line(3, project="p")]
    add_bill(ledger, file(), lambda: rows)
    assert {one.sku for one in sum_bill(ledger, BillForm.COST_TABLE, (DAY, DAY + 1))} == {"sku 1", "sku 3"}
    assert {one.sku for one in sum_bill(ledger, BillForm.COST_TABLE, (DAY + 1, None))} == {"sku 2"}
    assert {one.sku for one in sum_bill(ledger, BillForm.COST_TABLE, project="p")} == {"sku 3"}


def test_a_bill_in_won_is_exact_beyond_64_bits_of_pico(ledger: Ledger) -> None:
    cost = 4_000_000_000_123_456_789_012_345  # four trillion won
    rows = [line(number, sku="x", cost_pico=cost, amount_micro=(1 << 63) - 1) for number in range(5)]
    add_bill(ledger, file(), lambda: rows)
    [total] = sum_bill(ledger, BillForm.COST_TABLE)
    assert (total.cost_pico, total.amount_micro) == (5 * cost, 5 * ((1 << 63) - 1))


def test_the_days_of_a_form_are_those_of_its_usage(ledger: Ledger) -> None:
    rows = [line(1), line(2, first_day=DAY + 3, last_day=DAY + 4), line(3, kind=LineKind.TAX, first_day=1, last_day=2)]
    add_bill(ledger, file(), lambda: rows)
    assert bill_days(ledger) == {BillForm.COST_TABLE: (DAY, DAY + 4)}


def test_each_id_has_the_texts_of_all_lines_with_their_files(ledger: Ledger) -> None:
    add_bill(ledger, file("a"), lambda: [line(1, sku_id="1", sku="x"), line(2, sku_id="1", sku="x"), line(3)])
    add_bill(ledger, file("b"), lambda: [line(1, sku_id="1", sku="a"), line(2, sku_id="0", sku="z")])
    assert sku_texts(ledger) == [("0", "z", 2), ("1", "a", 2), ("1", "x", 1)]

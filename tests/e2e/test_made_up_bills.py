"""A short form of `make bills`: some of the hundred made-up bills, in every form, from file to residues."""

from pathlib import Path
from random import Random

import pytest

from gembill.ledger import sum_bill
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.sums import BillTotal
from gembill.reconcile.synthetic import make_bill
from gembill.reconcile.synthetic_files import written
from tests.bills.made_up import empty_ledger, made_up, prove, take_in
from tests.gembill.reconcile.ledgers import BOOK


@pytest.mark.parametrize("number", [0, 7, 13, 22, 31])
def test_a_made_up_bill_is_explained_whichever_form_it_comes_in(number: int, tmp_path: Path) -> None:
    for form in BillForm:
        with empty_ledger(tmp_path) as ledger:
            prove(made_up(number, 1), form, ledger)


@pytest.mark.parametrize("form", [BillForm.BIGQUERY, BillForm.FOCUS])
@pytest.mark.parametrize("seed", range(3))
def test_order_splitting_and_repeating_a_file_change_no_sum(form: BillForm, seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    made = made_up(seed, seed)
    text = written(make_bill(made.usages, made.results, BOOK, made.options), form).splitlines(keepends=True)
    head, rows = text[: form is BillForm.FOCUS], text[form is BillForm.FOCUS :]
    shuffled = rng.sample(rows, len(rows))
    cut, overlap = rng.randrange(1, len(rows)), rng.randrange(3)
    parts = [shuffled[: cut + overlap], shuffled[cut:]]
    sums = []
    for files in ([rows], [shuffled], parts, [rows, rows], [parts[1], rows]):
        with empty_ledger(tmp_path) as ledger:
            for number, lines in enumerate(files):
                take_in(ledger, "".join([*head, *lines]), form, f"file {number}")
            sums.append({key(total) for total in sum_bill(ledger, form)})
    assert all(one == sums[0] for one in sums)


def key(total: BillTotal) -> tuple[object, ...]:
    """What a comparison takes from a sum of lines."""
    return total.kind, total.sku, total.first_day, total.last_day, total.amount_micro, total.cost_pico, total.lines


def test_a_number_and_a_seed_are_one_bill() -> None:
    assert made_up(3, 1) == made_up(3, 1)
    assert made_up(3, 1) != made_up(3, 2)

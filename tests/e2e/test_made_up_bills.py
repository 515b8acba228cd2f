"""A short form of `make bills`: some of the hundred made-up bills, in every form, from file to residues."""

from pathlib import Path

import pytest

from gembill.reconcile.bill_line import BillForm
from tests.bills.made_up import empty_ledger, made_up, prove


@pytest.mark.parametrize("number", [0, 7, 13, 22, 31])
def test_a_made_up_bill_is_explained_whichever_form_it_comes_in(number: int, tmp_path: Path) -> None:
    for form in BillForm:
        with empty_ledger(tmp_path) as ledger:
            prove(made_up(number, 1), form, ledger)


def test_a_number_and_a_seed_are_one_bill() -> None:
    assert made_up(3, 1) == made_up(3, 1)
    assert made_up(3, 1) != made_up(3, 2)

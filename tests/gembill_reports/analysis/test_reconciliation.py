"""A bill and a ledger read for the same days."""

from dataclasses import replace

import pytest
from msgspec import structs

from gembill.errors import ConfigurationError
from gembill.ledger import BillFile, Ledger, Selection, add_bill
from gembill.model import Outcome
from gembill.period import HOUR_US, instant, zone
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.hypothesis import Policy
from gembill.reconcile.numerals import day
from gembill.reconcile.synthetic import BillOptions, make_bill
from gembill.rules.prices import bundled
from gembill_reports.analysis.reconciliation import BillScope, charged, clock_offsets, pacific_day, reconcile
from tests.gembill.ledger.making import SPOOL, append, posting, runs, tokens

BOOK = bundled()
MIDNIGHT = instant("2026-11-01", zone())  # the clock is set back on this day
FIRST = day("2026-11-01")
SCOPE = BillScope(now_day=FIRST + 30)


def filled(ledger: Ledger) -> None:
    hours = (1, 5, 24, 25, 30, 60)
    executed = runs(Outcome.OK)
    append(
        ledger,
        SPOOL,
        [posting(n, occurred_us=MIDNIGHT + at * HOUR_US, executions=executed) for n, at in enumerate(hours, 1)],
    )


def bill(ledger: Ledger, **options: object) -> None:
    usages = charged(ledger).usages
    lines = [structs.replace(line, location="global") for line in make_bill(usages, [], BOOK, BillOptions(**options))]
    add_bill(ledger, BillFile(digest="x", name="x", form=BillForm.BIGQUERY), lambda: lines_numbered(lines))


def lines_numbered(lines):
    return [structs.replace(line, number=number) for number, line in enumerate(lines, 1)]


def test_a_bill_of_the_ledgers_own_charges_is_reconciled_but_for_prices(ledger: Ledger) -> None:
    filled(ledger)
    bill(ledger)
    comparison = reconcile(ledger, BOOK, SCOPE)
    assert comparison.unexplained_micro == 0
    assert comparison.days == (FIRST, FIRST + 2)
    assert {cell.billed_micro == cell.ours_micro for cell in comparison.cells} == {True}


def test_days_follow_the_pacific_clock_when_it_is_set_back() -> None:
    offsets = clock_offsets(MIDNIGHT, MIDNIGHT + 48 * HOUR_US)
    assert [offset // HOUR_US for _, offset in offsets] == [-7, -8]
    assert pacific_day(MIDNIGHT + 25 * HOUR_US - 1) == FIRST
    assert pacific_day(MIDNIGHT + 25 * HOUR_US) == FIRST + 1


def test_a_policy_is_named_from_the_ledgers_charges(ledger: Ledger) -> None:
    filled(ledger)
    bill(ledger, policies=frozenset((Policy.INTERMEDIATE_FREE,)))
    comparison = reconcile(ledger, BOOK, replace(SCOPE, infer=True))
    assert comparison.inference.best.policies == {Policy.INTERMEDIATE_FREE}
    assert "policy:intermediate_not_counted" in comparison.sums


def test_calls_of_other_keys_are_not_ours(ledger: Ledger) -> None:
    filled(ledger)
    bill(ledger)
    comparison = reconcile(ledger, BOOK, replace(SCOPE, selection=Selection(keys=("nobody",))))
    assert {residue.name for residue in comparison.residues if residue.amount_micro} == {"unrecorded"}


def test_a_period_takes_whole_days_of_both_sides(ledger: Ledger) -> None:
    filled(ledger)
    bill(ledger)
    comparison = reconcile(ledger, BOOK, replace(SCOPE, days=(FIRST + 1, FIRST + 1)))
    assert comparison.days == (FIRST + 1, FIRST + 1)
    assert comparison.unexplained_micro == 0


def test_without_a_bill_it_says_what_to_do(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, tokens=tokens())])
    with pytest.raises(ConfigurationError, match="gembill reconcile FILE"):
        reconcile(ledger, BOOK, SCOPE)


def test_another_currency_is_left_out(ledger: Ledger) -> None:
    filled(ledger)
    bill(ledger, currency="EUR", rate="0.92")
    assert reconcile(ledger, BOOK, replace(SCOPE, currency="EUR")).currency == "EUR"
    assert reconcile(ledger, BOOK, replace(SCOPE, currency="USD")).days is None


def test_project_and_location_choose_lines_and_the_calls_that_say_theirs(ledger: Ledger) -> None:
    places = (("a", "us-central1"), ("a", "global"), ("b", "us-central1"), (None, None))
    append(
        ledger,
        SPOOL,
        [
            posting(n, occurred_us=MIDNIGHT + HOUR_US, project=project, location=location)
            for n, (project, location) in enumerate(places, 1)
        ],
    )
    bill(ledger, project="a")
    whole = reconcile(ledger, BOOK, SCOPE)
    of_a = reconcile(ledger, BOOK, replace(SCOPE, project="a"))
    assert of_a.ours * 4 == whole.ours * 3  # those of b are left out, the one that names no project is not
    world = reconcile(ledger, BOOK, replace(SCOPE, location="global"))
    assert world.ours * 2 == whole.ours  # the Gemini API has one location
    nowhere = reconcile(ledger, BOOK, replace(SCOPE, location="us-central1"))
    assert (nowhere.days, nowhere.billed) == (None, 0)  # no line of the made-up bill is there


def test_a_text_that_nobody_can_read_is_that_of_another_line_with_the_same_id(ledger: Ledger) -> None:
    filled(ledger)
    lines = lines_numbered(make_bill(charged(ledger).usages, [], BOOK, BillOptions()))
    foreign = [structs.replace(line, sku=f"Erzeugte Inhalte {line.number}") for line in lines]
    add_bill(ledger, BillFile(digest="de", name="de", form=BillForm.BIGQUERY), lambda: foreign)
    assert reconcile(ledger, BOOK, SCOPE).unknown_skus
    table = BillFile(digest="en", name="en", form=BillForm.COST_TABLE)
    add_bill(ledger, table, lambda: [structs.replace(line, month="2026-11") for line in lines])
    finest = reconcile(ledger, BOOK, SCOPE)
    assert (finest.unknown_skus, finest.unexplained_micro) == ({}, 0)
    other = structs.replace(
        lines[0], month="2026-12", sku="Generate content search query gemini 3"
    )  # another meaning of one id
    add_bill(ledger, BillFile(digest="x", name="x", form=BillForm.COST_TABLE), lambda: [other])
    assert set(reconcile(ledger, BOOK, SCOPE).unknown_skus) == {
        line.sku for line in foreign if line.sku_id == other.sku_id
    }


@pytest.mark.parametrize("months", [("2026-10", "2026-11"), ("2026-11", "2026-11")])
def test_an_sku_that_a_later_file_calls_otherwise_is_still_what_its_id_was(
    ledger: Ledger, months: tuple[str, str]
) -> None:
    filled(ledger)
    lines = lines_numbered(make_bill(charged(ledger).usages, [], BOOK, BillOptions()))
    renamed = lines[0].sku_id
    first, second = months  # of invoices: a revised table of one month takes the place of the first
    before = [structs.replace(line, month=first) for line in lines if line.sku_id == renamed]
    after = [
        structs.replace(line, month=second, sku=f"{line.sku} renamed" if line.sku_id == renamed else line.sku)
        for line in lines
    ]
    add_bill(ledger, BillFile(digest="1", name="1", form=BillForm.COST_TABLE), lambda: before)
    add_bill(ledger, BillFile(digest="2", name="2", form=BillForm.COST_TABLE), lambda: after)
    assert reconcile(ledger, BOOK, SCOPE).unknown_skus == {}


def test_a_suffix_beside_the_text_without_it_in_one_file_is_not_another_name_of_its_id(ledger: Ledger) -> None:
    filled(ledger)
    line, *others = lines_numbered(make_bill(charged(ledger).usages, [], BOOK, BillOptions()))
    odd = structs.replace(line, number=9_999, sku=f"{line.sku} offpeak")
    add_bill(ledger, BillFile(digest="1", name="1", form=BillForm.COST_TABLE), lambda: [line, odd, *others])
    assert set(reconcile(ledger, BOOK, SCOPE).unknown_skus) == {odd.sku}

"""A bill beside the ledger: residues with names that add up to the pico."""

from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from gembill.errors import ConfigurationError
from gembill.model import Meter
from gembill.reconcile.bill_files import recognise
from gembill.reconcile.bill_line import BillForm, BillLine, LineKind
from gembill.reconcile.comparison import Comparison, Ours, compare
from gembill.reconcile.hypothesis import MICRO, SETS
from gembill.reconcile.residue import Name
from gembill.reconcile.sums import BillTotal, Doubt
from gembill.reconcile.synthetic import BillOptions, make_bill
from gembill.reconcile.synthetic_files import written
from tests.gembill.reconcile.ledgers import BOOK, FIRST, LOCATIONS, NOW, PROJECTS, month, placed, totals, usage

USAGES, RESULTS = month()
PLACED, PLACED_RESULTS = placed(USAGES), placed(RESULTS, 2)
HERE = {"project": PROJECTS[0], "location": LOCATIONS[0]}
PLAIN = BillOptions(currency="EUR", rate="0.92", free_searches=100)
FORMS = list(BillForm)
ERRORLESS = make_bill(*(some[:400] for some in month(days=4)), BOOK, BillOptions(currency="EUR", rate="0.92"))
FEW = PLACED[:150]
PLACED_BILL = make_bill(FEW, [], BOOK, BillOptions())
CURRENCIES = (("USD", "1"), ("EUR", "0.9213"), ("JPY", "151.27"))


def held(lines: list[BillTotal], **changes: object) -> Comparison:
    facts = {"usages": USAGES, "results": RESULTS, **changes}
    comparison = compare(lines, Ours(**facts), BOOK, now_day=NOW)
    total = sum((money for _, money in comparison.sums.values()), Fraction(0))
    assert total == comparison.billed - comparison.ours
    assert sum(comparison.sums_pico.values()) == comparison.billed_pico - comparison.ours_pico
    gaps = sum(cell.billed_micro - cell.ours_micro for cell in comparison.cells)
    assert sum(residue.amount_micro for residue in comparison.residues) == gaps
    return comparison


def names(comparison: Comparison) -> set[str]:
    return {name for name, (amount, money) in comparison.sums.items() if amount or money} - {Name.ROUNDING}


@pytest.mark.parametrize("number", range(len(SETS)))
def test_a_made_up_bill_is_explained_to_the_pico_in_every_form(number):
    """32 sets of policies, with lag, corrections, tax, an allowance, bypassing calls and three currencies."""
    form, (currency, rate) = FORMS[number % 4], CURRENCIES[number % 3]
    options = BillOptions(
        policies=SETS[number],
        lag_days=number % 5,
        currency=currency,
        rate=rate,
        free_searches=100 * (number % 3),
        bypass=number % 4,
        corrected=number % 2 == 0,
        tax_percent=19,
        seed=number,
    )
    text = written(make_bill(USAGES, RESULTS, BOOK, options), form)
    lines = [line for line in recognise(text.splitlines(keepends=True), "bill").lines if isinstance(line, BillLine)]
    lines = [structs.replace(line, rate=line.rate or rate) for line in lines]  # a report names none
    comparison = held(totals(lines))
    assert comparison.is_reconciled
    assert comparison.unexplained_micro == 0
    assert ("unrecorded" in names(comparison)) == bool(options.bypass)
    hidden = comparison.inference.undecided
    assert comparison.inference.best.policies - hidden == options.policies - hidden


def filed(lines: list[BillLine], form: BillForm) -> list[BillTotal]:
    """The lines as they are read from a file of a form."""
    reading = recognise(written(lines, form).splitlines(keepends=True), "bill")
    return totals(line for line in reading.lines if isinstance(line, BillLine))


def places(comparison: Comparison) -> set[tuple[str, str]]:
    return {(line.cell.project, line.cell.location) for line in comparison.cells}


@pytest.mark.parametrize("form", FORMS)
def test_two_projects_and_locations_are_explained_to_the_pico_in_every_form(form):
    """A report names neither, a cost table no location: what a file cannot say is never a residue."""
    options = BillOptions(bypass=2, policies=SETS[1], seed=3)
    lines = make_bill(PLACED, PLACED_RESULTS, BOOK, options)
    comparison = held(filed(lines, form), usages=PLACED, results=PLACED_RESULTS)
    assert comparison.is_reconciled
    assert names(comparison) == {"unrecorded", f"policy:{next(iter(SETS[1])).value}"}
    projects, locations = ({place[number] for place in places(comparison)} for number in (0, 1))
    assert projects == ({""} if form is BillForm.REPORTS else set(PROJECTS))
    assert locations == (set(LOCATIONS) if form in (BillForm.BIGQUERY, BillForm.FOCUS) else {""})


@pytest.mark.parametrize("form", [BillForm.BIGQUERY, BillForm.FOCUS, BillForm.COST_TABLE])
@pytest.mark.parametrize(("field", "other"), [("project", PROJECTS[1]), ("location", LOCATIONS[1])])
def test_a_call_that_is_billed_elsewhere_is_named_to_the_pico(form, field, other):
    call = [
        usage(**HERE, meter=meter, quantity=quantity) for meter, quantity in ((Meter.INPUT, 5001), (Meter.OUTPUT, 7))
    ]
    billed = [*PLACED, *(replace(one, **{field: other}) for one in call)]
    comparison = held(filed(make_bill(billed, [], BOOK, BillOptions()), form), usages=[*PLACED, *call], results=[])
    moved = [one for one in comparison.residues if one.name == field]
    if form is BillForm.COST_TABLE and field == "location":  # which it does not name
        assert not names(comparison)
        return
    assert names(comparison) == set()  # what is moved adds up to nothing
    assert comparison.unexplained_micro == 0
    expected = {(other, one.quantity * MICRO, one.cost_pico) for one in call}
    assert {
        (getattr(one.cell, field), one.amount_micro, one.money) for one in moved if one.amount_micro > 0
    } == expected
    assert sum(one.money for one in moved if one.money < 0) == -sum(one.cost_pico for one in call)
    assert comparison.is_reconciled


def test_one_project_that_both_sides_name_and_calls_that_name_none_make_no_rows():
    alone = [replace(one, **HERE) for one in USAGES]
    assert places(held(totals(make_bill(alone, [], BOOK, BillOptions())), usages=alone, results=[])) == {("", "")}
    bill = totals(make_bill(PLACED, [], BOOK, BillOptions()))
    nowhere = held(bill, usages=USAGES, results=[])
    assert (places(nowhere), names(nowhere)) == ({("", "")}, set())
    elsewhere = held(bill, usages=[replace(one, project=f"no-{one.project}") for one in PLACED], results=[])
    assert {place[0] for place in places(elsewhere)} == {""}
    assert names(elsewhere) == set()


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 10**6))
def test_order_splitting_and_an_odd_token_with_places(rng, place):
    plain = held(totals(PLACED_BILL), usages=FEW, results=[])
    lines = totals(PLACED_BILL)
    rng.shuffle(lines)
    parts = [
        part
        for line in lines
        for half in (line.amount_micro // 2,)
        for part in (
            replace(line, amount_micro=half, cost_pico=0),
            replace(line, amount_micro=line.amount_micro - half),
        )
    ]
    assert held(lines, usages=FEW, results=[]).sums == plain.sums == held(parts, usages=FEW, results=[]).sums
    wrong = lines[place % len(lines)]
    lines[place % len(lines)] = replace(wrong, amount_micro=wrong.amount_micro + MICRO)
    name = Name.GROUNDING_COUNT if "search" in wrong.sku else Name.UNEXPLAINED
    [odd] = [one for one in held(lines, usages=FEW, results=[]).residues if one.name == name]
    assert (odd.amount_micro, odd.cell.project, odd.cell.location) == (MICRO, wrong.project, wrong.location)


def test_order_splitting_tax_and_credits_change_no_residue():
    lines = make_bill(USAGES, RESULTS, BOOK, replace(PLAIN, bypass=2))
    plain = held(totals(lines))
    shuffled = totals(lines)
    Random(1).shuffle(shuffled)
    assert held(shuffled).sums == plain.sums
    half = [
        replace(total, amount_micro=total.amount_micro // 2, cost_pico=total.cost_pico // 2) for total in totals(lines)
    ]
    rest = [
        replace(total, amount_micro=total.amount_micro - some.amount_micro, cost_pico=total.cost_pico - some.cost_pico)
        for total, some in zip(totals(lines), half, strict=True)
    ]
    assert held([*half, *rest]).sums == plain.sums
    extra = [
        replace(totals(lines)[0], kind=kind, amount_micro=0, cost_pico=12345)
        for kind in (LineKind.TAX, LineKind.CREDIT)
    ]
    more = held([*totals(lines), *extra])
    assert more.sums == plain.sums
    assert more.others == {LineKind.TAX: 12345, LineKind.CREDIT: 12345}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from((1, -1)))
def test_an_error_of_one_token_on_any_line_has_a_name_in_its_cell(place, sign):
    plain, lines = held(totals(ERRORLESS)), totals(ERRORLESS)
    wrong = lines[place % len(lines)]
    lines[place % len(lines)] = replace(wrong, amount_micro=wrong.amount_micro + sign * MICRO)
    comparison = held(lines)
    changed = {
        (one.name, one.cell)
        for one in {*comparison.residues} ^ {*plain.residues}
        if one.amount_micro and one.name not in plain.sums
    }
    if "search" in wrong.sku:
        assert comparison.sums[Name.GROUNDING_COUNT][0] == sign * MICRO
    else:
        assert {name for name, _ in changed} == {Name.UNEXPLAINED}
        assert comparison.unexplained_micro == MICRO


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from((1, -1)))
def test_an_error_of_one_cent_on_any_line_is_a_price(place, sign):
    lines = totals(ERRORLESS)
    wrong = lines[place % len(lines)]
    lines[place % len(lines)] = replace(wrong, cost_pico=wrong.cost_pico + sign * 10**10)
    [residue] = [one for one in held(lines).residues if one.name == Name.PRICE]
    assert abs(residue.money - sign * 10**10) < 10**7


@pytest.mark.parametrize("sign", [1, -1])
def test_an_error_of_one_token_is_unexplained_and_shown_where_it_is(sign):
    lines = totals(make_bill(USAGES, RESULTS, BOOK, PLAIN))
    place = next(number for number, line in enumerate(lines) if "input token" in line.sku and "batch" in line.sku)
    lines[place] = replace(lines[place], amount_micro=lines[place].amount_micro + sign * MICRO)
    comparison = held(lines)
    [residue] = [one for one in comparison.residues if one.name == Name.UNEXPLAINED]
    assert (residue.amount_micro, residue.cell.span) == (sign * MICRO, lines[place].first_day)
    assert not comparison.is_reconciled


def test_an_error_of_one_cent_is_a_price_with_its_sku():
    lines = totals(make_bill(USAGES, RESULTS, BOOK, PLAIN))
    lines[3] = replace(lines[3], cost_pico=lines[3].cost_pico + 10**10)
    comparison = held(lines)
    [residue] = [one for one in comparison.residues if one.name == Name.PRICE]
    assert abs(residue.money - 10**10) < 10**7
    assert lines[3].sku in residue.detail


def test_cached_tokens_of_a_batch_at_the_standard_rate_are_a_price_where_the_ledger_charged_half():
    cached = usage(meter=Meter.CACHED_INPUT, service_tier="batch", quantity=10**6)
    bill = totals(make_bill([replace(cached, service_tier="standard")], [], BOOK, BillOptions()))
    half = replace(cached, cost_pico=cached.cost_pico // 2)
    comparison = held(bill, usages=[half], results=[])
    assert names(comparison) == {"price"}
    assert sum(money for _, money in comparison.sums.values()) == cached.cost_pico - half.cost_pico


def test_the_free_allowance_is_a_residue_of_its_own():
    comparison = held(totals(make_bill(USAGES, RESULTS, BOOK, PLAIN)))
    assert names(comparison) == {"free_allowance"}
    assert comparison.is_reconciled


def test_another_tier_another_day_and_another_model_are_named():
    moved = [
        replace(one, service_tier="flex") if one.service_tier == "standard" and one.day == FIRST else one
        for one in USAGES
    ]
    bill = totals(make_bill(USAGES, RESULTS, BOOK, BillOptions()))
    assert "tier" in names(held(bill, usages=moved))


def test_calls_whose_usage_was_never_learned_explain_what_is_billed_more():
    bill = totals(make_bill(USAGES, RESULTS, BOOK, BillOptions(bypass=1)))
    [residue, *_] = [one for one in held(bill).residues if one.name == Name.UNRECORDED]
    doubt = Doubt(day=residue.cell.span, model=residue.cell.model, service_tier=residue.cell.tier, unknown=1, partial=0)
    assert names(held(bill, doubts=[doubt])) == {"unknown_usage"}


def test_an_unknown_sku_keeps_its_money_and_other_services_are_left_out():
    lines = totals(make_bill(USAGES, RESULTS, BOOK, BillOptions()))
    strange = replace(lines[0], sku="Generate content input token count gemini 3.7 flash text offpeak", cost_pico=777)
    disks = replace(lines[0], sku="Storage PD Capacity", service="Compute Engine", cost_pico=888)
    comparison = held([*lines, strange, disks])
    assert comparison.sums[Name.UNKNOWN_SKU] == (0, 777)
    assert comparison.unknown_skus == {strange.sku: "no rule reads offpeak"}
    assert comparison.left_out == 888


def test_rows_with_another_rate_are_a_residue_of_currency():
    lines = totals(make_bill(USAGES, RESULTS, BOOK, replace(PLAIN, free_searches=0)))
    odd = lines[0]
    lines[0] = replace(odd, rate="0.96", cost_pico=odd.cost_pico * 96 // 92)
    assert names(held(lines)) == {"currency"}


def test_without_a_rate_only_tokens_are_compared():
    lines = [replace(one, rate=None) for one in totals(make_bill(USAGES, RESULTS, BOOK, PLAIN))]
    comparison = compare(lines, Ours(usages=USAGES, results=RESULTS), BOOK, now_day=NOW)
    assert comparison.rate is None
    assert comparison.unexplained_micro == 0
    given = compare(lines, Ours(usages=USAGES, results=RESULTS), BOOK, now_day=NOW, rate=Fraction("0.92"))
    assert given.rate == Fraction("0.92")


def test_several_currencies_have_to_be_chosen_from():
    lines = totals(make_bill(USAGES, RESULTS, BOOK, PLAIN))
    with pytest.raises(ConfigurationError, match=r"EUR, USD; choose one"):
        compare([lines[0], replace(lines[1], currency="USD")], Ours(usages=[]), BOOK, now_day=NOW)


def test_young_days_are_open_and_a_bill_of_nothing_else_is_not_reconciled():
    lines = totals(make_bill(USAGES, RESULTS, BOOK, BillOptions()))
    comparison = compare(lines, Ours(usages=USAGES), BOOK, now_day=FIRST + 1)
    assert comparison.days is None
    assert not comparison.is_reconciled
    assert len(comparison.open_days) == 20

"""The values at the ledger's door."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.ledger.entries import billed_charges, correction, ledger_record, meters_of, net_lines, part_of
from gembill.model import COST_PARTS, Charge, CostParts, Meter, Modality, Outcome, Rating
from tests.gembill.ledger.making import UNIT, rated, record, runs, tokens


def charge(meter: Meter, quantity: int, unit_pico: int) -> Charge:
    return Charge(meter=meter, modality=Modality.TEXT, quantity=quantity, unit_pico=unit_pico, price_id="p")


def test_every_meter_belongs_to_one_part_of_the_cost() -> None:
    listed = [meter for part in COST_PARTS for meter in meters_of(part)]
    assert sorted(listed) == sorted(Meter)
    assert all(meter in meters_of(part_of(meter)) for meter in Meter)


def test_cached_input_and_storage_count_as_input_thinking_pictures_and_film_as_output() -> None:
    prices = {meter: (place, 10**place) for place, meter in enumerate(Meter, 1)}
    rating = Rating(charges=tuple(charge(meter, quantity, unit) for meter, (quantity, unit) in prices.items()))
    entry = ledger_record(record(1), rating, 4)
    assert entry.cost_parts == CostParts(
        input=1 * 10 + 2 * 100 + 15 * 10**15,
        intermediate=3 * 1000,
        output=4 * 10**4 + 5 * 10**5 + sum(place * 10**place for place in range(8, 15)),
        grounding=6 * 10**6 + 7 * 10**7,
    )
    assert entry.cost_pico == sum(part or 0 for part in entry.cost_parts.amounts)
    assert (entry.priced, entry.unpriced_reason, entry.revision) == (True, None, 4)


@pytest.mark.parametrize(
    ("rating", "priced"),
    [(Rating(known=False), True), (Rating(unpriced_reason="no price", charges=rated(tokens()).charges), False)],
    ids=["counts unknown", "no price"],
)
def test_an_unknown_cost_is_null_in_all_its_parts_and_bills_nothing(rating: Rating, priced: bool) -> None:
    entry = ledger_record(record(1), rating, 0)
    assert (entry.cost_pico, set(entry.cost_parts.amounts), entry.failed_execution_cost_pico) == (None, {None}, None)
    assert (entry.priced, entry.unpriced_reason) == (priced, rating.unpriced_reason)
    assert billed_charges(rating) == ()


def test_a_call_that_costs_nothing_costs_zero() -> None:
    entry = ledger_record(record(1), Rating(), 0)
    assert (entry.cost_pico, set(entry.cost_parts.amounts), entry.priced) == (0, {0}, True)


@pytest.mark.parametrize(
    ("ended", "cost"),
    [
        ((), 0),
        ((Outcome.OK, Outcome.UNKNOWN), 0),
        ((Outcome.FAILED, Outcome.OK, Outcome.DEADLINE_EXCEEDED), 40 * UNIT * 2 // 3),
        ((Outcome.FAILED,), 40 * UNIT),
    ],
    ids=["no run", "none failed", "two of three", "all"],
)
def test_failed_runs_have_their_share_of_the_intermediate_cost_rounded_down(
    ended: tuple[Outcome, ...], cost: int
) -> None:
    assert ledger_record(record(1, executions=runs(*ended)), rated(tokens()), 0).failed_execution_cost_pico == cost


def test_flags_of_rating_follow_those_of_the_record_and_none_twice() -> None:
    entry = ledger_record(record(1, flags=("incomplete", "b")), Rating(flags=("a", "incomplete")), 0)
    assert entry.record.flags == ("incomplete", "b", "a")


def test_empty_names_are_missing_names_and_readings_are_not_kept() -> None:
    kept = ledger_record(record(1, model="", key="", readings=()), Rating(), 0).record
    assert (kept.model, kept.key, kept.readings) == (None, None, None)


LINES = st.tuples(
    st.sampled_from(["input", "output"]), st.just("text"), st.integers(0, 2), st.sampled_from(["p1", "p2"])
)
NETS = st.dictionaries(LINES, st.integers(1, 9))


@given(NETS, NETS)
def test_old_charges_and_the_correction_add_up_to_the_new_ones(old: dict, new: dict) -> None:
    assert net_lines([*old.items(), *correction(old, new)]) == new


@given(NETS, NETS)
def test_lines_that_stay_are_left_alone_and_reversals_come_first(old: dict, new: dict) -> None:
    lines = correction(old, new)
    assert not {line for line, _ in lines} & {line for line in old if old[line] == new.get(line)}
    signs = [quantity > 0 for _, quantity in lines]
    assert signs == sorted(signs)


def test_lines_that_came_to_nothing_are_left_out() -> None:
    line = ("input", "text", 5, "p1")
    assert net_lines([(line, 3), (line, -3)]) == {}

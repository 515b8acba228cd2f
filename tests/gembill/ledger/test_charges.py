"""Sums over charges by what decides a price."""

from msgspec.structs import replace

from gembill.ledger import (
    Ledger,
    Reason,
    Selection,
    audit_ledger,
    read_charges,
    read_charges_of,
    read_records,
    read_totals,
    sum_charges,
)
from gembill.model import Charge, Meter, Modality, Rating
from tests.gembill.ledger.making import (
    HOUR,
    NATURAL,
    SPOOL,
    START,
    UNIT,
    append,
    natural,
    posting,
    rated,
    record,
    tokens,
)


def test_charges_are_net_of_their_corrections(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2)])
    ledger.correct([(record(2), rated(tokens(), 7, "p2"))], reason=Reason.RERATE)
    charged = {(one.meter, one.price_id): (one.quantity, one.cost_pico) for one in sum_charges(ledger, Selection())}
    assert charged[Meter.INPUT, "p1"] == (100, 100 * UNIT)
    assert charged[Meter.INPUT, "p2"] == (100, 100 * 7)
    assert sum(cost for _, cost in charged.values()) == 200 * UNIT + 200 * 7


def test_prompts_are_summed_apart_by_the_threshold_they_exceed(ledger: Ledger) -> None:
    sizes = (200_000, 200_001, 199_990)
    append(ledger, SPOOL, [posting(n, tokens=tokens(input=size)) for n, size in enumerate(sizes, 1)])
    plain = {one.above: one.quantity for one in sum_charges(ledger, Selection(), [200_000]) if one.meter is Meter.INPUT}
    assert plain == {0: 200_000 + 199_990, 200_000: 200_001}
    both = sum_charges(ledger, Selection(), [200_000], with_intermediate=True)  # 40 intermediate tokens each
    assert {one.above for one in both} == {200_000}


def test_the_period_is_half_open_and_models_are_chosen(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2), replace(posting(3), record=record(3, model="other"))])
    chosen = Selection(start_us=START + 1, end_us=START + 2)
    assert {one.quantity for one in sum_charges(ledger, chosen) if one.meter is Meter.INPUT} == {100}
    assert {one.model for one in sum_charges(ledger, Selection(models=("oth*",)))} == {"other"}


def test_a_year_of_days_with_ten_to_the_nine_tokens_is_exact(ledger: Ledger) -> None:
    unit, day, days = 30_000_001, 10**9, 366  # above 2^63 pico-dollars in all
    charge = Charge(meter=Meter.OUTPUT, modality=Modality.TEXT, quantity=day, unit_pico=unit, price_id="p")
    counts = tokens(input=0, intermediate=0, output=day)
    at = [START + n * 24 * HOUR for n in range(days)]
    append(
        ledger,
        SPOOL,
        [posting(n, Rating(charges=(charge,)), tokens=counts, occurred_us=us) for n, us in enumerate(at, 1)],
    )
    (total,) = sum_charges(ledger, Selection())
    assert (total.quantity, total.cost_pico) == (day * days, day * days * unit)
    assert read_totals(ledger, Selection())[0].cost_pico == day * days * unit
    assert audit_ledger(ledger) == []


def test_charges_of_many_calls_are_those_of_each_with_corrections(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2), natural(3)])
    first = posting(1)
    ledger.correct([(replace(first.record, readings=None), rated(first.record.tokens, 7, "p2"))], reason=Reason.RERATE)
    records = list(read_records(ledger, Selection()))
    assert {one.record.source_id for one in records} == {SPOOL, NATURAL}
    assert read_charges_of(ledger, records) == {
        (one.record.source_id, one.record.id): read_charges(ledger, one) for one in records
    }
    assert max(len(posted) for posted in read_charges_of(ledger, records).values()) > 3


def test_no_call_has_no_charges(ledger: Ledger) -> None:
    assert read_charges_of(ledger, []) == {}

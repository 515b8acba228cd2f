"""Receipts: lines that add up, and words that fit the call."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gembill.ledger import (
    Ledger,
    LedgerCharge,
    RatedEvent,
    Selection,
    billed_charges,
    ledger_record,
    read_charges,
    read_record,
    read_records,
)
from gembill.model import Charge, Execution, Meter, Modality, Rating
from gembill.money import unit_price, usd
from gembill_reports.analysis.receipt import Receipt, receipt
from gembill_reports.views.receipt import receipt_dict
from tests.gembill.pricing import price
from tests.gembill_reports.making import FAILED, FLASH, LATE, OK, call, put

AT = "2026-11-21T09:00:00+00:00"
IN, OUT = unit_price("0.50"), unit_price("3.00")
RESULT = Execution(outcome=OK, code_chars=120, result_chars=17, result_digits=15)


ROWS = (
    price(
        "3.00" if meter is Meter.OUTPUT else "0.50",
        meter,
        id=f"{FLASH}/{meter}",
        source="the price page",
        checked_on="2026-11-15",
    )
    for meter in Meter
)
PRICES = {row.id: row for row in ROWS}


def explained(posting: RatedEvent) -> Receipt:
    kept = ledger_record(posting.record, posting.rating, 0)
    lines = enumerate(billed_charges(posting.rating))
    return receipt(kept, [LedgerCharge(revision=0, line=n, charge=charge) for n, charge in lines], PRICES)


def test_the_lines_of_a_receipt_add_up(ledger: Ledger) -> None:
    posting = call(AT, (147, 360, 276), executions=(RESULT,))
    put(ledger, posting)
    kept = read_record(ledger, posting.record.id)
    assert kept is not None
    shape = receipt_dict(receipt(kept, read_charges(ledger, kept), PRICES))
    assert [
        (line["meter"], line["quantity"], line["usd_per_million"], line["cost_usd"]) for line in shape["lines"]
    ] == [
        ("input", 147, "0.50", usd(147 * IN)),
        ("intermediate", 360, "0.50", usd(360 * IN)),
        ("output", 276, "3.00", usd(276 * OUT)),
    ]
    assert shape["lines"][0]["price"] == {
        "id": f"{FLASH}/input",
        "source": "the price page",
        "checked_on": "2026-11-15",
    }
    assert shape["total"] == {
        "tokens": 147 + 360 + 276,
        "tokens_reported": 783,
        "cost_usd": usd(147 * IN + 360 * IN + 276 * OUT),
        "list_cost_usd": None,
    }
    assert shape["record"]["id"] == posting.record.id
    assert shape["executions"][0]["outcome"] == "ok"
    assert shape["corrections"] == []


@given(st.tuples(*[st.integers(0, 2**40)] * 3), st.sampled_from([FLASH, "nobody-knows"]))
def test_lines_add_up_to_the_total_and_the_cost_whatever_was_used(split: tuple[int, int, int], model: str) -> None:
    explained_call = explained(call(AT, split, model))
    assert explained_call.tokens == sum(split)
    assert explained_call.cost_pico == explained_call.stored.cost_pico
    assert (explained_call.cost_pico is None) == (model != FLASH)


def test_the_documented_reading_is_an_estimate_beside_the_cost() -> None:
    two = Execution(outcome=FAILED, result_chars=8, result_digits=0)
    explained_call = explained(call(AT, (147, 360, 276), executions=(RESULT, two, Execution(outcome=LATE))))
    tokens = 15 + 1 + 2  # 15 digits, then 2 other characters begin a token, then 8 are two
    assert receipt_dict(explained_call)["documented_reading_estimate"] == {
        "estimate": True,
        "result_tokens": tokens,
        "usd_per_million": "3.00",
        "cost_usd": usd(tokens * OUT),
    }
    assert explained_call.cost_pico == 147 * IN + 360 * IN + 276 * OUT


def test_without_results_or_a_price_there_is_no_estimated_cost() -> None:
    assert explained(call(AT, (1, 1, 1), outcomes=[OK])).estimate is None
    unpriced = receipt_dict(explained(call(AT, (1, 1, 1), "nobody-knows", executions=(RESULT,))))
    assert unpriced["documented_reading_estimate"]["cost_usd"] is None
    assert unpriced["documented_reading_estimate"]["result_tokens"] == 16


def test_a_call_without_a_price_shows_its_split() -> None:
    posting = call(AT, (100, 20, 50), "nobody-knows")
    tokens = replace(posting.record.tokens, cached=40, thinking=10)
    shape = receipt_dict(explained(replace(posting, record=replace(posting.record, tokens=tokens))))
    assert {line["meter"]: line["quantity"] for line in shape["lines"]} == {
        "input": 60,
        "cached_input": 40,
        "intermediate": 20,
        "output": 40,
        "thinking": 10,
    }
    assert {line["cost_usd"] for line in shape["lines"]} == {None}
    assert shape["total"] == {"tokens": 170, "tokens_reported": 170, "cost_usd": None, "list_cost_usd": None}
    assert shape["record"]["unpriced_reason"] == "no price is known for the model 'nobody-knows'"


def test_a_call_of_which_nothing_is_known_has_no_lines_and_no_total() -> None:
    shape = receipt_dict(explained(call(AT, None)))
    assert shape["lines"] == []
    assert shape["total"] == {"tokens": None, "tokens_reported": None, "cost_usd": None, "list_cost_usd": None}


def test_a_correction_shows_old_and_new(ledger: Ledger) -> None:
    posting = call(AT, (147, 360, 276))
    put(ledger, posting)
    kept = replace(next(iter(read_records(ledger, Selection()))), revision=1)
    posted = read_charges(ledger, kept)
    old = next(one.charge for one in posted if one.charge.meter is Meter.OUTPUT)
    dearer = replace(old, unit_pico=2 * OUT, price_id="later")
    posted += [
        LedgerCharge(revision=1, line=0, charge=replace(old, quantity=-old.quantity)),
        LedgerCharge(revision=1, line=1, charge=dearer),
    ]
    before, after = 507 * IN + 276 * OUT, 507 * IN + 276 * 2 * OUT
    kept = replace(kept, cost_pico=after)
    explained_call = receipt(kept, posted, PRICES)
    assert explained_call.cost_pico == after
    (correction,) = receipt_dict(explained_call)["corrections"]
    assert (correction["old_cost_usd"], correction["new_cost_usd"]) == (usd(before), usd(after))
    assert [(line["meter"], line["cost_usd"]) for line in correction["old"]] == [("output", usd(276 * OUT))]
    assert [(line["meter"], line["cost_usd"]) for line in correction["new"]] == [("output", usd(276 * 2 * OUT))]
    assert correction["new"][0]["price"] == {"id": "later", "source": None, "checked_on": None}


def test_grounding_is_counted_in_searches_and_not_in_tokens() -> None:
    posting = call(AT, (1, 0, 0))
    search = Charge(
        meter=Meter.GROUNDING, modality=Modality.TEXT, quantity=3, unit_pico=unit_price("14000"), price_id="g"
    )
    explained_call = explained(replace(posting, rating=Rating(charges=(*posting.rating.charges, search))))
    assert explained_call.tokens == 1
    assert explained_call.cost_pico == IN + 3 * unit_price("14000")
    assert receipt_dict(explained_call)["lines"][-1]["unit"] == "searches"

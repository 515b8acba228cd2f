"""A receipt as people read it."""

import dataclasses
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from gembill.ledger import LedgerCharge, RatedEvent, billed_charges, ledger_record
from gembill.model import ApiError, Charge, Execution, Meter, Modality, Rating, Status
from gembill.money import unit_price
from gembill.rules.policy_ids import FREE_TIER, over
from gembill.rules.rounds import Round
from gembill_reports.analysis.receipt import Receipt, receipt
from gembill_reports.views.receipt import ReceiptView, receipt_dict, sheets
from gembill_reports.views.view import Format
from gembill_reports.views.view import text as written
from tests.gembill_reports.analysis.test_receipt import PRICES, RESULT
from tests.gembill_reports.conftest import Snapshots
from tests.gembill_reports.making import FAILED, FLASH, LATE, OK, call

AT = "2026-11-21T09:00:00+00:00"
LA = ZoneInfo("America/Los_Angeles")
ID = "019aa5e0-4b71-7f3a-8c2d-5e6f70819200"
FULL = "/text/standard/0@2026-11-01"  # what follows the meter in the id of a price row of the list
PRICED = {
    f"{row.id}{FULL}": dataclasses.replace(row, source="ai.google.dev/gemini-api/docs/pricing")
    for row in PRICES.values()
}
PRICED |= {f"set-1/{one}": dataclasses.replace(row, source="agreed by contract") for one, row in PRICED.items()}
ROUNDS = (
    Round(intermediate=1_210_360, expected=1_210_300, results=66),
    Round(intermediate=16_200_000, expected=1_450_000, results=1_200),
)


def explained(posting: RatedEvent) -> Receipt:
    kept = ledger_record(posting.record, posting.rating, 0)
    lines = enumerate(billed_charges(posting.rating))
    return receipt(kept, [LedgerCharge(revision=0, line=n, charge=charge) for n, charge in lines], PRICES | PRICED)


def priced(posting: RatedEvent) -> RatedEvent:
    """The call with the ids of price rows as long as they are in the list."""
    charges = (replace(one, price_id=one.price_id + FULL) for one in posting.rating.charges)
    return replace(posting, rating=replace(posting.rating, charges=tuple(charges)))


def text(explained_call: Receipt, width: int = 110) -> str:
    return "\n".join(sheet.terminal(width) for sheet in sheets(explained_call, LA))


def test_a_receipt_is_read_from_top_to_bottom() -> None:
    posting = call(
        AT, (147, 360, 276), executions=(RESULT,), labels={"team": "search"}, key="k_7f3a", requested_model="gemini-x"
    )
    shown = text(explained(posting))
    for words in (
        f"Receipt {posting.record.id}",
        "2026-11-21T01:00:00-08:00 America/Los_Angeles (2026-11-21T09:00:00.000000Z)",
        "gemini-3-flash-preview (asked for gemini-x)",
        "gemini generate_content, streamed",
        "k_7f3a",
        "team=search",
        "complete, HTTP 200, finish reason STOP",
        "allowed, 1 run, 0 failed",
        "The lines add up to the reported total of 783 tokens.",
        "The costs of the lines add up to $0.0010815.",
        "would add $0.000048.",  # 16 x 3.00 per million
        "[3] gemini-3-flash-preview/output",
        "from the price page; checked on 2026-11-15.",
    ):
        assert words in shown


def test_every_line_shows_tokens_unit_price_cost_and_price_row() -> None:
    rows = [" ".join(line.split()) for line in text(explained(call(AT, (147, 360, 276)))).splitlines()]
    assert "input (text) 147 0.50 $0.0000735 [1]" in rows
    assert "intermediate (text) 360 0.50 $0.00018 [2]" in rows
    assert "output (text) 276 3.00 $0.000828 [3]" in rows
    assert "Total 783 $0.0010815" in rows


def test_each_execution_has_its_outcome() -> None:
    runs = (RESULT, Execution(outcome=FAILED, code_chars=1_500))
    rows = [" ".join(line.split()) for line in text(explained(call(AT, (1, 2, 3), executions=runs))).splitlines()]
    assert "1 ok 120 characters 17 characters" in rows
    assert "2 failed 1,500 characters unknown" in rows


def test_a_total_that_does_not_fit_is_said_so() -> None:
    posting = call(AT, (1, 2, 3))
    odd = replace(posting.record, tokens=replace(posting.record.tokens, total=7), anomalies=("total_mismatch",))
    shown = text(explained(replace(posting, record=odd)))
    assert "The lines add up to 6 tokens, but the API reported a total of 7." in shown
    assert "Anomaly total_mismatch: Input, intermediate and output do not add up" in shown


def test_a_cost_that_does_not_fit_is_said_so() -> None:
    explained_call = explained(call(AT, (2, 0, 0)))
    wrong = dataclasses.replace(explained_call, stored=replace(explained_call.stored, cost_pico=7))
    assert "The lines add up to $0.000001, but the ledger's cost is $0.000000000007." in text(wrong)


def test_unpriced_and_unknown_calls_say_why_they_have_no_cost() -> None:
    assert "There is no cost: no price is known for the model 'x'." in text(explained(call(AT, (1, 2, 3), "x")))
    unknown = text(explained(call(AT, None, None)))
    assert "There is no cost, because what the call used is not known." in unknown
    assert "(unknown)" in unknown


def test_an_error_names_its_code_and_class() -> None:
    fault = ApiError(code=429, status="RESOURCE_EXHAUSTED", kind="rate")
    shown = text(explained(call(AT, None, status=Status.ERROR, http_status=429, error=fault)))
    assert "error, HTTP 429, finish reason STOP, error 429 RESOURCE_EXHAUSTED rate" in shown
    assert "The call ended in an error, so it costs nothing." in shown


def test_only_of_a_complete_answer_it_is_said_that_no_code_ran() -> None:
    assert "allowed, never ran" in text(explained(call(AT, (1, 0, 1))))
    assert "allowed, no run was seen" in text(explained(call(AT, (1, 0, 1), status=Status.PARTIAL)))


def test_searches_are_priced_per_thousand() -> None:
    posting = call(AT, (1, 0, 0))
    search = Charge(
        meter=Meter.GROUNDING, modality=Modality.TEXT, quantity=3, unit_pico=unit_price("14000"), price_id="g"
    )
    shown = text(explained(replace(posting, rating=Rating(charges=(*posting.rating.charges, search)))))
    assert "3 searches  14.00 per 1,000" in shown
    assert "[2] g\n    not in the price list." in shown


def test_a_correction_is_a_sheet_of_its_own() -> None:
    explained_call = explained(call(AT, (0, 0, 10)))
    (line,) = explained_call.lines
    charge = Charge(
        meter=line.meter, modality=Modality.TEXT, quantity=10, unit_pico=unit_price("3.00"), price_id=f"{FLASH}/output"
    )
    posted = [
        LedgerCharge(revision=0, line=0, charge=charge),
        LedgerCharge(revision=2, line=0, charge=replace(charge, quantity=-10)),
        LedgerCharge(revision=2, line=1, charge=replace(charge, quantity=20)),
    ]
    shown = text(receipt(replace(explained_call.stored, cost_pico=20 * charge.unit_pico), posted, PRICES))
    assert "Revision 2 changed the cost from $0.00003 to $0.00006." in shown
    assert shown.count("[1] gemini-3-flash-preview/output") == 1  # told with the lines, and not once more
    assert "2  old  output (text)" in shown
    assert "2  new  output (text)" in shown


def test_labels_and_models_are_harmless() -> None:
    evil = "x\x1b[2J\n|"
    explained_call = explained(call(AT, (1, 0, 0), evil, labels={"a": evil}, key=evil, outcomes=[OK]))
    for shown in (text(explained_call), "".join(sheet.markdown() for sheet in sheets(explained_call, LA))):
        assert "\x1b" not in shown
        assert "x\n" not in shown


def test_the_receipt_of_a_complete_call_looks_as_it_did(snapshot: Snapshots) -> None:
    runs = (RESULT, Execution(outcome=FAILED, code_chars=1_500, result_chars=91), Execution(outcome=LATE))
    about = {
        "labels": {"team": "search", "stage": "nightly"},
        "key": "k_7f3a",
        "requested_model": "gemini-flash-latest",
    }
    posting = priced(call(AT, (1_210_147, 17_410_360, 65_276), executions=runs, id=ID, **about))
    snapshot("receipt", *sheets(dataclasses.replace(explained(posting), rounds=ROUNDS), LA))


def test_receipts_without_a_whole_cost_look_as_they_did(snapshot: Snapshots) -> None:
    unpriced = call(AT, (147, 18_329, 276), "gemini-9-nobody-knows", id=ID, outcomes=[OK])
    snapshot("receipt-unpriced", *sheets(explained(unpriced), LA))
    partial = call(AT, (147, 0, 276), id=ID, status=Status.PARTIAL, finish_reason=None, flags=("incomplete",))
    odd = replace(partial.record, tokens=replace(partial.record.tokens, total=500), anomalies=("total_mismatch", "x"))
    snapshot("receipt-partial", *sheets(explained(replace(partial, record=odd)), LA))
    snapshot("receipt-unknown", *sheets(explained(call(AT, None, None, id=ID, finish_reason=None)), LA))
    fault = ApiError(code=429, status="RESOURCE_EXHAUSTED", kind="rate")
    error = call(AT, None, status=Status.ERROR, http_status=429, error=fault, id=ID, finish_reason=None)
    snapshot("receipt-error", *sheets(explained(error), LA))


def test_a_receipt_of_free_tokens_and_searches_looks_as_it_did(snapshot: Snapshots) -> None:
    posting = call(AT, (147, 0, 276), id=ID, flags=("free_tier", "tool_tokens_with_grounding"))
    free = (replace(one, unit_pico=0, price_id=over(FREE_TIER, one.price_id)) for one in posting.rating.charges)
    unit = unit_price("14000")
    search = Charge(meter=Meter.GROUNDING, modality=Modality.TEXT, quantity=3, unit_pico=unit, price_id="g")
    rating = Rating(charges=(*free, search))
    kept = ledger_record(posting.record, rating, 0)
    posted = [LedgerCharge(revision=0, line=n, charge=charge) for n, charge in enumerate(billed_charges(rating))]
    prices = {over(FREE_TIER, one): row for one, row in PRICES.items()}
    snapshot("receipt-free", *sheets(receipt(kept, posted, prices), LA))


def test_the_receipt_of_a_corrected_call_looks_as_it_did(snapshot: Snapshots) -> None:
    posting = priced(call(AT, (1_210_147, 360, 65_276), id=ID))
    charges = posting.rating.charges
    dearer = [replace(one, unit_pico=2 * one.unit_pico, price_id="set-1/" + one.price_id) for one in charges]
    steps = [charges, [*(replace(one, quantity=-one.quantity) for one in charges[::2]), *dearer[::2]]]
    posted = [
        LedgerCharge(revision=3 * n, line=line, charge=one)
        for n, step in enumerate(steps)
        for line, one in enumerate(step)
    ]
    kept = ledger_record(posting.record, posting.rating, 3)
    cost = sum(one.charge.quantity * one.charge.unit_pico for one in posted)
    snapshot("receipt-corrected", *sheets(receipt(replace(kept, cost_pico=cost), posted, PRICED), LA))


def test_flags_and_anomalies_come_with_their_meaning() -> None:
    shape = receipt_dict(explained(call(AT, (1, 0, 0), flags=("incomplete",), anomalies=("total_mismatch", "new_one"))))
    assert shape["flags"][0]["name"] == "incomplete"
    assert "tokens may be missing" in shape["flags"][0]["meaning"]
    assert shape["anomalies"][1]["meaning"] == "'new_one' is an anomaly this version has no words for."


def test_csv_has_a_row_per_line_with_the_id_of_its_price() -> None:
    view = ReceiptView(explained(call(AT, (147, 360, 0))), LA)
    header, *rows = "".join(written(view, Format.CSV)).splitlines()
    assert header.startswith("meter,modality,quantity,unit,unit_price_usd")
    assert [row.split(",")[0] for row in rows] == ["input", "intermediate"]
    assert rows[0].endswith(f",{FLASH}/input")

"""The calls behind a line of the bill."""

import pytest
from msgspec.structs import replace

from gembill.errors import ConfigurationError
from gembill.ledger import BillFile, Ledger, add_bill
from gembill.period import HOUR_US, instant, zone
from gembill.reconcile.bill_line import BillForm, LineKind
from gembill_reports.analysis.bill_line_calls import explain_line
from tests.gembill.ledger.making import SPOOL, UNIT, append, number, posting
from tests.gembill.ledger.test_bills import line
from tests.gembill_reports.analysis.test_reconciliation import BOOK, FIRST

NOON = instant("2026-11-01", zone()) + 12 * HOUR_US
INPUT = "Generate content input token count gemini 3 flash text"


def filled(ledger: Ledger, *lines) -> None:
    postings = [
        posting(1, occurred_us=NOON),
        posting(2, occurred_us=NOON + 1),
        posting(3, occurred_us=NOON + 24 * HOUR_US),
    ]
    append(ledger, SPOOL, [*postings, posting(4, occurred_us=NOON, model="gemini-2.5-pro")])
    add_bill(ledger, BillFile(digest="d", name="f", form=BillForm.BIGQUERY), lambda: lines)


def test_a_line_has_the_calls_of_its_day_and_model_with_all_that_it_bills(ledger: Ledger) -> None:
    filled(ledger, line(7, sku=INPUT, first_day=FIRST, last_day=FIRST, amount_micro=280_000_000))
    explained = explain_line(ledger, BOOK, 7)
    assert [call.id for call in explained.calls] == [number(2), number(1)]
    assert (explained.count, explained.quantity, explained.cost_pico) == (
        2,
        2 * 140,
        2 * 140 * UNIT,
    )  # with intermediate
    assert explain_line(ledger, BOOK, 7, "d") == explained


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"number": 8}, "no line 7"),
        ({"kind": LineKind.TAX}, "tax, which no call makes"),
        ({"sku": "offpeak"}, "not known"),
        ({"sku": "Veo Generation 4k with Audio"}, "no meter"),
    ],
)
def test_a_line_that_no_call_makes_says_why(ledger: Ledger, changes: dict[str, object], sentence: str) -> None:
    filled(ledger, replace(line(7, sku=INPUT), **changes))
    with pytest.raises(ConfigurationError, match=sentence):
        explain_line(ledger, BOOK, 7)


@pytest.mark.parametrize(
    ("place", "numbers"),
    [
        ({"project": "a"}, [1, 3, 4]),  # a call that names none may be of any
        ({"project": "a", "location": "us"}, [3, 4]),
        ({"location": "eu"}, [1, 4]),
        ({"project": "1234"}, [1, 2, 3, 4]),  # a number, which no call has
        ({}, [1, 2, 3, 4]),
    ],
)
def test_the_calls_of_another_place_are_not_those_of_a_line(
    ledger: Ledger, place: dict[str, str], numbers: list[int]
) -> None:
    named = [("a", "eu"), ("b", "us"), ("a", "us"), (None, None)]
    calls = [
        posting(n, occurred_us=NOON - n, project=project, location=location)
        for n, (project, location) in enumerate(named, 1)
    ]
    append(ledger, SPOOL, calls)
    made = line(7, sku=INPUT, first_day=FIRST, last_day=FIRST)
    made = replace(made, **{"project": None, "location": None, **place})
    add_bill(ledger, BillFile(digest="d", name="f", form=BillForm.BIGQUERY), lambda: [made])
    explained = explain_line(ledger, BOOK, 7)
    assert [call.id for call in explained.calls] == [number(n) for n in numbers]
    assert explained.quantity == 140 * explained.count == 140 * len(numbers)

"""Numbers of calls as Google counted them, beside the ledger's."""

from collections import Counter

import pytest

from gembill.ledger import Ledger
from gembill.model import ApiError, Status
from gembill.reconcile.monitoring import Counted
from gembill.reconcile.numerals import day
from gembill_reports.analysis.second_witness import Witnessed, witnessed
from tests.gembill_reports.making import call, put

DAY = day("2026-11-10")
NOON = "2026-11-10T20:00:00+00:00"


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """Three answered calls and one of which nothing is known with key a, one answered and one refused with key b."""
    put(
        ledger,
        *(call(NOON, (5, 0, 1), key="a") for _ in range(3)),
        call(NOON, None, key="a"),
        call(NOON, (5, 0, 1), key="b"),
        call(NOON, None, key="b", status=Status.ERROR, error=ApiError(code=429, status="RATE", kind="rate")),
    )
    return ledger


def google(**calls: int) -> Counter[Counted]:
    return Counter({Counted(DAY, key, "generate_content", ok=True): number for key, number in calls.items()})


def found(ledger: Ledger, counts: Counter[Counted], **named: str) -> dict[tuple[str, ...], Witnessed]:
    return {one.credentials: one for one in witnessed(ledger, counts, named)}


def test_credentials_are_the_keys_with_the_same_numbers_and_the_last_one_is_what_is_left(filled: Ledger) -> None:
    days = found(filled, google(one=5, two=1))
    assert (days["two",].keys, days["two",].past) == (("b",), 0)
    assert (days["one",].keys, days["one",].google, days["one",].ours, days["one",].unknown) == (("a",), 5, 3, 1)
    assert days["one",].past == 1


def test_a_call_that_was_never_learned_explains_one_and_no_more(filled: Ledger) -> None:
    assert [found(filled, google(one=number, two=1))["one",].past for number in (4, 5, 9)] == [0, 1, 5]


def test_a_credential_that_the_ledger_has_never_seen_went_past_the_proxy(filled: Ledger) -> None:
    days = found(filled, google(one=3, two=1, stranger=12))
    assert (days["stranger",].keys, days["stranger",].past) == ((), 12)


def test_a_name_that_was_given_is_believed_over_equal_numbers(filled: Ledger) -> None:
    days = found(filled, google(one=1, two=3), one="a", two="b")
    assert (days["one",].keys, days["one",].unseen) == (("a",), 2)
    assert (days["two",].keys, days["two",].past) == (("b",), 2)


def test_credentials_that_cannot_be_told_apart_are_compared_together(filled: Ledger) -> None:
    [one] = witnessed(filled, google(one=9, two=8), {})
    assert (one.credentials, one.keys, one.past) == (("one", "two"), ("a", "b"), 12)


def test_refused_calls_and_other_days_are_not_held_against_each_other(filled: Ledger) -> None:
    counts = google(one=4, two=1) + Counter({Counted(DAY, "two", "generate_content", ok=False): 7})
    assert sum(one.past for one in witnessed(filled, counts, {})) == 0
    assert witnessed(filled, Counter(), {}) == []

"""Sizes of results are summed by day, and by what tells the SKU of a call's output from others."""

import pytest

from gembill.ledger import BillDay, Ledger, Reason, Selection, sum_results, usage_sums
from gembill.model import Outcome
from gembill.reconcile.sums import Usage
from tests.gembill.ledger.making import LOST, SPOOL, append, posting, rated, record, runs, tokens

DAY_US = 86_400_000_000
NOON = 20_000 * DAY_US + DAY_US // 2
DAYS = [BillDay(20_000 + n, (20_000 + n) * DAY_US, (20_001 + n) * DAY_US) for n in range(2)]


def results(ledger: Ledger, selection: Selection | None = None) -> list[Usage]:
    return sum_results(ledger, selection or Selection(), DAYS, len)


def test_each_call_that_has_counts_is_in_the_group_of_its_output(ledger: Ledger) -> None:
    two = runs(Outcome.OK, Outcome.FAILED)
    long = tokens(input=200_001)
    append(
        ledger,
        SPOOL,
        [
            posting(1, occurred_us=NOON, executions=two),
            posting(2, occurred_us=NOON + DAY_US, executions=runs(Outcome.OK)),
            posting(3, occurred_us=NOON, executions=two, tokens=long),
            posting(4, occurred_us=NOON, executions=()),
            posting(5, occurred_us=NOON, **LOST),
        ],
    )
    assert [
        (one.day, one.long, one.quantity) for one in sorted(results(ledger), key=lambda one: (one.day, one.long))
    ] == [
        (20_000, False, 2),
        (20_000, True, 2),
        (20_001, False, 1),
    ]


def test_a_call_that_was_corrected_counts_once_as_it_is_now(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, occurred_us=NOON, executions=runs(Outcome.OK))])
    changed = record(1, occurred_us=NOON, executions=runs(Outcome.OK, Outcome.OK), project="p")
    ledger.correct([(changed, rated(changed.tokens))], reason=Reason.RERATE)
    assert [(one.project, one.quantity) for one in results(ledger)] == [("p", 2)]


def test_keys_and_labels_choose_calls(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, occurred_us=NOON, key="k", labels={"team": "a"}), posting(2, occurred_us=NOON)])
    assert [one.quantity for one in results(ledger, Selection(keys=("k",)))] == [1]
    assert [one.quantity for one in results(ledger, Selection(labels={"team": "a"}))] == [1]
    assert results(ledger, Selection(labels={"team": "b"})) == []


def test_many_calls_are_looked_at_in_pieces_and_it_says_how_many(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(ledger, SPOOL, [posting(n, occurred_us=NOON + n * DAY_US // 9) for n in range(1, 9)])
    whole = results(ledger)
    monkeypatch.setattr(usage_sums, "_AT_ONCE", 2)
    said: list[tuple[int, int]] = []
    assert sum_results(ledger, Selection(), DAYS, len, lambda *numbers: said.append(numbers)) == whole
    assert said == [(0, 8), (4, 8), (8, 8)]

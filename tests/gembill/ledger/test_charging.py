"""Charges of many calls are those of each."""

from dataclasses import replace

from gembill.ledger import Ledger, Reason, Selection, read
from gembill.ledger.charging import charges_of
from tests.gembill.ledger.making import NATURAL, SPOOL, natural, posting, rated


def test_they_are_what_each_call_has_with_corrections(ledger: Ledger) -> None:
    ledger.append(SPOOL, [posting(1), posting(2), natural(3)])
    first = posting(1)
    ledger.correct([(replace(first.record, readings=None), rated(first.record.tokens, 7, "p2"))], reason=Reason.RERATE)
    found = list(read.records(ledger, Selection()))
    assert {one.record.source_id for one in found} == {SPOOL, NATURAL}
    assert charges_of(ledger, found) == {
        (one.record.source_id, one.record.id): read.charges(ledger, one) for one in found
    }
    assert max(len(posted) for posted in charges_of(ledger, found).values()) > 3


def test_of_no_call_there_are_none(ledger: Ledger) -> None:
    assert charges_of(ledger, []) == {}

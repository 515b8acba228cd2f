"""Which event is at which place, and how many places nothing is at, on both engines."""

from msgspec.structs import replace

from gembill.ledger import Ledger, count_gaps, read_places
from gembill.spool.segments import JUMP
from tests.gembill.ledger.making import SPOOL, append, number, posting


def test_places_of_events_and_of_dead_letters_are_taken(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(n) for n in (1, 2, 4)])
    ledger.add_dead_letter(SPOOL, 3, "no uuid", b"body", "unreadable")
    assert read_places(ledger, SPOOL, [*range(2, 1200)]) == {2: number(2), 3: "no uuid", 4: number(4)}
    assert read_places(ledger, SPOOL + 1, [1]) == {}
    assert read_places(ledger, SPOOL, []) == {}


def test_gaps_are_places_before_a_later_one_that_nothing_is_at(ledger: Ledger) -> None:
    assert count_gaps(ledger, SPOOL) == 0
    append(ledger, SPOOL, [posting(n) for n in (1, 2, 5)])
    assert count_gaps(ledger, SPOOL) == 2
    ledger.add_dead_letter(SPOOL, 3, "no uuid", b"body", "unreadable")
    ledger.add_dead_letter(SPOOL, 5, "another", b"body", "a place that an event has too")
    assert count_gaps(ledger, SPOOL) == 1
    ledger.add_dead_letter(SPOOL, 6, "the last", b"body", "unreadable")
    assert count_gaps(ledger, SPOOL) == 1
    append(ledger, SPOOL, [posting(4)])
    assert count_gaps(ledger, SPOOL) == 0


def test_places_that_a_spool_jumped_over_are_not_gaps(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), replace(posting(2), seq=2 + JUMP), replace(posting(3), seq=4 + JUMP)])
    assert count_gaps(ledger, SPOOL) == 1

"""Which event is at which place, and how many places nothing is at, on both engines."""

from msgspec.structs import replace
from sqlalchemy import text

from gembill.ledger import (
    Ledger,
    Selection,
    audit_ledger,
    count_gaps,
    count_unreplayed,
    read_places,
    read_records,
    read_source_statuses,
)
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
    assert [one.missing for one in read_source_statuses(ledger)] == [1]
    append(ledger, SPOOL, [replace(posting(4), seq=3 + JUMP)])
    assert count_gaps(ledger, SPOOL) == 0
    append(ledger, SPOOL, [replace(posting(5), seq=2)])
    assert (count_gaps(ledger, SPOOL), audit_ledger(ledger)) == (0, []), "salvage read further than the start could"
    append(ledger, SPOOL, [replace(posting(6), seq=4)])
    assert count_gaps(ledger, SPOOL) == 1


def test_gaps_of_all_spools_are_counted_together(ledger: Ledger) -> None:
    assert count_gaps(ledger) == 0
    append(ledger, SPOOL, [posting(2)])
    for seq in (1, 4):
        ledger.add_dead_letter(SPOOL + 1, seq, f"no uuid {seq}", b"body", "unreadable")
    append(ledger, SPOOL, [replace(posting(9), seq=None)])
    assert count_gaps(ledger) == 3


def test_a_call_that_is_closed_again_at_another_place_leaves_no_gap_and_no_dead_letter(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2)])
    again = replace(posting(1), seq=3, body=b"closed again")
    for _ in range(2):
        append(ledger, SPOOL, [again, posting(4)])
    append(ledger, SPOOL, [replace(again, seq=5)])
    assert (count_gaps(ledger, SPOOL), audit_ledger(ledger), count_unreplayed(ledger)) == (0, [], 0)
    with ledger.engine.begin() as connection:
        kept = connection.execute(text("SELECT seq, reason FROM dead_letter ORDER BY seq")).all()
    assert kept == [(seq, "its call is in the ledger already, at place 1") for seq in (3, 5)]


def test_an_event_whose_row_was_lost_comes_back_with_its_spool(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(n) for n in (1, 2, 3)])
    with ledger.engine.begin() as connection:
        connection.execute(text("DELETE FROM event WHERE seq = 2"))
    assert len(audit_ledger(ledger)) == 2, "the gap, and the record without its event"
    assert append(ledger, SPOOL, [posting(n) for n in (1, 2, 3)]) == 1
    assert audit_ledger(ledger) == []
    assert len(list(read_records(ledger, Selection()))) == 3

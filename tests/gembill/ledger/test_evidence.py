"""Records with their raw events and net charges, in batches."""

from itertools import chain

from gembill.ledger import (
    Ledger,
    Reason,
    Selection,
    known_events,
    read_bodies,
    read_dead_letters,
    read_evidence,
    read_records,
)
from gembill.ledger import evidence as module
from gembill.model import Rating
from tests.gembill.ledger.making import LOST, NATURAL, SPOOL, append, natural, number, posting, rated, record, tokens


def test_each_record_comes_with_its_event_and_what_it_is_charged_now(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2)])
    ledger.correct([(record(2), rated(tokens(), 7, "p2"))], reason=Reason.RERATE)
    (batch,) = read_evidence(ledger, Selection())
    assert [(one.stored.record.id, one.body, one.event_source_id) for one in batch] == [
        (number(2), b'{"seq":2}', SPOOL),
        (number(1), b'{"seq":1}', SPOOL),
    ]
    assert {price for _, _, _, price in batch[0].lines} == {"p2"}
    assert sum(batch[0].lines.values()) == 200


def test_a_record_comes_with_all_events_it_was_read_from_each_once(ledger: Ledger) -> None:
    append(ledger, SPOOL, [natural(1, **LOST), natural(2), posting(3)])
    ledger.correct([(record(3), rated(tokens(), 7, "p2"))], reason=Reason.RERATE)
    stored = list(read_records(ledger, Selection()))
    bodies = read_bodies(ledger, stored)
    assert sorted(bodies.values()) == [[b'{"seq":1}', b'{"seq":2}'], [b'{"seq":3}']]
    assert list(bodies) == [(one.record.source_id, one.record.id) for one in stored]


def test_events_are_known_by_their_id_whatever_their_source(ledger: Ledger, monkeypatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    append(ledger, SPOOL, [posting(seq) for seq in range(1, 6)])
    append(ledger, SPOOL + 1, [posting(7, source_id=SPOOL + 1)])
    assert known_events(ledger, [number(seq) for seq in range(3, 9)]) == {number(3), number(4), number(5), number(7)}
    assert known_events(ledger, []) == set()


def test_a_completed_record_comes_with_the_event_that_completed_it(ledger: Ledger) -> None:
    append(ledger, SPOOL, [natural(1, **LOST), natural(2)])
    (batch,) = read_evidence(ledger, Selection())
    assert [(one.stored.record.source_id, one.stored.revision, one.body) for one in batch] == [
        (NATURAL, 1, b'{"seq":2}')
    ]
    assert batch[0].event_source_id == SPOOL


def test_batches_are_bounded_and_complete(ledger: Ledger, monkeypatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    append(ledger, SPOOL, [posting(n, Rating(known=False)) for n in range(1, 8)])
    batches = [[one.stored.record.id for one in batch] for batch in read_evidence(ledger, Selection())]
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert sorted(chain.from_iterable(batches)) == [number(n) for n in range(1, 8)]


def test_dead_letters_come_until_they_are_records(ledger: Ledger, monkeypatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    for n in (1, 2, 3):
        ledger.add_dead_letter(SPOOL, n, number(n), b"body %d" % n, "unreadable")
    ledger.add_dead_letter(SPOOL, 4, "no uuid", b"body 4", "unreadable")
    append(ledger, SPOOL, [posting(2)])
    with ledger.reading() as snapshot:
        assert snapshot.rows("SELECT count(*) FROM dead_letter") == [(4,)], "all that were ever put aside are kept"
    letters = [(letter.seq, letter.id, letter.body) for batch in read_dead_letters(ledger) for letter in batch]
    assert sorted(letters) == [(1, number(1), b"body 1"), (3, number(3), b"body 3"), (4, "no uuid", b"body 4")]

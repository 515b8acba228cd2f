"""Records as they are opened, completed and corrected."""

import socket
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError

from gembill.errors import LedgerError
from gembill.ledger import (
    DEMO_SOURCE,
    Ledger,
    Reason,
    Selection,
    audit_ledger,
    holds_demo_data,
    read_charges,
    read_event_body,
    read_record,
    read_records,
    read_totals,
    schema,
)
from gembill.ledger.transaction import Transaction
from gembill.model import Rating, Status
from tests.gembill.ledger.making import (
    LOST,
    NATURAL,
    SPOOL,
    START,
    UNIT,
    append,
    natural,
    number,
    posting,
    rated,
    record,
    tokens,
)


def test_a_fuller_answer_corrects_and_keeps_what_was_asked(ledger: Ledger) -> None:
    append(ledger, SPOOL, [natural(1, **LOST)])
    poll = natural(2, occurred_us=START + 10**10, labels={}, declared=None, key=None)
    append(ledger, SPOOL, [poll])
    stored = read_record(ledger, number(9_000))
    assert stored is not None
    assert (stored.revision, stored.record.tokens, stored.record.occurred_us) == (1, tokens(), START + 1)
    assert (stored.record.labels, stored.record.declared, stored.record.key) == ({"team": "search"}, True, "k_7f3a")
    (total,) = read_totals(ledger, Selection())
    assert (total.calls, total.incomplete_calls, total.cost_pico) == (1, 0, 200 * UNIT)
    assert audit_ledger(ledger) == []


def test_an_equal_or_poorer_answer_changes_nothing(ledger: Ledger) -> None:
    append(ledger, SPOOL, [natural(1)])
    (before,) = read_records(ledger, Selection())
    assert append(ledger, SPOOL, [natural(2), natural(3, **LOST)]) == 2
    assert list(read_records(ledger, Selection())) == [before]
    assert before.revision == 0
    assert audit_ledger(ledger) == []


def test_two_answers_to_one_call_fit_in_one_batch(ledger: Ledger) -> None:
    append(ledger, SPOOL, [natural(1, **LOST), natural(2, tokens=tokens(1, 1, 1), status=Status.PARTIAL), natural(3)])
    stored = read_record(ledger, number(9_000))
    assert stored is not None
    assert (stored.revision, stored.cost_pico) == (2, 200 * UNIT)
    assert audit_ledger(ledger) == []


def test_a_correction_leaves_old_and_new_price_visible(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2)])
    changed = (record(1), rated(tokens(), 2 * UNIT, "p2"))
    assert ledger.correct([changed, (record(2), rated(tokens()))], reason=Reason.RERATE) == 1
    assert ledger.correct([changed], reason=Reason.RERATE) == 0
    stored = read_record(ledger, number(1))
    assert stored is not None
    assert stored.cost_pico == 2 * 200 * UNIT
    lines = [(p.revision, p.charge.quantity, p.charge.price_id) for p in read_charges(ledger, stored)]
    assert lines[:3] == [(0, 100, "p1"), (0, 40, "p1"), (0, 60, "p1")]
    assert sorted(lines[3:6]) == [(1, -100, "p1"), (1, -60, "p1"), (1, -40, "p1")]
    assert sum(p.charge.cost_pico for p in read_charges(ledger, stored)) == stored.cost_pico
    assert audit_ledger(ledger) == []


def test_a_price_of_another_name_at_the_same_figure_is_a_correction_too(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1)])
    assert ledger.correct([(record(1), rated(tokens(), UNIT, "p2"))], reason=Reason.RERATE) == 1
    stored = read_record(ledger, number(1))
    assert stored is not None
    assert (stored.revision, stored.cost_pico) == (1, 200 * UNIT)
    assert {p.charge.price_id for p in read_charges(ledger, stored) if p.charge.quantity > 0 and p.revision} == {"p2"}
    assert audit_ledger(ledger) == []


def test_a_correction_to_unpriced_takes_the_charges_back(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1)])
    ledger.correct([(record(1), Rating(unpriced_reason="no price for x"))], reason=Reason.RERATE)
    (total,) = read_totals(ledger, Selection())
    assert (total.unpriced_calls, total.cost_pico) == (1, None)
    assert audit_ledger(ledger) == []


def test_a_record_that_is_not_there_cannot_be_corrected(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="not in the ledger"):
        ledger.correct([(record(1), rated(tokens()))], reason=Reason.REPOST)


def test_every_revision_says_why_it_is_there_and_which_event_it_was_read_from(ledger: Ledger) -> None:
    append(ledger, SPOOL, [natural(1, **LOST)])
    other = SPOOL + 1  # the poll was seen by another proxy
    append(ledger, other, [replace(natural(2), seq=1)])
    poll = natural(2).record
    ledger.correct([(poll, rated(poll.tokens, 2 * UNIT))], reason=Reason.RERATE)
    c = schema.record.c
    with ledger.engine.connect() as connection:
        revisions = connection.execute(select(c.reason, c.event_source_id, c.event_id).order_by(c.revision)).all()
    assert [tuple(row) for row in revisions] == [
        ("posted", SPOOL, number(1)),
        ("fuller_answer", other, number(2)),
        ("rerate", other, number(2)),
    ]
    stored = read_record(ledger, number(9_000))
    assert stored is not None
    assert read_event_body(ledger, stored) == natural(2).body


def test_two_writers_who_correct_the_same_revision_cannot_both_succeed(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1)])
    with ledger.engine.connect() as connection:
        late = Transaction(connection, START)
        late.load([(SPOOL, number(1))])
        connection.rollback()  # it has read, and holds no lock while the other one writes
        ledger.correct([(record(1), rated(tokens(), 7, "p2"))], reason=Reason.RERATE)
        assert late.correct(record(1), rated(tokens(), 9, "p3"), Reason.RERATE)
        with pytest.raises(IntegrityError):
            late.write()
    assert read_totals(ledger, Selection())[0].cost_pico == 200 * 7
    assert audit_ledger(ledger) == []


def at(ledger: Ledger, now_us: int) -> Ledger:
    """The same ledger at another time."""
    return Ledger(lambda: ledger.engine, lambda: now_us)


def noted(ledger: Ledger) -> dict[int, Row[Any]]:
    with ledger.engine.connect() as connection:
        return {row.source_id: row for row in connection.execute(select(schema.source))}


def test_a_spool_is_noted_once_with_its_host_and_its_first_and_last_time(ledger: Ledger) -> None:
    for now_us in (10, 20):
        append(at(ledger, now_us), SPOOL, [posting(now_us)])
    (row,) = noted(ledger).values()
    assert (row.source_id, row.kind, row.host) == (SPOOL, "spool", socket.gethostname()[:256])
    assert (row.first_seen_us, row.last_seen_us) == (10, 20)


def test_a_reserved_source_has_no_host_and_is_not_touched_again(ledger: Ledger) -> None:
    append(at(ledger, 10), SPOOL, [natural(1)])
    append(at(ledger, 20), SPOOL + 1, [natural(1)])
    append(at(ledger, 30), NATURAL, [replace(natural(3), seq=None)])
    row = noted(ledger)[NATURAL]
    assert (row.kind, row.host, row.first_seen_us, row.last_seen_us) == ("natural", None, 10, 10)
    assert set(noted(ledger)) == {SPOOL, SPOOL + 1, NATURAL}


def test_a_source_without_places_is_an_import(ledger: Ledger) -> None:
    append(ledger, SPOOL, [replace(posting(1), seq=None)])
    assert noted(ledger)[SPOOL].kind == "import"


def test_an_announced_source_keeps_its_kind_and_marks_the_ledger(ledger: Ledger) -> None:
    append(ledger, SPOOL + 1, [posting(1, source_id=SPOOL + 1)])
    assert not holds_demo_data(ledger)
    ledger.announce(SPOOL, DEMO_SOURCE)
    append(ledger, SPOOL, [posting(1)])
    assert noted(ledger)[SPOOL].kind == DEMO_SOURCE
    assert holds_demo_data(ledger)


def test_every_source_in_any_table_is_noted(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), natural(2)])
    ledger.add_dead_letter(SPOOL + 1, 1, "poison", b"", "no reason")
    tables = [table for table in schema.metadata.sorted_tables if "source_id" in table.columns]
    with ledger.engine.connect() as connection:
        sources = {table.name: set(connection.scalars(select(table.c.source_id))) for table in tables}
    everyone = {SPOOL, SPOOL + 1, NATURAL}
    assert sources.pop("source") == everyone
    assert sources.pop("dead_letter") == {SPOOL + 1}
    assert sources.pop("event") == sources.pop("event_block") == {SPOOL}
    assert set(map(frozenset, sources.values())) == {frozenset({SPOOL, NATURAL})}

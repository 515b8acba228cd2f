"""Bodies are given as they came, wherever they lie: alone, in a block, or as an earlier version kept them."""

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from gembill.ledger import Ledger, schema
from gembill.ledger import engine as engines
from gembill.ledger.event_bodies import read_bodies, rows_of
from tests.gembill.ledger.making import SPOOL, append, number, posting


def said(connection: Connection, *seqs: int, source_id: int = SPOOL) -> list[bytes]:
    """The bodies of the events of these places, in order."""
    return [body for _, body in sorted(read_bodies(connection, [(source_id, number(seq)) for seq in seqs]).items())]


def test_bodies_come_from_blocks_alone_and_as_they_were(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2)])
    append(ledger, SPOOL, [posting(3)])
    append(ledger, SPOOL + 1, [posting(4, source_id=SPOOL + 1), posting(5, source_id=SPOOL + 1)])
    with engines.writing(ledger.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(schema.event_block)) == 2
        connection.execute(update(schema.event).where(schema.event.c.seq == 3).values(body=b"as it was"))
        assert said(connection, 1, 2, 3, 4) == [b'{"seq":1}', b'{"seq":2}', b"as it was"]
        assert said(connection, 4, 5, source_id=SPOOL + 1) == [b'{"seq":4}', b'{"seq":5}']
        assert said(connection) == []


def test_a_block_that_is_there_already_is_shared(ledger: Ledger) -> None:
    alike = [msgspec.structs.replace(posting(seq), body=b"{}") for seq in (1, 2, 3, 4)]
    append(ledger, SPOOL, alike[:2])
    append(ledger, SPOOL, alike[2:])
    with engines.writing(ledger.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(schema.event_block)) == 1
        assert said(connection, 1, 2, 3, 4) == [b"{}"] * 4


def test_an_event_whose_block_is_missing_has_no_body(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2)])
    append(ledger, SPOOL, [posting(3)])
    with engines.writing(ledger.engine) as connection:
        connection.execute(delete(schema.event_block))
        assert said(connection, 1, 2, 3) == [b'{"seq":3}']


def test_the_rows_of_events_are_in_their_order() -> None:
    rows, blocks = rows_of(SPOOL, [(number(seq), seq, b"{}") for seq in (3, 1, 2)], "<{}>".format)
    assert [row[:3] for row in rows] == [(SPOOL, f"<{number(seq)}>", seq) for seq in (3, 1, 2)]
    assert [len(row) for row in blocks] == [3]

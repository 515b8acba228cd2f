"""A flipped byte in what is kept for later is named."""

import random

import pytest
from sqlalchemy import update

from gembill.ledger import Ledger, audit_ledger, schema
from tests.gembill.ledger.making import SPOOL, append, posting


def flipped(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


@pytest.mark.parametrize("seed", range(5))
def test_a_flipped_bit_in_a_block_of_events_is_named(ledger: Ledger, seed: int) -> None:
    append(ledger, SPOOL, [posting(n) for n in range(1, 9)])
    assert audit_ledger(ledger) == []
    table = schema.event_block
    with ledger.engine.begin() as connection:
        (row,) = connection.execute(table.select())
        changed = flipped(bytes(row.bodies), random.Random(seed))
        connection.execute(update(table).values(bodies=changed))
    (finding,) = audit_ledger(ledger)
    assert "a block of bodies of events is not as it was written" in finding


def test_a_body_alone_that_cannot_be_inflated_is_named(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1)])
    table = schema.event
    with ledger.engine.begin() as connection:
        (row,) = connection.execute(table.select())
        connection.execute(update(table).values(body=bytes(row.body)[:1] + b"\xff" * 9))
    (finding,) = audit_ledger(ledger)
    assert "its body is damaged" in finding


def test_a_changed_label_is_named(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1)])
    with ledger.engine.begin() as connection:
        connection.execute(update(schema.label_set).values(labels='{"team":"saerch"}'))
    findings = audit_ledger(ledger)
    assert any("a set of labels is not as it was written" in finding for finding in findings)

"""Who wrote to a ledger, and when."""

import socket
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select

from gembill.ledger import Ledger, schema
from gembill.ledger.sources import DEMO, holds_demo_data
from tests.gembill.ledger.making import NATURAL, SPOOL, natural, posting


def at(ledger: Ledger, now_us: int) -> Ledger:
    """The same ledger at another time."""
    return Ledger(ledger.engine, lambda: now_us)


def noted(ledger: Ledger) -> dict[int, Row[Any]]:
    with ledger.engine.connect() as connection:
        return {row.source_id: row for row in connection.execute(select(schema.source))}


def test_a_spool_is_noted_once_with_its_host_and_its_first_and_last_time(ledger: Ledger) -> None:
    for now_us in (10, 20):
        at(ledger, now_us).append(SPOOL, [posting(now_us)])
    (row,) = noted(ledger).values()
    assert (row.source_id, row.kind, row.host) == (SPOOL, "spool", socket.gethostname()[:256])
    assert (row.first_seen_us, row.last_seen_us) == (10, 20)


def test_a_reserved_source_has_no_host_and_is_not_touched_again(ledger: Ledger) -> None:
    at(ledger, 10).append(SPOOL, [natural(1)])
    at(ledger, 20).append(SPOOL + 1, [natural(1)])
    at(ledger, 30).append(NATURAL, [replace(natural(3), seq=None)])
    row = noted(ledger)[NATURAL]
    assert (row.kind, row.host, row.first_seen_us, row.last_seen_us) == ("natural", None, 10, 10)
    assert set(noted(ledger)) == {SPOOL, SPOOL + 1, NATURAL}


def test_a_source_without_places_is_an_import(ledger: Ledger) -> None:
    ledger.append(SPOOL, [replace(posting(1), seq=None)])
    assert noted(ledger)[SPOOL].kind == "import"


def test_an_announced_source_keeps_its_kind_and_marks_the_ledger(ledger: Ledger) -> None:
    def marked() -> bool:
        with ledger.engine.connect() as connection:
            return holds_demo_data(connection)

    ledger.append(SPOOL + 1, [posting(1, source_id=SPOOL + 1)])
    assert not marked()
    ledger.announce(SPOOL, DEMO)
    ledger.append(SPOOL, [posting(1)])
    assert noted(ledger)[SPOOL].kind == DEMO
    assert marked()


def test_every_source_in_any_table_is_noted(ledger: Ledger) -> None:
    ledger.append(SPOOL, [posting(1), natural(2)])
    ledger.add_dead_letter(SPOOL + 1, 1, "poison", b"", "no reason")
    tables = [table for table in schema.metadata.sorted_tables if "source_id" in table.columns]
    with ledger.engine.connect() as connection:
        found = {table.name: set(connection.scalars(select(table.c.source_id))) for table in tables}
    everyone = {SPOOL, SPOOL + 1, NATURAL}
    assert found.pop("source") == everyone
    assert found.pop("dead_letter") == {SPOOL + 1}
    assert found.pop("event") == {SPOOL}
    assert set(map(frozenset, found.values())) == {frozenset({SPOOL, NATURAL})}

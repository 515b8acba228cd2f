"""Revision 0009 on a ledger that has calls: each event keeps its body on the way back and forth."""

from alembic import command
from sqlalchemy import inspect

from gembill.ledger import Ledger, Selection, audit_ledger, migration, read_bodies, read_records
from gembill.ledger import engine as engines
from tests.gembill.ledger.making import SPOOL, append, natural, posting
from tests.migrations.test_first_tables import config_for


def said(ledger: Ledger) -> dict[tuple[int, str], list[bytes]]:
    """The bodies of all events that made records."""
    return read_bodies(ledger, list(read_records(ledger, Selection())))


def test_bodies_leave_their_blocks_and_stay_readable(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(seq) for seq in range(1, 40)])
    append(ledger, SPOOL, [posting(40)])
    append(ledger, SPOOL + 1, [natural(1), posting(2, source_id=SPOOL + 1)])
    before = said(ledger)
    assert len(before) == 42
    with engines.writing(ledger.engine) as connection:
        command.downgrade(config_for(connection), "0008")
        assert "event_block" not in inspect(connection).get_table_names()
    assert migration.upgrade(ledger.engine) == ("0008", migration.SCHEMA_REVISION)
    assert said(ledger) == before
    append(ledger, SPOOL, [posting(41), posting(42)])
    assert len(said(ledger)) == 44
    assert audit_ledger(ledger) == []

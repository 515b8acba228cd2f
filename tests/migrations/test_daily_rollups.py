"""Revision 0004 on a ledger that has calls: the days are the sums of the hours."""

from alembic import command
from sqlalchemy import inspect, select

from gembill.ledger import Ledger, audit_ledger, migration, schema
from gembill.ledger import engine as engines
from tests.gembill.ledger.making import HOUR, SPOOL, START, append, posting
from tests.migrations.test_first_tables import config_for


def test_the_days_are_filled_from_the_hours(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(n + 1, occurred_us=START + n * 7 * HOUR) for n in range(9)])
    kept = {table.name: cells(ledger, table.name) for table in schema.ROLLUPS}
    with engines.writing(ledger.engine) as connection:
        command.downgrade(config_for(connection), "0003")
        assert "rollup_narrow_day" not in inspect(connection).get_table_names()
    assert migration.upgrade(ledger.engine) == ("0003", migration.SCHEMA_REVISION)
    assert {table.name: cells(ledger, table.name) for table in schema.ROLLUPS} == kept
    assert len(kept["rollup_narrow_day"]) < len(kept["rollup_narrow"]) == 9
    assert audit_ledger(ledger) == []


def cells(ledger: Ledger, name: str) -> set[tuple[object, ...]]:
    with engines.snapshot(ledger.engine) as connection:
        return {tuple(row) for row in connection.execute(select(schema.metadata.tables[name]))}

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from gembill.ledger import Ledger, Selection, audit_ledger, migration, open_ledger, read_totals
from gembill.ledger import engine as engines
from tests.gembill.ledger.making import SPOOL, append, posting


def config_for(connection: object) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migration.migrations_folder()))
    return config


def test_upgrading_a_ledger_with_rows_keeps_them(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2)])
    assert migration.upgrade(ledger.engine) == (migration.SCHEMA_REVISION, migration.SCHEMA_REVISION)
    assert read_totals(ledger, Selection())[0].calls == 2
    assert audit_ledger(ledger) == []


def test_down_and_up_again_leaves_an_empty_ledger(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1)])
    with engines.writing(ledger.engine) as connection:
        command.downgrade(config_for(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    assert migration.upgrade(ledger.engine) == (None, migration.SCHEMA_REVISION)
    assert read_totals(ledger, Selection())[0].calls == 0


def test_alembic_finds_nothing_to_migrate(ledger: Ledger) -> None:
    with engines.writing(ledger.engine) as connection:
        command.check(config_for(connection))


def test_alembics_own_command_line_takes_the_address(ledger_url: str) -> None:
    open_ledger(ledger_url).close()
    config = Config(cmd_opts=type("Options", (), {"x": [f"url={ledger_url}"]})())
    config.set_main_option("script_location", str(migration.migrations_folder()))
    command.check(config)

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from gembill.errors import SchemaError
from gembill.ledger import engine as engines
from gembill.ledger import migration, open_ledger, schema, upgrade_ledger

OPEN = "import sys; from gembill.ledger.store import upgrade_ledger, open_ledger; upgrade_ledger(sys.argv[1]); open_ledger(sys.argv[1]).close()"


def test_the_known_revisions_are_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(migration.migrations_folder()))
    scripts = ScriptDirectory.from_config(config)
    assert [script.revision for script in scripts.walk_revisions()][::-1] == list(migration.REVISIONS)


def test_a_first_start_logs_its_steps_and_not_the_parts_of_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    logged = f"import logging; logging.basicConfig(level='INFO'); {OPEN}"
    run = subprocess.run([sys.executable, "-c", logged, url], capture_output=True, text=True, timeout=60, check=True)
    assert "alembic.runtime.migration" in run.stderr
    assert "alembic.runtime.plugins" not in run.stderr


def test_upgrading_says_from_where_to_where(empty_ledger_url: str) -> None:
    assert upgrade_ledger(empty_ledger_url) == (None, migration.SCHEMA_REVISION)
    assert upgrade_ledger(empty_ledger_url) == (migration.SCHEMA_REVISION, migration.SCHEMA_REVISION)


def test_a_server_is_never_migrated_by_opening_it(empty_postgres_url: str) -> None:
    with pytest.raises(SchemaError, match=r"the ledger is empty.*gembill db upgrade"):
        open_ledger(empty_postgres_url)


def test_a_newer_schema_is_refused(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    ledger.close()
    for use in (open_ledger, upgrade_ledger):
        with pytest.raises(SchemaError, match=r"revision 9999.*newer gembill"):
            use(ledger_url)


def test_four_processes_that_open_an_empty_database_at_once_all_succeed(empty_ledger_url: str) -> None:
    root = Path(migration.__file__).parents[3]
    started = [
        subprocess.Popen([sys.executable, "-c", OPEN, empty_ledger_url], cwd=root, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 4, errors
    open_ledger(empty_ledger_url).close()


def test_an_up_to_date_ledger_is_opened_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_ledger(url).close()
    code = "import sys; from gembill.ledger import open_ledger; open_ledger(sys.argv[1]); assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, url], cwd=Path(migration.__file__).parents[3], check=True, timeout=60)


def test_the_scripts_make_the_tables_of_the_schema(empty_ledger_url: str) -> None:
    upgrade_ledger(empty_ledger_url)
    engine = engines.create(engines.parse(empty_ledger_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        _compare_what_alembic_does_not(connection)
    engine.dispose()


def _compare_what_alembic_does_not(connection: Connection) -> None:
    inspector = inspect(connection)
    for table in schema.metadata.tables.values():
        assert [c["name"] for c in inspector.get_columns(table.name)] == list(table.columns.keys())
        key = inspector.get_pk_constraint(table.name)
        assert key["constrained_columns"] == list(table.primary_key.columns.keys())
        if inspector.dialect.name == "sqlite":
            written = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (table.name,))
            options, wanted = written.scalar_one().upper().rpartition(")")[2], table.dialect_options["sqlite"]
            assert ("STRICT" in options) == wanted["strict"]
            assert ("WITHOUT ROWID" not in options) == wanted["with_rowid"]

"""Bringing a ledger's schema to the one this program works with.

Owns: which revision a database is at, and the lock under which it moves. Not here: the tables (`schema`) and the steps,
which are the scripts in `migrations/`. Invariant: processes that open a ledger at once never see one half migrated, and
one migrates.

Importing alembic costs 0.4 s and more, so a ledger that is up to date is recognised without it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from gembill.errors import SchemaError
from gembill.ledger.reading import DrivenSnapshot, Snapshot

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
)  # oldest first; a test holds them against the scripts
SCHEMA_REVISION = REVISIONS[-1]
_LOCK = 0x67656D62696C6C  # any number no other program locks: "gembill"
_TABLE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'",
    "postgresql": "SELECT oid FROM pg_class WHERE oid = to_regclass('alembic_version') AND relkind IN ('r', 'p')",
}


def migrations_folder() -> Path:
    """Where the scripts are: inside the package when installed, beside its source root in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parents[1] / "migrations"


def revision_of(snapshot: Snapshot) -> str | None:
    """The revision of a database, None where nothing was created yet; SchemaError if this program does not know it."""
    if not snapshot.rows(_TABLE[snapshot.dialect]):
        return None
    versions = snapshot.rows("SELECT version_num FROM alembic_version")
    if not versions:
        return None
    revision = versions[0][0]
    if revision not in REVISIONS:
        raise SchemaError(
            f"the ledger's schema is at revision {revision}, this gembill knows only {SCHEMA_REVISION}; "
            "install a newer gembill"
        )
    return str(revision)


def is_current(engine: Engine) -> bool:
    """Whether the schema is the one this program works with; SchemaError if it is newer."""
    with engine.connect() as connection:
        return revision_of(DrivenSnapshot(connection)) == SCHEMA_REVISION


def require_current(snapshot: Snapshot) -> None:
    """SchemaError, naming the command that helps, unless the schema is the one this program works with."""
    revision = revision_of(snapshot)
    if revision != SCHEMA_REVISION:
        at = f"at revision {revision}" if revision else "empty"
        raise SchemaError(
            f"the ledger is {at}, this gembill works with revision {SCHEMA_REVISION}; run `gembill db upgrade`"
        )


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Move the schema to `SCHEMA_REVISION` in one transaction under a lock; the revisions before and after."""
    from gembill.ledger.engine import writing

    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        before = revision_of(DrivenSnapshot(connection))
        if before != SCHEMA_REVISION:
            _run_scripts(connection)
        return before, SCHEMA_REVISION


def _run_scripts(connection: Connection) -> None:
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # it names each of its own parts
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    command.upgrade(config, SCHEMA_REVISION)

"""Snapshots of a ledger, read by statements that are text: through SQLAlchemy, or straight from a SQLite file.

Owns: the reading transaction, the parameters of a statement, and how a file is opened without SQLAlchemy, whose import
takes twenty times as long as a check of budgets. Not here: statements. Invariant: all statements of a snapshot see the
same rows, and none of them can write; each is the same text on both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gembill import mounts, sqlite
from gembill.errors import LedgerError

if TYPE_CHECKING:
    from sqlalchemy import Connection

BUSY_SECONDS = 30
_PLAIN = "sqlite:///"


class Snapshot(Protocol):
    """One reading transaction. `dialect` is the name that SQLAlchemy has for the engine: sqlite or postgresql."""

    dialect: str

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """The rows of a statement; each `?` in it stands for the next of the values."""


class DrivenSnapshot:
    """A snapshot by a connection of SQLAlchemy's."""

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect.name
        self.connection = connection

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """The rows of a statement."""
        if self.dialect == "postgresql":
            statement = statement.replace("?", "%s")
        return self.connection.exec_driver_sql(statement, tuple(values)).all()


class FileSnapshot:
    """A snapshot by a connection of SQLite's own driver."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite.driver.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """The rows of a statement."""
        rows: list[tuple[Any, ...]] = self._connection.execute(statement, tuple(values)).fetchall()
        return rows


@contextmanager
def file_snapshot(path: Path) -> Iterator[FileSnapshot]:
    """A snapshot of the ledger in this file, which is there."""
    connection = sqlite.driver.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("BEGIN")
        yield FileSnapshot(connection)
    finally:
        connection.close()


def plain_file(url: str) -> Path | None:
    """The file of an address that is `sqlite:///` and a path without escapes or options; None for any other address."""
    path = url.removeprefix(_PLAIN)
    if path == url or path in ("", ":memory:") or set(path) & {"?", "%"}:
        return None
    return Path(path)


def refuse_network_file(path: Path) -> None:
    """LedgerError if the file would lie on a network file system, where SQLite's locks do not hold (sqlite.org/wal)."""
    mount = mounts.network_mount(path)
    if mount is not None:
        raise LedgerError(
            f"{path} lies on {mount.point}, a file system of kind {mount.kind}; keep the ledger on a local disk or use "
            "PostgreSQL"
        )

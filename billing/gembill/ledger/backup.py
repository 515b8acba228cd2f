"""A ledger in one file, and back: made while calls are posted, checked before anything is touched.

Owns: the form of a backup, making one, and putting one in the place of a ledger. Not here: what was recorded since
(`gembill replay` fills that in). Invariant: a backup is one consistent state; a restore either happens whole or not at
all, and only from a file whose every byte was checked.

The form is that of a SQLite ledger, compressed by gzip, whichever engine it came from: `gunzip` gives a file that every
command reads, and a ledger can move from one engine to the other. It needs no program of the database.
"""

import gzip
import os
import secrets
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Table

from gembill import sqlite
from gembill.address import of_file
from gembill.errors import ConfigurationError, LedgerError
from gembill.ledger import engine as engines
from gembill.ledger import migration, schema, sql
from gembill.ledger.errors import translated
from gembill.ledger.reading import BUSY_SECONDS, file_snapshot
from gembill.ledger.store import open_ledger, upgrade_ledger

_BATCH = 1_000
_COPIED = 1 << 20
_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made or checked: its file, the schema it had, and how many events are in it."""

    path: Path
    revision: str
    events: int


def back_up(url: str, path: Path) -> Backup:
    """Write the ledger at this address to a new file, which only its owner can read.

    LedgerError where the ledger cannot be read, ConfigurationError where the file is there or cannot be written.
    """
    if path.exists():
        raise ConfigurationError(f"{path} is there already; name another file")
    ledger = open_ledger(url, read_only=True)
    try:
        with _workshop(path.parent) as folder:
            copy = folder / "ledger.db"
            with translated("be backed up"):
                (_copy_file if engines.file_of(ledger.engine.url) is not None else _copy_server)(ledger.engine, copy)
            _check_file(copy, "the ledger")
            made = _described(copy, path)
            _pack(copy, folder / "packed")
            (folder / "packed").rename(path)
            return made
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        ledger.close()


@contextmanager
def checked(path: Path) -> Iterator[tuple[Backup, Path]]:
    """A backup whose every byte was checked, and its ledger as a file of the present schema, for the time of a `with`.

    LedgerError where the file is damaged or is not a backup.
    """
    try:
        with _workshop(Path(tempfile.gettempdir())) as folder:
            file = folder / "ledger.db"
            _unpack(path, file)
            _check_file(file, str(path))
            found = _described(file, path)
            with translated("be brought up to date"):
                upgrade_ledger(of_file(file))
            _settle(file)
            yield found, file
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror or error}") from error


def count_events(url: str) -> int | None:
    """How many events the ledger at this address has; None where there is no ledger yet."""
    file = engines.file_of(engines.parse(url))
    if file is not None and not file.exists():
        return None
    upgrade_ledger(url)
    ledger = open_ledger(url)
    try:
        with translated("be read"), ledger.reading() as snapshot:
            return int(snapshot.rows("SELECT count(*) FROM event")[0][0])
    finally:
        ledger.close()


def move_aside(url: str) -> Path | None:
    """Rename a ledger's file that cannot be read, with its companions; where it is now. None for a server."""
    file = engines.file_of(engines.parse(url))
    if file is None:
        return None
    target = file.with_name(f"{file.name}.damaged-{secrets.token_hex(4)}")
    for end in ("-wal", "-shm", "-journal", ""):
        with suppress(FileNotFoundError):
            file.with_name(file.name + end).rename(target.with_name(target.name + end))
    return target


def put_back(url: str, file: Path) -> None:
    """Make the ledger at this address what a checked file holds, in one transaction.

    LedgerError: nothing was changed.
    """
    upgrade_ledger(url)  # makes the tables, or the file
    parsed = engines.parse(url)
    target = engines.file_of(parsed)
    with translated("be restored"):
        if target is not None:
            with closing(_connect(file)) as source, closing(_connect(target)) as connection:
                source.backup(connection)
            return
        engine = engines.create(parsed)
        try:
            with engines.writing(engine) as connection, closing(_connect(file)) as source:
                _fill_server(connection, source)
        finally:
            engine.dispose()


@contextmanager
def _workshop(parent: Path) -> Iterator[Path]:
    """A folder for its owner alone, removed at the end."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(prefix=".gembill-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _connect(file: Path) -> Any:  # noqa: ANN401
    return sqlite.driver.connect(file, timeout=BUSY_SECONDS, isolation_level=None)


def _copy_file(engine: Engine, copy: Path) -> None:
    """SQLite's own copy of one state, beside writers."""
    source = engines.file_of(engine.url)
    assert source is not None
    with closing(_connect(source)) as connection, closing(_connect(copy)) as target:
        connection.backup(target)
    _settle(copy)


def _copy_server(engine: Engine, copy: Path) -> None:
    """Every row of one snapshot, in a SQLite ledger."""
    url = of_file(copy)
    upgrade_ledger(url)
    made = engines.create(engines.parse(url))
    try:
        with engines.snapshot(engine) as connection, engines.writing(made) as target:
            source = connection.execution_options(stream_results=True, yield_per=_BATCH)
            for table in schema.metadata.sorted_tables:
                rows = source.exec_driver_sql(f"SELECT {_names(table)} FROM {table.name}")  # noqa: S608
                for some in rows.partitions(_BATCH):
                    sql.insert(target, table, [tuple(map(_plain, row)) for row in some])
    finally:
        made.dispose()
    _settle(copy)


def _fill_server(connection: Connection, source: Any) -> None:  # noqa: ANN401
    tables = schema.metadata.sorted_tables
    connection.exec_driver_sql("TRUNCATE " + ", ".join(table.name for table in tables))
    for table in tables:
        ids = [place for place, column in enumerate(table.columns) if isinstance(column.type, schema.Id)]
        rows = source.execute(f"SELECT {_names(table)} FROM {table.name}")  # noqa: S608
        while some := rows.fetchmany(_BATCH):
            sql.insert(connection, table, [_for_server(row, ids) for row in some])


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A value of PostgreSQL's driver as SQLite keeps it."""
    return value.bytes if isinstance(value, UUID) else value


def _for_server(row: Sequence[Any], ids: Sequence[int]) -> tuple[Any, ...]:
    values = list(row)
    for place in ids:
        values[place] = None if values[place] is None else str(UUID(bytes=values[place]))
    return tuple(values)


def _settle(file: Path) -> None:
    """Everything in the one file, with no log beside it."""
    with closing(_connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = delete")


def _pack(file: Path, target: Path) -> None:
    """Compress, for the owner alone, and on disk when this returns."""
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as raw, file.open("rb") as source:
        with gzip.GzipFile(filename="ledger.db", mode="wb", compresslevel=6, fileobj=raw) as packed:
            shutil.copyfileobj(source, packed, _COPIED)
        raw.flush()
        os.fsync(raw.fileno())


def _unpack(path: Path, target: Path) -> None:
    """Decompress a backup, or copy it where someone did so before; gzip's checksum covers every byte."""
    with path.open("rb") as raw:
        packed = raw.read(len(_MAGIC)) == _MAGIC
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, _COPIED)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LedgerError(f"{path} is damaged: {error}") from error


def _check_file(file: Path, name: str) -> None:
    """LedgerError unless SQLite finds the file whole."""
    try:
        with closing(_connect(file)) as connection:
            words = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
    except sqlite.driver.Error as error:
        raise LedgerError(f"{name} is not a backup of a ledger, or is damaged: {error}") from error
    if words != ["ok"]:
        raise LedgerError(f"{name} is damaged: {words[0]}")


def _described(file: Path, path: Path) -> Backup:
    """What a ledger's file says of itself. LedgerError where it is none, or a newer gembill's."""
    with translated("be read"), file_snapshot(file) as snapshot:
        revision = migration.revision_of(snapshot)
        if revision is None:
            raise LedgerError(f"{path} is not a backup of a ledger")
        return Backup(path, revision, int(snapshot.rows("SELECT count(*) FROM event")[0][0]))

"""One segment of the spool: a SQLite file of open intents and completions, written once and read until it is posted.

Owns: the file's schema, its durable transactions, its checksums, and what counts as damage. Not here: the order of
segments, threads and policies. Invariant: what one `commit` was given is in the file wholly or not at all, and durably
(`synchronous=FULL`); a row whose checksum fails is never handed out.

A completion is a row of the table `final`. An intent is a row that its completion deletes in the same transaction, so
the open intents are the rows of `intent`. The space this frees is used again by the next intents; nothing else is ever
deleted from a segment (reliability.md R6: on a full disk DELETE needs space, unlinking the file does not). The `seq` of
a completion is its only key (reliability.md 5).
"""

import logging
import os
import sqlite3
import time
import zlib
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from gembill.errors import SpoolError
from gembill.sqlite import driver, version, wal_is_safe

log = logging.getLogger(__name__)

APPLICATION_ID = 0x67_62_73_70  # "gbsp"
VERSION = 1
ROW_BYTES = 96  # what a row takes beside its body, about: id, numbers, cell and page overhead

SCHEMA = (
    "CREATE TABLE meta (source_id INTEGER NOT NULL, first_seq INTEGER NOT NULL, begun_us INTEGER NOT NULL)",
    "CREATE TABLE intent (n INTEGER PRIMARY KEY, event_id TEXT NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL)",
    """CREATE TABLE final (seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, event_id TEXT NOT NULL, body BLOB NOT NULL,
    crc INTEGER NOT NULL)""",
    f"PRAGMA application_id={APPLICATION_ID}",
    f"PRAGMA user_version={VERSION}",
)
_CODES_OF_DAMAGE = (1, 11, 26)  # SQLITE_ERROR (a table is missing), SQLITE_CORRUPT, SQLITE_NOTADB
_CODES_OF_LOCKS = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED

IntentRow = tuple[int, str, bytes, int]  # n, event id, body, checksum
CompletionRow = tuple[int, int, str, bytes, int]  # seq, microseconds, event id, body, checksum


class SegmentDamaged(SpoolError):
    """A segment's bytes are not what was written."""


class SegmentEmpty(SpoolError):
    """The file never got its first transaction: the process ended while it was being made."""


def checksum(event_id: str, body: bytes) -> int:
    """The CRC-32 of an entry: its id, then its body."""
    return zlib.crc32(body, zlib.crc32(event_id.encode()))


def is_damage(error: Exception) -> bool:
    """Whether SQLite says that the file is wrong, and not that it cannot be reached just now."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return type(error) is driver.DatabaseError  # the driver's class for CORRUPT and NOTADB
    return (code & 0xFF) in _CODES_OF_DAMAGE


def _is_lock(error: Exception) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _CODES_OF_LOCKS


def connect(path: Path, *, wait_s: float) -> sqlite3.Connection:
    """A connection to an existing file, without implicit transactions, usable by one thread at a time."""
    address = f"file:{quote(str(path))}?mode=rw"
    connection: sqlite3.Connection = driver.connect(
        address, uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False
    )
    return connection


def journal_mode() -> str:
    """WAL where this SQLite is free of the WAL-reset bug, else the rollback journal.

    The cure of keeping one connection in exclusive locking mode is closed to us: the posting thread reads beside it.
    """
    return "WAL" if wal_is_safe(version) else "TRUNCATE"


class Segment:
    """The writing side of one segment: made with `begin`, filled with `write`, given up with `close` or `discard`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.bytes = 0  # of the rows, about
        self.begun = False  # whether a first transaction is known to be on disk
        self.made_at = time.monotonic()
        self._connection = connection

    @classmethod
    def begin(cls, path: Path, *, source_id: int, first_seq: int, wait_s: float) -> "Segment":
        """A new file whose first transaction is open until the first `write`. Raises OSError or a driver error."""
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # SQLite gives its -wal the same mode
        segment = None
        try:
            segment = cls(path, connect(path, wait_s=wait_s))
            segment._prepare(source_id, first_seq)
            _sync_directory(path.parent)
        except BaseException:
            if segment is not None:
                segment.close()
            unlink(path)
            raise
        return segment

    def _prepare(self, source_id: int, first_seq: int) -> None:
        run = self._connection.execute
        run(f"PRAGMA journal_mode={journal_mode()}")
        run("PRAGMA synchronous=FULL")
        run("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            run(statement)
        run("INSERT INTO meta VALUES (?, ?, ?)", (source_id, first_seq, time.time_ns() // 1000))

    def write(self, intents: Sequence[IntentRow], completions: Sequence[CompletionRow], closed: Sequence[int]) -> None:
        """One durable transaction: new intents, new completions, and the numbers of the intents to remove."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
        self._run_in_parts("INSERT INTO intent VALUES ", "(?,?,?,?)", intents)
        self._run_in_parts("INSERT INTO final VALUES ", "(?,?,?,?,?)", completions)
        self._run_in_parts("DELETE FROM intent WHERE n IN ", "?", [(n,) for n in closed])
        self._connection.execute("COMMIT")
        self.begun = True
        self.bytes += sum(len(row[2]) for row in intents) + sum(len(row[3]) for row in completions)
        self.bytes += ROW_BYTES * (len(intents) + len(completions))

    def _run_in_parts(self, head: str, slot: str, rows: Sequence[tuple[object, ...]]) -> None:
        at = 0
        while at < len(rows):
            count = 1 << min((len(rows) - at).bit_length() - 1, 7)
            values = tuple(chain.from_iterable(rows[at : at + count]))
            self._connection.execute(_statement(head, slot, count), values)
            at += count

    def close(self) -> None:
        """Give up the file as it is; an open transaction is rolled back. Raises nothing: the file is the truth."""
        try:
            self._connection.close()
        except driver.Error:
            # The last checkpoint failed; the committed rows are in the -wal and stay there.
            pass

    def discard(self) -> None:
        """Close, and remove a file that never got its first transaction."""
        self.close()
        if not self.begun:
            try:
                unlink(self.path)
            except OSError as error:
                log.warning("%s was never begun and cannot be removed: %s", self.path, error)


@lru_cache(maxsize=32)
def _statement(head: str, slot: str, count: int) -> str:
    """One statement for many rows: the driver lets the GIL go, and waits for it again, once a step."""
    slots = ",".join([slot] * count)
    return f"{head}({slots})" if slot == "?" else head + slots


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def files(path: Path) -> tuple[Path, ...]:
    """The file and the companions that SQLite may have beside it."""
    return (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")))


def unlink(path: Path) -> None:
    """Remove a segment with its companions. Raises OSError."""
    for file in files(path):
        file.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """Rows read in order, how many were refused for their checksum, and what ended the reading early, in words."""

    rows: tuple[CompletionRow, ...]
    refused: int
    broken: str | None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a segment holds as far as opening needs it. `last_seq` is one below its first where it has no completion."""

    last_seq: int
    intents: tuple[IntentRow, ...]
    refused: int


class SegmentReader:
    """The reading side of one segment, for one thread at a time; every read is a transaction of its own."""

    def __init__(self, path: Path, *, source_id: int, wait_s: float) -> None:
        self.path = path
        self._wait_s = wait_s
        try:
            self._connection = self._open(source_id)
        except driver.Error as error:
            raise _explained(path, error) from error

    def _open(self, source_id: int) -> sqlite3.Connection:
        try:
            return self._try(source_id, "NORMAL")
        except driver.OperationalError as error:
            if is_damage(error) or _is_lock(error):
                raise
            # A full disk has no room for the -shm file; alone on the file SQLite keeps it in memory.
            return self._try(source_id, "EXCLUSIVE")

    def _try(self, source_id: int, locking: str) -> sqlite3.Connection:
        connection = connect(self.path, wait_s=self._wait_s)
        try:
            connection.execute(f"PRAGMA locking_mode={locking}")
            self._identify(connection, source_id)
            connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _identify(self, connection: sqlite3.Connection, source_id: int) -> None:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            raise SegmentEmpty(f"{self.path} was never begun")
        row = connection.execute("SELECT source_id FROM meta").fetchone()
        if row != (source_id,):
            raise SegmentDamaged(f"{self.path} says it belongs to source {row}, not to {source_id}")

    def contents(self, first_seq: int, *, intents: bool) -> Contents:
        """What opening needs. Raises SegmentDamaged, or SpoolError where it cannot be read just now."""
        try:
            last = self._connection.execute("SELECT max(seq) FROM final").fetchone()[0]
            rows = self._connection.execute("SELECT * FROM intent ORDER BY n").fetchall() if intents else []
        except driver.Error as error:
            raise _explained(self.path, error) from error
        good = tuple(row for row in rows if row[3] == checksum(row[1], row[2]))
        return Contents(last or first_seq - 1, good, len(rows) - len(good))

    def frames(self) -> int | None:
        """Valid frames of the -wal, as SQLite sees them; None where it cannot say (no WAL, or a full disk)."""
        try:
            seen: int = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
        except driver.OperationalError:
            return None
        return None if seen < 0 else seen

    def completions(self, after: int, upto: int, limit: int) -> SegmentPage:
        """At most `limit` completions with `after < seq <= upto`. Raises SpoolError if it cannot be read just now."""
        rows: list[CompletionRow] = []
        broken = None
        refused = 0
        try:
            with closing(self._select(after, upto)) as selected:
                for row in selected:
                    if row[4] == checksum(row[2], row[3]):
                        rows.append(row)
                    else:
                        refused += 1
                    if len(rows) == limit:
                        break
        except (driver.Error, UnicodeDecodeError, TypeError) as error:
            explained = _explained(self.path, error)
            if not isinstance(explained, SegmentDamaged):
                raise explained from error
            broken = str(explained)
        return SegmentPage(tuple(rows), refused, broken)

    def _select(self, after: int, upto: int) -> Generator[CompletionRow]:
        with closing(self._connection.cursor()) as cursor:  # an open cursor holds its transaction, and the -wal with it
            yield from cursor.execute(
                "SELECT seq, at_us, event_id, body, crc FROM final WHERE seq > ? AND seq <= ? ORDER BY seq",
                (after, upto),
            )

    def close(self) -> None:
        """Let go of the file."""
        try:
            self._connection.close()
        except driver.Error:
            # Nothing of ours is written here; the file is as it was.
            pass


def _explained(path: Path, error: Exception) -> SpoolError:
    if not isinstance(error, driver.Error) or is_damage(error) or "UTF-8" in str(error):
        return SegmentDamaged(f"{path} is damaged: {error}")
    return SpoolError(f"{path} cannot be read now: {error}")

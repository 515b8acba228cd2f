"""The ledger: the one place that writes what calls cost.

Owns: opening a ledger, and its writing transactions with their retries. Not here: queries for reports (`records`,
`totals`) and any rule about answers or prices: what is written comes as values.
Invariant: every method is one transaction and harmless to repeat; when it raises, nothing was written. Rows of events,
records and charges are never changed or deleted; rollups hold what the current revisions add up to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from gembill.address import masked, of_file
from gembill.errors import LedgerError
from gembill.ledger import migration
from gembill.ledger.entries import Reason
from gembill.ledger.errors import LedgerUnavailable, is_overtaken, translated
from gembill.ledger.reading import DrivenSnapshot, Snapshot, file_snapshot, plain_file, refuse_network_file
from gembill.model import Rating, Record

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gembill.ledger.transaction import Transaction

_REASON_CHARS = 1000
_ID_CHARS = 256
_ATTEMPTS = 20
_MAKING = Lock()  # closing a file drops all locks of this process on it: no other thread may have opened it by then


def _now_us() -> int:
    return time.time_ns() // 1000


class Ledger:
    """An opened ledger. Threads may share it; processes may not.

    With `file`, the SQLite file is read without SQLAlchemy until something needs the engine.
    """

    def __init__(
        self, engine: Callable[[], Engine], now_us: Callable[[], int] = _now_us, *, file: Path | None = None
    ) -> None:
        self._places: dict[Path, tuple[int, int] | None] = {}
        self._make_engine, self._lock = engine, Lock()
        self._engine: Engine | None = None
        self._now_us = now_us
        self._file = file

    @property
    def engine(self) -> Engine:
        """The engine of SQLAlchemy, made when it is first asked for."""
        with self._lock:
            if self._engine is None:
                self._engine, self._file = self._make_engine(), None
            return self._engine

    def remember(self, file: Path | None) -> None:
        """Note which file this ledger is in, once it was opened."""
        if file is not None:
            self._places = {file: _number(file), file.with_name(f"{file.name}-wal"): None}

    def is_replaced(self) -> bool:
        """Whether the file that was opened, or its log, is gone from its place, or is another."""
        for place, known in self._places.items():
            number = _number(place)
            if known is None:
                self._places[place] = number
            elif number != known:
                return True
        return False

    def keep_log_short(self) -> None:
        """Empty the write-ahead log of a file if it is too long. LedgerUnavailable while readers prevent it."""
        if self._places:
            from gembill.ledger.write_ahead import keep_short

            keep_short(self.engine, next(iter(self._places)))

    @contextmanager
    def reading(self, *, driven: bool = False) -> Iterator[Snapshot]:
        """A snapshot for statements that are text, by the quicker of the two ways; `driven`: by SQLAlchemy."""
        file = self._file
        if file is not None and not driven:
            with file_snapshot(file) as snapshot:
                yield snapshot
            return
        from gembill.ledger import engine as engines

        with engines.snapshot(self.engine) as connection:
            yield DrivenSnapshot(connection)

    def attempts(self, doing: str) -> Iterator[AbstractContextManager[Transaction]]:
        """Transactions for one piece of work: `for attempt in ledger.attempts("post"): with attempt as work: ...`.

        What the block asks of the transaction is written when it ends. There is another attempt when rows were there
        already, because another writer was quicker or a spool is posted again, and nothing was written then; so the
        block reads again what it decides by.
        InvalidPosting: a value cannot be kept. LedgerUnavailable: try later. SpoolRefused: the spool was cloned or
        restored, its places hold other events here. `doing` says in these what could not be done.
        """
        for number in range(_ATTEMPTS):
            attempt = _Attempt(self.engine, doing, self._now_us(), first=number == 0)
            yield attempt.transaction()
            if not attempt.overtaken:
                return
            import random

            time.sleep(random.uniform(0, 0.02 * number))  # noqa: S311 - only parts the writers
        raise LedgerUnavailable(
            f"the ledger cannot {doing} now: others were quicker with the same rows {_ATTEMPTS} times"
        )

    def correct(
        self, corrections: Sequence[tuple[Record, Rating]], *, reason: Reason, seen: Sequence[int] | None = None
    ) -> int:
        """Replace what records say, as new revisions with correcting charges; the number that changed.

        `seen` are the revisions the corrections were worked out from: a record that has another one by now, because a
        fuller answer was posted meanwhile, is left as it is.
        """
        revisions = [None] * len(corrections) if seen is None else seen
        changed = 0
        for attempt in self.attempts("correct"):
            with attempt as transaction:
                transaction.load({(record.source_id, record.id) for record, _ in corrections})
                pairs = zip(corrections, revisions, strict=True)
                changed = sum([transaction.correct(*one, reason, revision) for one, revision in pairs])
        return changed

    def add_dead_letter(self, source_id: int, seq: int | None, event_id: str, body: bytes, reason: str) -> None:
        """Keep an event that cannot become a record, with its bytes and why. Whatever its text holds, it is kept."""
        from gembill.ledger import engine as engines
        from gembill.ledger import schema, sql, validation
        from gembill.ledger.transaction import Transaction

        validation.check_source(source_id)
        row = (source_id, _plain(event_id, _ID_CHARS), seq, body, _plain(reason, _REASON_CHARS), self._now_us())
        with translated("bury an event"), engines.writing(self.engine) as connection:
            Transaction(connection, self._now_us()).register(source_id, (), "spool")
            sql.insert(connection, schema.dead_letter, [row], sql.OnConflict.IGNORE)

    def announce(self, source_id: int, kind: str) -> None:
        """Name the kind of a source before its first posting, where it is not an ordinary spool: `demo`."""
        from gembill.ledger import engine as engines
        from gembill.ledger.transaction import Transaction

        with translated("announce a source"), engines.writing(self.engine) as connection:
            Transaction(connection, self._now_us()).register(source_id, (), kind)

    def close(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            self._engine.dispose()


class _Attempt:
    """One try at a piece of work; `overtaken` says that another writer was quicker and nothing was written."""

    def __init__(self, engine: Engine, doing: str, now_us: int, *, first: bool) -> None:
        self.overtaken = False
        self._engine, self._doing, self._now_us, self._first = engine, doing, now_us, first

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """The transaction, written and committed at the end of the block."""
        from sqlalchemy.exc import IntegrityError

        from gembill.ledger import engine as engines
        from gembill.ledger.transaction import Transaction, posted_at

        with translated(self._doing):
            work: Transaction | None = None
            try:
                with engines.writing(self._engine) as connection:
                    work = Transaction(connection, posted_at(connection, self._now_us), trusting=self._first)
                    yield work
                    work.write()
            except IntegrityError as error:
                if work is None or not is_overtaken(error):
                    raise
                with self._engine.connect() as connection:
                    work.refuse_clones(connection)
                self.overtaken = True


def _plain(text: str, chars: int) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:chars]


def open_ledger(url: str, *, read_only: bool = False, begin: bool = True) -> Ledger:
    """Open the ledger at `sqlite:///path` or `postgresql://...`.

    A SQLite file is created, unless `read_only` or not `begin`, and brought up to date, unless `read_only`. A server's
    schema is only checked: SchemaError names the command that helps. LedgerUnavailable when it cannot be reached.
    """
    file = plain_file(url) if read_only else None
    if file is None:
        return _opened(_engine(url, there=read_only or not begin, read_only=read_only), upgrade=not read_only)
    _require_place(file, there=True)
    with translated(f"be opened at {masked(url)}"), file_snapshot(file) as snapshot:
        migration.require_current(snapshot)
    return Ledger(lambda: _engine(url, there=True, read_only=True), file=file)


def _opened(engine: Engine, *, upgrade: bool) -> Ledger:
    ledger = Ledger(lambda: engine)
    try:
        with translated(_opening(engine)):
            if upgrade and engine.dialect.name == "sqlite":
                _upgrade(engine)
            with ledger.reading() as snapshot:
                migration.require_current(snapshot)
            ledger.remember(_file_of(engine))
    except BaseException:
        engine.dispose()
        raise
    return ledger


def upgrade_ledger(url: str) -> tuple[str | None, str]:
    """Bring the schema at this address to the one this program works with; the revisions before and after."""
    engine = _engine(url)
    try:
        with translated(_opening(engine)):
            return _upgrade(engine)
    finally:
        engine.dispose()


def ledger_file(url: str) -> Path | None:
    """The file in which the ledger at this address is or would be; None for a server."""
    file = plain_file(url)
    if file is not None:
        return file
    from gembill.ledger import engine as engines

    return engines.file_of(engines.parse(url))


def _engine(url: str, *, there: bool = False, read_only: bool = False) -> Engine:
    from gembill.ledger import engine as engines

    parsed = engines.parse(url)
    path = engines.file_of(parsed)
    if path is not None:
        _require_place(path, there=there)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_private(path)
    return engines.create(parsed, read_only=read_only)


def _file_of(engine: Engine) -> Path | None:
    from gembill.ledger import engine as engines

    return engines.file_of(engine.url)


def _number(file: Path) -> tuple[int, int] | None:
    """What tells a file from another at its place; None where there is none."""
    try:
        there = file.stat()
    except OSError:
        return None
    return there.st_dev, there.st_ino


def _make_private(path: Path) -> None:
    """Make the file of a ledger that is not there yet for its owner alone, whatever the folder and the umask allow.

    SQLite gives the files beside it the same mode, and says itself why a file cannot be made.
    """
    with _MAKING, suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _require_place(path: Path, *, there: bool) -> None:
    """LedgerError unless a ledger may be kept in this file, and, if it has to be `there`, is."""
    refuse_network_file(path)
    if there and not path.exists():
        raise LedgerError(
            f"there is no ledger at {path}; `gembill proxy` begins one, or name another with --database-url"
        )


def _opening(engine: Engine) -> str:
    if (file := _file_of(engine)) is not None:
        return f"be opened at {of_file(file)}"
    return f"be opened at {masked(engine.url.render_as_string(hide_password=False))}"


def _upgrade(engine: Engine) -> tuple[str | None, str]:
    if engine.dialect.name == "sqlite":
        from gembill.ledger import engine as engines

        engines.settle_journal(engine)
    if migration.is_current(engine):
        return migration.SCHEMA_REVISION, migration.SCHEMA_REVISION
    return migration.upgrade(engine)

"""The ledger: the one place that writes what calls cost.

Owns: the writing transactions. Owns no query for reports (`read`, `totals`) and no rule about prices.
Invariant: every method is one transaction and harmless to repeat; when it raises, nothing was written. Rows of events,
records and charges are never changed or deleted; rollups hold what the current revisions add up to.
"""

import random
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from gembill.address import masked
from gembill.errors import LedgerError
from gembill.ledger import engine as engines
from gembill.ledger import migration, schema, sources, sql, validation
from gembill.ledger.entries import RatedEvent, Reason
from gembill.ledger.errors import LedgerUnavailable, is_overtaken, translated
from gembill.ledger.transaction import Transaction
from gembill.model import Rating, Record

_REASON_CHARS = 1000
_ID_CHARS = 256
_ATTEMPTS = 20


def _now_us() -> int:
    return time.time_ns() // 1000


class Ledger:
    """An opened ledger. Threads may share it; processes may not."""

    def __init__(self, engine: Engine, now_us: Callable[[], int] = _now_us) -> None:
        self.engine = engine
        self._now_us = now_us

    def append(self, source_id: int, postings: Sequence[RatedEvent]) -> int:
        """Write events, records, charges and rollups; the number of events that were new.

        Events that are there already are skipped. UnfitPosting: one of them cannot be kept. LedgerUnavailable: try
        later. LedgerError: the spool was cloned or restored, its places hold other events here.
        """
        validation.check_source(source_id)
        for posting in postings:
            validation.check_posting(source_id, posting)
        return self._patiently("post", lambda c: _append(c, source_id, postings, self._now_us()), source_id, postings)

    def correct(
        self, corrections: Sequence[tuple[Record, Rating]], *, reason: Reason, seen: Sequence[int] | None = None
    ) -> int:
        """Replace what records say, as new revisions with correcting charges; the number that changed.

        `seen` are the revisions the corrections were worked out from: a record that has another one by now, because a
        fuller answer was posted meanwhile, is left as it is.
        """
        for record, rating in corrections:
            validation.check_entry(record, rating)
        revisions = [None] * len(corrections) if seen is None else seen
        work = list(zip(corrections, revisions, strict=True))
        return self._patiently("correct", lambda c: _correct(c, work, reason, self._now_us()))

    def with_retries(self, doing: str, work: Callable[[Connection, int], int]) -> int:
        """Do other work of this package in a transaction, again when another writer was quicker; it takes the time."""
        return self._patiently(doing, lambda connection: work(connection, self._now_us()))

    def add_dead_letter(self, source_id: int, seq: int | None, event_id: str, body: bytes, reason: str) -> None:
        """Keep an event that cannot become a record, with its bytes and why. Whatever its text holds, it is kept."""
        validation.check_source(source_id)
        row = (source_id, _plain(event_id, _ID_CHARS), seq, body, _plain(reason, _REASON_CHARS), self._now_us())
        with translated("bury an event"), engines.writing(self.engine) as connection:
            sources.register(connection, source_id, (), "spool", self._now_us())
            sql.insert(connection, schema.dead_letter, [row], sql.OnConflict.IGNORE)

    def announce(self, source_id: int, kind: str) -> None:
        """Name the kind of a source before its first posting, where it is not an ordinary spool: `demo`."""
        with translated("announce a source"), engines.writing(self.engine) as connection:
            sources.register(connection, source_id, (), kind, self._now_us())

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _patiently(
        self, doing: str, work: Callable[[Connection], int], source_id: int = 0, postings: Sequence[RatedEvent] = ()
    ) -> int:
        """Do the work in a transaction. When another writer was quicker, everything is read and written again."""
        with translated(doing):
            for attempt in range(_ATTEMPTS):
                try:
                    return self._once(work)
                except IntegrityError as error:
                    if not is_overtaken(error):
                        raise
                    self._refuse_clone(source_id, postings)
                    time.sleep(random.uniform(0, 0.02 * attempt))  # noqa: S311 - only parts the writers
        raise LedgerUnavailable(
            f"the ledger cannot {doing} now: others were quicker with the same rows {_ATTEMPTS} times"
        )

    def _once(self, work: Callable[[Connection], int]) -> int:
        with engines.writing(self.engine) as connection:
            return work(connection)

    def _refuse_clone(self, source_id: int, postings: Sequence[RatedEvent]) -> None:
        """LedgerError if a place of the spool holds another event in the ledger, or two events here."""
        ids: dict[int, str] = {}
        for posting in postings:
            if posting.seq is not None and ids.setdefault(posting.seq, posting.event_id) != posting.event_id:
                raise LedgerError(f"spool {source_id} has two events at place {posting.seq}; it is damaged")
        c = schema.event.c
        query = select(c.seq, c.id).where(c.source_id == source_id, c.seq.in_(sorted(ids))).order_by(c.seq)
        with self.engine.connect() as connection:
            for seq, there in connection.execute(query):
                if ids[seq] != there:
                    raise LedgerError(
                        f"place {seq} of spool {source_id} is event {there} in the ledger and {ids[seq]} in the spool: "
                        "the spool was cloned or restored from a backup; give it a new source_id"
                    )


def _append(connection: Connection, source_id: int, postings: Sequence[RatedEvent], now_us: int) -> int:
    fresh = _unseen(connection, source_id, postings)
    if not fresh:
        return 0
    keys = {(posting.record.source_id, posting.record.id) for posting in fresh}
    kind = "spool" if any(posting.seq is not None for posting in fresh) else "import"
    sources.register(connection, source_id, {source for source, _ in keys}, kind, now_us)
    books = Transaction(connection, now_us)
    books.load(keys)
    for posting in fresh:
        books.post(source_id, posting)
    name = connection.dialect.name
    events = [
        (source_id, schema.driver_id(name, p.event_id), p.seq, p.record.occurred_us, now_us, p.body) for p in fresh
    ]
    sql.insert(connection, schema.event, events)
    books.write()
    return len(fresh)


def _unseen(connection: Connection, source_id: int, postings: Sequence[RatedEvent]) -> list[RatedEvent]:
    """The postings whose event is new, each event once."""
    by_id = {posting.event_id: posting for posting in reversed(postings)}
    c = schema.event.c
    known = set(connection.scalars(select(c.id).where(c.source_id == source_id, c.id.in_(sorted(by_id)))))
    return [posting for posting in postings if by_id[posting.event_id] is posting and posting.event_id not in known]


def _correct(
    connection: Connection, work: Sequence[tuple[tuple[Record, Rating], int | None]], reason: Reason, now_us: int
) -> int:
    books = Transaction(connection, now_us)
    books.load({(record.source_id, record.id) for (record, _), _ in work})
    changed = sum([books.correct(record, rating, reason, seen) for (record, rating), seen in work])
    books.write()
    return changed


def _plain(text: str, chars: int) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:chars]


def open_ledger(url: str, *, read_only: bool = False) -> Ledger:
    """Open the ledger at `sqlite:///path` or `postgresql://...`.

    A SQLite file is created and brought up to date, unless `read_only`. A server's schema is only checked: SchemaError
    names the command that helps. LedgerUnavailable when it cannot be reached.
    """
    engine = _engine(url, read_only=read_only)
    try:
        with translated(_opening(engine)):
            if engine.dialect.name == "sqlite" and not read_only:
                _upgrade(engine)
            migration.require_current(engine)
    except BaseException:
        engine.dispose()
        raise
    return Ledger(engine)


def upgrade_ledger(url: str) -> tuple[str | None, str]:
    """Bring the schema at this address to the one this program works with; the revisions before and after."""
    engine = _engine(url, read_only=False)
    try:
        with translated(_opening(engine)):
            return _upgrade(engine)
    finally:
        engine.dispose()


def _engine(url: str, *, read_only: bool) -> Engine:
    parsed = engines.parse(url)
    path = engines.file_of(parsed)
    if path is not None:
        engines.refuse_network_file(path)
        if read_only and not path.exists():
            raise LedgerError(
                f"there is no ledger at {path}; `gembill proxy` begins one, or name another with --database-url"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
    return engines.create(parsed, read_only=read_only)


def _opening(engine: Engine) -> str:
    return f"be opened at {masked(engine.url.render_as_string(hide_password=False))}"


def _upgrade(engine: Engine) -> tuple[str | None, str]:
    if engine.dialect.name == "sqlite":
        engines.settle_journal(engine)
    if migration.is_current(engine):
        return migration.HEAD, migration.HEAD
    return migration.upgrade(engine)

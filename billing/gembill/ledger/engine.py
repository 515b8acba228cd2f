"""A database address as a SQLAlchemy engine with our settings.

Owns: addresses, drivers, pragmas and how transactions begin. Not here: tables. Invariant: a SQLite transaction that
writes takes the write lock when it begins, so that it can wait for it and never fails half-way; what is committed is on
disk. On a server nothing outlives a transaction (no prepared statement, `SET`, temporary table, session lock): behind
PgBouncer in transaction mode the next one may be on another connection.

`synchronous=FULL`: the spool forgets what the ledger has committed, so a commit must survive a power cut. With NORMAL a
WAL commit does not (reliability.md 2, R2). At batches of 100 to 1,000 it costs about a fifth (performance.md 3).
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from gembill import sqlite
from gembill.errors import ConfigurationError, LedgerError
from gembill.ledger.reading import BUSY_SECONDS

_FORMS = "sqlite:///path or postgresql://host/name"
_WRITES = "gembill_writes"
_POSTGRESQL = {"postgresql", "postgres", "postgresql+psycopg", "postgres+psycopg"}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[\w.%-]+)(?::([0-9]+))?")


def parse(url: str) -> URL:
    """The address with its driver; ConfigurationError unless it is `sqlite:///path` or `postgresql://...`.

    `postgres://` means the same, and there can be several hosts, `postgresql://a:5432,b:5433/name`, as libpq has it.
    """
    if url.startswith("sqlite://"):
        return _parse_file(url)
    try:
        parsed = make_url(_with_hosts_as_options(url))
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"the database address cannot be read; write it like {_FORMS}") from None
    if parsed.drivername in _POSTGRESQL:
        _refuse_misplaced_at(parsed)
        return parsed.set(drivername="postgresql+psycopg")
    raise ConfigurationError(f"no ledger can be kept in '{parsed.drivername}'; use {_FORMS}")


def _parse_file(url: str) -> URL:
    """A SQLite address. What is neither a path nor `%` and two digits for a character of it is refused: SQLAlchemy
    would drop a host, and take what follows a `?` for options that the driver does not know."""
    path, question, _ = url.removeprefix("sqlite://").partition("?")
    if path and not path.startswith("/"):
        raise ConfigurationError(
            "the database address has a host, and SQLite has none; write it like sqlite:///path, which begins in this "
            "folder, or sqlite:////path, which begins at the root"
        )
    if question:
        raise ConfigurationError(
            "the database address has a '?', and SQLite has no options; write it like sqlite:///path, with %3F for a "
            "'?' in the path"
        )
    file = unquote(path[1:])
    if file in ("", ":memory:"):
        raise ConfigurationError("the database address names no file; write it like sqlite:///path/to/ledger.db")
    return URL.create("sqlite", database=file)


def _with_hosts_as_options(url: str) -> str:
    """Several hosts, or a socket's folder, moved to where SQLAlchemy reads them; any other address as it is.

    An address that could be read in two ways is left alone, so that no part of a password becomes a host.
    """
    scheme, separator, rest = url.partition("://")
    place, _, query = rest.partition("?")
    credentials, at, server = place.rpartition("@")
    hosts, slash, name = server.partition("/")
    entries = [_HOST.fullmatch(host) for host in hosts.split(",")]
    is_plain = len(entries) == 1 and "%" not in hosts
    if scheme not in _POSTGRESQL or is_plain or "@" in query or not all(entries):
        return url
    names = ",".join(unquote(entry[1]).strip("[]") for entry in entries if entry)
    ports = ",".join(entry[2] or "" for entry in entries if entry)
    options = [f"host={quote(names)}", *([f"port={ports}"] if ports.strip(",") else []), *([query] if query else [])]
    return f"{scheme}{separator}{credentials}{at}{slash}{name}?{'&'.join(options)}"


def _refuse_misplaced_at(url: URL) -> None:
    """ConfigurationError where a part of the password would be taken for the host, which the driver's errors show."""
    split_early = "@" in (url.host or "") or "@" in (url.database or "")
    from_option = re.search(r"/.*\?.*=", url.password or "") is not None  # `host:1/name?password=a@b`
    if split_early or from_option:
        raise ConfigurationError("the database address has an '@' inside a password or name; write %40 for it")


def file_of(url: URL) -> Path | None:
    """The file of a SQLite address, None for a server."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def create(url: URL, *, read_only: bool = False) -> Engine:
    """An engine for an address from `parse`; nothing is opened yet. Values never appear in error texts.

    ConfigurationError where the options of the address do not fit together.
    """
    if file_of(url) is None:
        try:
            return create_engine(
                url,
                hide_parameters=True,
                pool_pre_ping=True,
                isolation_level="READ COMMITTED",  # a statement sees what was written while it waited for a lock
                execution_options={"postgresql_readonly": True} if read_only else {},
                connect_args={"prepare_threshold": None},
            )
        except ArgumentError:  # its text quotes the value
            raise ConfigurationError(
                "the database address has a host or port after its '?' that cannot be used; correct or remove it"
            ) from None
    engine = create_engine(
        url,
        hide_parameters=True,
        module=sqlite.driver,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:  # noqa: ANN401
        connection.isolation_level = None  # the `begin` below is ours
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA query_only = {int(read_only)}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes; committed at the end, rolled back on an exception."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


def use_memory(connection: Connection, kib: int = 2_000) -> None:
    """How much of a SQLite file a connection keeps in memory, in KiB, from now on; without a number, as SQLite does.

    Rows that fall on all pages of an index are written in batches; what does not fit is written and read again in each.
    PostgreSQL has a memory of its own.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{kib}")


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One reading transaction in which every statement sees the same rows."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901
        with connection.begin():
            yield connection


def settle_journal(engine: Engine) -> None:
    """Put a SQLite file in the journal mode it should have: WAL, or the rollback journal where WAL is not safe.

    SQLite does not wait for its lock when the mode changes, so this does; LedgerError when others keep it busy.
    """
    wanted = "wal" if sqlite.wal_is_safe(sqlite.version) else "delete"
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = _journal_mode(engine, wanted)
        except OperationalError as error:
            mode = str(error.orig)
        if mode == wanted:
            return
        if time.monotonic() > deadline:
            raise LedgerError(
                f"{engine.url.database} cannot be put in journal mode {wanted}: {mode}; close its other users"
            )
        time.sleep(0.02)


def _journal_mode(engine: Engine, wanted: str) -> str:
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        if mode != wanted:
            mode = cursor.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
        return str(mode)
    except sqlite.driver.OperationalError as error:
        raise OperationalError(None, None, error) from error
    finally:
        raw.close()

"""How fast calls get from the spool's bytes into the ledger, beside the same rows written bare; and their size there.

Run: `python -m tests.bench.bench_posting [CALLS]` from the root of the repository. Each call ran code; the bounds are
15 us for metering one, 25,000 calls a second on SQLite, half the speed of COPY on PostgreSQL, and 600 bytes a call.

Owns: the typical call, and the two yardsticks: executemany on SQLite and COPY on PostgreSQL of the very rows that
posting wrote, into tables without a key, committed as often. Processor time of this process beside that of the clock,
because a busy machine stretches the latter.
"""

import gc
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from gembill.config import Settings
from gembill.ledger import Ledger, open_ledger, schema, upgrade_ledger
from gembill.ledger import engine as engines
from gembill.posting import append, joined, posting, read_event
from gembill.price_catalog import PricingTerms, terms
from gembill.rules.metering import meter
from gembill.spool import SegmentEntry
from gembill.usage_counters import UsageCounters
from tests.gembill.calls import typical
from tests.surroundings import postgres_servers

BATCH = 1_000  # as the posting process reads them, and collects garbage
SOURCE = 77


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor and of the clock."""
    busy, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - busy, time.perf_counter() - clock


def post(ledger: Ledger, entries: list[SegmentEntry], prices: PricingTerms) -> None:
    """As the posting process does it, counts for Prometheus included."""
    counters = UsageCounters()
    for first in range(0, len(entries), BATCH):
        batch = [posting(entry, SOURCE, prices) for entry in entries[first : first + BATCH]]
        append(ledger, SOURCE, joined(ledger, batch), prices.rate, counters)


def _pieces(entries: list[SegmentEntry], prices: PricingTerms) -> None:
    events = [read_event(entry.body) for entry in entries]
    records = [meter(event, SOURCE) for event in events]
    pieces: dict[str, Callable[[], object]] = {
        "read back": lambda: deque((read_event(entry.body) for entry in entries), 0),
        "metering": lambda: deque((meter(event, SOURCE) for event in events), 0),
        "rating": lambda: deque((prices.rate(record) for record in records), 0),
    }
    for name, work in pieces.items():
        print(f"  {name:10} {min(timed(work)[0] for _ in range(3)) / len(entries) * 1e6:6.1f} us a call")


TABLES = (schema.event, schema.event_block, schema.entry)


def _rows(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """What posting wrote, as the driver gives it."""
    with ledger.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table.name}")]
            for table in TABLES
        }


def _bare(ledger: Ledger, calls: int, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """The same rows into tables without a key, in as many transactions."""
    steps = -(-calls // BATCH)
    with engines.writing(ledger.engine) as connection:
        for name in rows:
            connection.exec_driver_sql(f"CREATE TABLE bare_{name} AS SELECT * FROM {name} LIMIT 0")
    for step in range(steps):
        with engines.writing(ledger.engine) as connection:
            for name, every in rows.items():
                part = every[len(every) * step // steps : len(every) * (step + 1) // steps]
                _write(connection, f"bare_{name}", part)


def _write(connection: Connection, name: str, rows: list[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({','.join('?' * len(rows[0]))})", rows)
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _bytes(ledger: Ledger) -> dict[str, int]:
    """Bytes by table and index."""
    if (path := engines.file_of(ledger.engine.url)) is not None:
        with closing(sqlite3.connect(path)) as file:  # the interpreter's own: not every build of the driver has dbstat
            return dict(file.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    with ledger.engine.connect() as connection:
        sizes = text(
            "SELECT relname, pg_table_size(oid) FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
        )
        return {str(name): int(size) for name, size in connection.execute(sizes)}


def _engine(url: str, entries: list[SegmentEntry]) -> None:
    upgrade_ledger(url)
    ledger = open_ledger(url)
    prices = terms(ledger, Settings())
    calls = len(entries)
    print(f"{ledger.engine.dialect.name}, {calls} calls in batches of {BATCH}")
    post(ledger, entries[: calls // 10], prices)  # warm
    rest = entries[calls // 10 :]
    busy, clock = timed(lambda: post(ledger, rest, prices))
    sizes = _bytes(ledger)
    rows = _rows(ledger)
    bare_busy, bare_clock = timed(lambda: _bare(ledger, calls, rows))
    speed, bare = len(rest) / clock, calls / bare_clock
    print(f"  posting    {speed:8.0f} a second ({busy / len(rest) * 1e6:.1f} us of the processor each)")
    print(
        f"  bare rows  {bare:8.0f} a second ({bare_busy / calls * 1e6:.1f} us); posting reaches {speed / bare:.2f} of it"
    )
    print(
        f"  {sum(sizes.values()) / calls:.0f} bytes a call: "
        + ", ".join(
            f"{name} {size / calls:.0f}"
            for name, size in sorted(sizes.items(), key=lambda pair: -pair[1])
            if size > calls
        )
    )
    ledger.close()


def main() -> None:
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    entries = list(typical(calls))
    print(f"an event has {sum(len(entry.body) for entry in entries) / calls:.0f} bytes")
    folder = Path(tempfile.mkdtemp(prefix="gembill-bench-"))
    try:
        url = f"sqlite:///{folder / 'ledger.db'}"
        ledger = open_ledger(url)
        _pieces(entries, terms(ledger, Settings()))
        ledger.close()
        _engine(url, entries)
        server = postgres_servers().get_server(folder / "pg", cleanup_mode="stop")
        try:
            _engine(server.get_uri(), entries)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

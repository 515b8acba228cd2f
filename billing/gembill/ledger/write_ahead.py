"""The write-ahead log of a SQLite ledger, kept short.

Owns: its greatest length. Not here: what is written. Invariant: a program that reads for very long delays posting,
which the spool can bear, but does not fill the disk: SQLite cannot empty the log while somebody reads what was before.
"""

import contextlib
from pathlib import Path

from sqlalchemy import Engine

from gembill.ledger.errors import LedgerUnavailable
from gembill.ledger.reading import BUSY_SECONDS

LONGEST = 256 << 20  # bytes; SQLite itself empties it every few MB where nobody reads
_WAIT_MS = 100  # for readers that are about to end


def keep_short(engine: Engine, file: Path) -> None:
    """Empty a log that has grown too long. LedgerUnavailable while that cannot be done."""
    log = file.with_name(f"{file.name}-wal")
    if _size(log) <= LONGEST:
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1_000)}")
        cursor.close()
    finally:
        connection.close()
    if (size := _size(log)) > LONGEST:
        raise LedgerUnavailable(
            f"a program has been reading the ledger for so long that {log} has {size >> 20} MB; "
            "posting goes on when it ends"
        )


def _size(log: Path) -> int:
    with contextlib.suppress(OSError):  # there is none
        return log.stat().st_size
    return 0

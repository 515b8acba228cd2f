"""A short text that changes when a ledger does.

Owns: how it is told that something was written since. Not here: what. Invariant: it costs a few sums over a rollup of
days, whatever number of calls there is; two ledgers of different content may share a mark by chance only.
"""

from pathlib import Path

from gembill.ledger.measures import COSTS
from gembill.ledger.store import Ledger

_PRIME = 1_000_000_007  # sums of what is left by it do not overflow
_INDEX_HEADER_BYTES = 48
_COLUMNS = ("calls", "unpriced_calls", "executions", "costed", *COSTS)
_SUMS = ", ".join(f"sum({name} - {name} / {_PRIME} * {_PRIME}) AS {name}" for name in _COLUMNS)
_STATEMENT = (
    "SELECT * FROM (SELECT max(last_seen_us) AS seen_us, count(*) AS sources FROM source) AS s, "  # noqa: S608
    f"(SELECT {_SUMS} FROM rollup_narrow_day) AS r, "
    "(SELECT max(number) AS lists FROM price_list) AS p, (SELECT max(closed_us) AS closed_us FROM closed_month) AS c"
)


def read_mark(ledger: Ledger) -> str:
    """What the ledger is at now, in at most 40 letters and digits."""
    from hashlib import sha256

    with ledger.reading() as snapshot:
        (row,) = snapshot.rows(_STATEMENT)
    return sha256(repr([int(value or 0) for value in row]).encode()).hexdigest()[:24]


def file_state(file: Path) -> tuple[int | bytes, ...]:
    """Sizes and times of a SQLite file and of its log, and the head of the log's index: other ones after each write.

    What a transaction wrote is in the log before it is synced, and is read only when that is done and the index says so
    (SQLite's wal-index format, the first of its two headers): by sizes and times alone it would be missed in between.
    """
    state: list[int | bytes] = []
    for one in (file, file.with_name(f"{file.name}-wal")):
        try:
            there = one.stat()
        except OSError:
            state += [0, 0]
        else:
            state += [there.st_size, there.st_mtime_ns]
    return (*state, _index_head(file.with_name(f"{file.name}-shm")))


def _index_head(index: Path) -> bytes:
    try:
        with index.open("rb") as file:
            return file.read(_INDEX_HEADER_BYTES)
    except OSError:  # there is none while nobody has the ledger open
        return b""

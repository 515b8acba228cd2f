"""A short text that changes when a ledger does.

Owns: how it is told that something was written since. Not here: what. Invariant: it costs a few sums over a rollup of
days, whatever number of calls there is; two ledgers of different content may share a mark by chance only.
"""

import time
from pathlib import Path

from gembill.ledger.measures import COSTS
from gembill.ledger.store import Ledger

_PRIME = 1_000_000_007  # sums of what is left by it do not overflow
_SYNCED_AFTER_NS = 60_000_000_000  # no log is synced for longer
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


def file_state(file: Path) -> tuple[int, ...]:
    """The sizes and times of a SQLite file and of its log: as long as they stay, nothing was written.

    A transaction's bytes are in the log before the log is synced, and can be read only after that: a file that was
    written to just now is at another state each time. The index of the log would say it exactly, but whoever opens and
    closes that file takes away the locks that SQLite holds on it in the same process (POSIX).
    """
    state: list[int] = []
    newest_ns = 0
    for one in (file, file.with_name(f"{file.name}-wal")):
        try:
            there = one.stat()
        except OSError:
            state += [0, 0]
        else:
            state += [there.st_size, there.st_mtime_ns]
            newest_ns = max(newest_ns, there.st_mtime_ns)
    now_ns = time.time_ns()
    settled = now_ns - newest_ns > _SYNCED_AFTER_NS
    return (*state, 0 if settled else now_ns)

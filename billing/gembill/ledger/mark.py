"""A short text that changes when a ledger does.

Owns: how it is told that something was written since. Not here: what. Invariant: it costs a few sums over a rollup of
days, whatever number of calls there is; two ledgers of different content may share a mark by chance only.
"""

from pathlib import Path

from gembill.ledger.measures import COSTS
from gembill.ledger.store import Ledger

_PRIME = 1_000_000_007  # sums of what is left by it do not overflow
_SUMS = ", ".join(f"sum({name} % {_PRIME})" for name in ("calls", "unpriced_calls", "executions", "costed", *COSTS))
_STATEMENTS = (
    "SELECT max(last_seen_us), count(*) FROM source",
    f"SELECT {_SUMS} FROM rollup_narrow_day",  # noqa: S608 - names of our own columns
    "SELECT max(number) FROM price_list",
    "SELECT max(closed_us) FROM closed_month",
)


def read_mark(ledger: Ledger) -> str:
    """What the ledger is at now, in at most 40 letters and digits."""
    from hashlib import sha256

    with ledger.reading() as snapshot:
        rows = [[int(value or 0) for value in row] for one in _STATEMENTS for row in snapshot.rows(one)]
    return sha256(repr(rows).encode()).hexdigest()[:24]


def file_state(file: Path) -> tuple[int, ...]:
    """The sizes and times of a SQLite file and of its log: as long as they stay, nothing was written."""
    state: list[int] = []
    for one in (file, file.with_name(f"{file.name}-wal")):
        try:
            there = one.stat()
        except OSError:
            state += [0, 0]
        else:
            state += [there.st_size, there.st_mtime_ns]
    return tuple(state)

"""How posting fares, for the health page.

Owns: the counts, the last error, the spools that are set aside, and how pauses grow. Not here:
posting, in whichever process. Invariant: nothing heavy is imported, so that the proxy's process can have it.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from gembill.budget_gauges import BudgetGauge
from gembill.spool import Damage
from gembill.usage_counters import UsageCounters

LONGEST_PAUSE_S = 30.0
_SHORTEST_PAUSE_S = 0.25


def next_pause(pause: float, longest: float = LONGEST_PAUSE_S) -> float:
    """Seconds to wait before the next try, after a wait of `pause`: twice as long, `longest` at most."""
    return min(longest, max(_SHORTEST_PAUSE_S, pause * 2))


class StuckSpool(Struct, frozen=True):
    """Why a spool is not posted while others are, and since when (microseconds since 1970, UTC)."""

    reason: str
    since_us: int


@dataclass(slots=True)
class PostingProgress:
    """Events posted and kept among the dead letters since the start, and how the ledger answers.

    `stuck` has the spools that are set aside by their directory; they are tried again and leave it when one is posted.
    `unknown` and `unmetered` are those posted whose usage is not known, or not countable. `dead_letters` are those of
    the ledger that are not records by now, None until it was asked; `damage` is what was found in the spools, as keys
    in the order of finding. `usage` counts the calls of this process's start. `lag_seconds` is how long the newest
    posted event had waited, `prices_checked_on` the newest day on which a price in force was checked, as an ISO date,
    `wal_bytes` the size of the ledger's WAL, which a reader that never ends keeps growing. `gaps` counts the places of
    all spools that the ledger lacks though it has later ones, None before it was asked.
    """

    posted: int = 0
    buried: int = 0
    unknown: int = 0
    unmetered: int = 0
    dead_letters: int | None = None
    gaps: int | None = None
    restarts: int = 0
    damage: dict[Damage, None] = field(default_factory=dict)
    last_error: str | None = None
    last_error_us: int | None = None
    ledger_away: bool = False
    stuck: dict[str, StuckSpool] = field(default_factory=dict)
    usage: UsageCounters = field(default_factory=UsageCounters)
    lag_seconds: float | None = None
    budgets: tuple[BudgetGauge, ...] = ()
    prices_checked_on: str | None = None
    ledger_file: Path | None = None
    wal_bytes: int | None = None
    lacking: str | None = None  # that the ledger lacks what was posted

    def note(self, text: str) -> None:
        """Remember an error, in words fit to be shown."""
        self.last_error, self.last_error_us = text, _now_us()

    def note_budgets(self, budgets: tuple[BudgetGauge, ...]) -> None:
        """How the budgets are now."""
        self.budgets = budgets

    def note_wal(self) -> None:
        """How large the WAL of a SQLite ledger is now."""
        if self.ledger_file is None:
            return
        try:
            self.wal_bytes = self.ledger_file.with_name(f"{self.ledger_file.name}-wal").stat().st_size
        except OSError:  # there is none now, or the folder is away, which posting says
            self.wal_bytes = 0

    def note_lag(self, ended_us: int) -> None:
        """An event whose call ended then is in the ledger now."""
        self.lag_seconds = round(max(0, _now_us() - ended_us) / 1e6, 3)

    def set_aside(self, path: str, reason: str) -> None:
        """A spool is not posted, for this reason; the time is that of the first failure."""
        first = self.stuck.get(path)
        self.stuck = {**self.stuck, path: StuckSpool(reason, first.since_us if first else _now_us())}

    def resume(self, path: str) -> None:
        """A spool was posted."""
        if path in self.stuck:
            self.stuck = {each: why for each, why in self.stuck.items() if each != path}

    def shown_stuck(self) -> list[dict[str, str | None]]:
        """The spools that are set aside, for the health page: directory, reason, and since when in UTC."""
        return [
            {"spool": path, "reason": why.reason, "since": _instant(why.since_us)}
            for path, why in sorted(self.stuck.items())
        ]

    def fail(self, text: str) -> None:
        """The ledger did not take a batch."""
        self.note(text)
        self.ledger_away = True

    def recover(self) -> None:
        """All that was there is posted: the last error is over, unless the ledger lacks what was posted before."""
        if self.lacking is None:
            self.last_error = self.last_error_us = None
        elif self.last_error != self.lacking:
            self.note(self.lacking)
        self.ledger_away = False


def _now_us() -> int:
    return time.time_ns() // 1_000


def _instant(us: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

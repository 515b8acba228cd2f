"""What the proxy's process and the posting process say to each other: a JSON object a line, over pipes.

Owns: the messages and their form. Not here: the two sides (`posting_process`, `posting_supervisor`). Invariant: nothing
heavy is imported; the settings, which may hold a password, travel only this way and never as arguments or variables.
"""

from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from gembill.budget_gauges import BudgetGauge
from gembill.config import Settings
from gembill.posting_progress import StuckSpool
from gembill.spool import Damage
from gembill.usage_counters import Counts

_T = TypeVar("_T", bound=Struct)


class Start(Struct, frozen=True):
    """First to the child: its settings, the level of its log (None leaves logging alone)."""

    settings: Settings
    log_level: int | None


class Spools(Struct, frozen=True):
    """Then the directories it is to post, and up to which number each may be read."""

    own: str
    upto: int
    adopted: dict[str, int]


class More(Struct, frozen=True):
    """Then, when it asks: up to which number the own spool may be read now; at any time: spools adopted later."""

    upto: int
    adopted: dict[str, int] = {}


class Report(Struct, frozen=True, kw_only=True):
    """From the child: the cursor of each spool by directory, the counts of this process, and whether it asks for more.

    `ready` is the first: it has begun well. `refused` says in one sentence why it has not, with an exit code.
    `usage` counts its calls by model.
    """

    ready: bool = False
    refused: str | None = None
    exit_code: int = 1
    posted: dict[str, int] = {}
    count: int = 0
    buried: int = 0
    unknown: int = 0
    unmetered: int = 0
    dead_letters: int | None = None
    gaps: int | None = None
    damage: tuple[Damage, ...] = ()
    last_error: str | None = None
    last_error_us: int | None = None
    ledger_away: bool = False
    stuck: dict[str, StuckSpool] = {}
    usage: Counts = {}
    lag_seconds: float | None = None
    budgets: tuple[BudgetGauge, ...] = ()
    prices_checked_on: str | None = None
    wal_bytes: int | None = None
    asks: bool = False


def line(message: Struct) -> bytes:
    """A message as it travels."""
    return msgspec.json.encode(message, enc_hook=str) + b"\n"


def read(kind: type[_T], text: bytes) -> _T:
    """The message of a line. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(text, type=kind, dec_hook=_path)


def _path(kind: type, value: str) -> Path:
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value)

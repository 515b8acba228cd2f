"""One budget: a limit over a filter and a period.

Owns: the value and which period it is about at an instant. Not here: the text it was written in (`toml`) and sums.
Invariant: exactly one of the two limits is set; shares are millionths of the limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from gembill.period import Period, Unit, containing

WHOLE = 1_000_000  # millionths: the share of a budget that is used up


class BudgetPeriod(StrEnum):
    """How long a budget lasts. `run` is one `gembill run`, whenever it was."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"
    RUN = "run"


class OnUnpriced(StrEnum):
    """What calls without a price make of a budget in dollars: its state unknown, or nothing."""

    UNKNOWN = "unknown"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A rule. `warn_at` and `forecast_at` are shares in millionths; filters that are empty let every call through."""

    name: str
    limit_pico: int | None = None
    limit_tokens: int | None = None
    span: BudgetPeriod
    zone: ZoneInfo
    models: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    code_execution: bool = False
    warn_at: tuple[int, ...] = ()
    forecast_at: int | None = None
    on_unpriced: OnUnpriced = OnUnpriced.UNKNOWN

    @property
    def limit(self) -> int:
        """The limit in its own unit: pico-dollars or tokens."""
        limit = self.limit_tokens if self.limit_pico is None else self.limit_pico
        assert limit is not None
        return limit

    @property
    def in_tokens(self) -> bool:
        """Whether tokens are limited and not money."""
        return self.limit_pico is None

    def period(self, at_us: int) -> Period:
        """The period that holds the instant; `total` and `run` have open ends."""
        unit = Unit.TOTAL if self.span is BudgetPeriod.RUN else Unit(self.span.value)
        return containing(unit, at_us, self.zone)

"""The days of a bill that are compared together.

Owns: how lines that cover several days join them, and which days are still open. Not here: amounts. Invariant: spans do
not overlap, each day of the bill between its first and last is in exactly one of them or is open, and a line's days are
all in one span.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_SETTLED_AFTER = 3  # a day ends 24 hours after it began; Google revises it for up to 48 hours more


@dataclass(frozen=True, slots=True)
class Spans:
    """`starts` has the last day of each span by its first; `open_days` are not compared."""

    starts: dict[int, int]
    open_days: tuple[int, ...]
    _first_of: dict[int, int]

    @classmethod
    def of(cls, intervals: Iterable[tuple[int, int]], now_day: int) -> "Spans":
        """The spans of lines that cover these days, both included. Days without a line are spans of their own."""
        joined: list[list[int]] = []
        for first, last in sorted(set(intervals)):
            if joined and first <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], last)
            else:
                joined += [[day, day] for day in range(joined[-1][1] + 1, first)] if joined else []
                joined.append([first, last])
        settled = {first: last for first, last in joined if last <= now_day - _SETTLED_AFTER}
        open_days = tuple(day for first, last in joined if first not in settled for day in range(first, last + 1))
        return cls(
            settled, open_days, {day: first for first, last in settled.items() for day in range(first, last + 1)}
        )

    def of_day(self, day: int) -> int | None:
        """The first day of the span that has a day; None if it is open or not on the bill."""
        return self._first_of.get(day)

    @property
    def following(self) -> dict[int, int]:
        """The span after each."""
        return dict(pairwise(sorted(self.starts)))

    @property
    def range(self) -> tuple[int, int] | None:
        """The first and the last day compared; None if there is none."""
        return (min(self.starts), max(self.starts.values())) if self.starts else None

"""How far long work is: done, of how much, how fast, and how long it will take yet.

Owns: that line on stderr. Not here: the work. Invariant: on a terminal it is one line that is written over and goes
when the work ends; elsewhere a line every ten seconds, so that a log is not filled; work that is quick says nothing.
"""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_EVERY = 0.5  # seconds between two looks of a terminal's line
_EVERY_LOGGED = 10.0
_FIRST = 1.0  # seconds before there is anything to say of a rate


class Progress:
    """`with Progress("calls", 1000) as progress: progress.reach(500)`. `total` is None where it is not known."""

    def __init__(
        self,
        what: str,
        total: int | None,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._total = what, total
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._clock = clock
        self._began = self._said = clock()
        self._shown = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._clear()

    def reach(self, done: int, more: str = "") -> None:
        """So much is done by now; `more` is said behind it."""
        now = self._clock()
        if now - self._began < _FIRST or now - self._said < (_EVERY if self._live else _EVERY_LOGGED):
            return
        self._said = now
        line = f"gembill: {progress_text(self._what, done, self._total, now - self._began)}{more and f'; {more}'}"
        if self._live:
            self._clear()
            self._stream.write(line)
            self._shown = len(line)
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()

    def _clear(self) -> None:
        if self._shown:
            self._stream.write(f"\r{' ' * self._shown}\r")
            self._stream.flush()
            self._shown = 0


def progress_text(what: str, done: int, total: int | None, seconds: float) -> str:
    """`12,000 of 50,000 calls (24%), 3,000 a second, about 13 s left`."""
    rate = done / seconds if seconds else 0.0
    speed = f"{rate:,.0f} a second" if rate >= 10 else f"{rate:,.1f} a second"
    if total is None or total < done:
        return f"{done:,} {what}, {speed}"
    left = f", about {_span((total - done) / rate)} left" if rate else ""
    return f"{done:,} of {total:,} {what} ({100 * done // max(total, 1)}%), {speed}{left}"


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h {whole % 3600 // 60} min"

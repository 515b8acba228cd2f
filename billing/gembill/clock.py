"""Notice that somebody moved the clock.

Owns: the comparison of the wall clock, which gives calls their time, with one that nobody can set. Not here: the times
of calls: they are kept as the clock gave them, because nobody knows which of two times was right. Invariant: a machine
that slept, leap seconds and a clock that is slewed are no jump; one of more than `JUMP_S` is said once, loudly.
"""

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger("gembill.clock")
JUMP_S = 300.0
LOOK_S = 1.0


def _steady_ns() -> int:
    """A clock that only goes forward, also while the machine sleeps, where there is one."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic_ns()


class ClockWatch:
    """Looks at both clocks once a second from `begin` to `end`. `jumps` counts since the start, `last` says the newest.

    Both functions give nanoseconds.
    """

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = _steady_ns) -> None:
        self.jumps = 0
        self.last: str | None = None
        self._wall_ns, self._steady_ns = wall_ns, steady_ns
        self._offset = self._between()
        self._ended = threading.Event()

    def begin(self) -> None:
        """Look from now on, in a thread."""
        threading.Thread(target=self._run, name="gembill-clock", daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def look(self) -> None:
        """Compare the clocks now with how they were at the last look."""
        offset = self._between()
        moved_s = (offset - self._offset) / 1e9
        self._offset = offset
        if abs(moved_s) <= JUMP_S:
            return
        self.jumps += 1
        way = "forward" if moved_s > 0 else "back"
        self.last = f"the clock of this machine was set {way} by {abs(moved_s):.0f} s; calls have the times it gave"
        _log.error("%s", self.last)

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            self.look()

    def _between(self) -> int:
        return self._wall_ns() - self._steady_ns()

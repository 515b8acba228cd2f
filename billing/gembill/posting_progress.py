"""How posting fares, for the health page.

Owns: the counts, the last error, and how pauses grow. Not here: posting, in whichever process. Invariant: nothing heavy
is imported, so that the proxy's process can have it.
"""

import time
from dataclasses import dataclass

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 30.0


def next_pause(pause: float) -> float:
    """Seconds to wait for what is away, after a wait of `pause`: twice as long, half a minute at most."""
    return min(_LONGEST_PAUSE_S, max(_SHORTEST_PAUSE_S, pause * 2))


@dataclass(slots=True)
class PostingProgress:
    """Events posted and kept among the dead letters since the start, and how the ledger answers."""

    posted: int = 0
    buried: int = 0
    last_error: str | None = None
    last_error_us: int | None = None
    ledger_away: bool = False

    def note(self, text: str) -> None:
        """Remember an error, in words fit to be shown."""
        self.last_error, self.last_error_us = text, time.time_ns() // 1_000

    def fail(self, text: str) -> None:
        """The ledger did not take a batch."""
        self.note(text)
        self.ledger_away = True

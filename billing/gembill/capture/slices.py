"""Long work in short turns.

Owns: how much of a body is read before others have their turn. Not here: the reading. Invariant: whoever waits for the
loop waits for one slice and `PATIENCE` at most, however long the body is or whatever it inflates to.
"""

import time
from collections.abc import Awaitable, Callable, Generator
from types import coroutine

PLAIN = 16 * 1024
PACKED = 128  # bytes that may inflate to a thousand times as many
PATIENCE = 0.01  # seconds of work without a pause


async def in_slices(
    take: Callable[[bytes], object], data: bytes, size: int, each: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Give `data` to `take` in slices of `size` bytes, with pauses for others, one of them at the end.

    `each` is awaited behind every slice.
    """
    until = time.monotonic() + PATIENCE
    for start in range(0, len(data), size):
        take(data[start : start + size])
        if each is not None:
            await each()
        if time.monotonic() >= until:
            await others()
            until = time.monotonic() + PATIENCE
    await others()


@coroutine
def others() -> Generator[None, None, None]:
    """One turn of the loop for others, as asyncio's `sleep(0)` gives it, whose import takes too long here."""
    yield

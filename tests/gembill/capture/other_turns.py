"""Somebody else on the event loop, who counts how often it was their turn.

Invariant: they ask for nothing but the next turn, so that their count is of the turns that the work under test left.
"""

import asyncio


class OtherTurns:
    """`count` turns were left to others since the block was entered."""

    def __init__(self) -> None:
        self.count = 0

    async def __aenter__(self) -> "OtherTurns":
        self._task = asyncio.create_task(self._take())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _take(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)

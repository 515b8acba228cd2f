import asyncio

import pytest

from gembill.errors import SpoolUnwritable
from gembill.spool.patience import Patience


def test_who_waits_too_long_is_given_up_and_the_others_are_not() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        patience = Patience(0.2, lambda: "the disk is silent")
        late, answered = loop.create_future(), loop.create_future()
        waiters = patience.begin(loop, late)
        patience.begin(loop, answered)
        answered.set_result(1)
        with pytest.raises(SpoolUnwritable, match="silent"):
            await late
        assert await answered == 1
        for waiter in (late, answered):
            del waiters[waiter]

    asyncio.run(main())


def test_one_timer_serves_many_and_ends_with_them() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        patience = Patience(0.04, lambda: "")
        looks = []
        look = patience._look
        patience._look = lambda loop: looks.append(look(loop))  # type: ignore[method-assign]
        for _ in range(50):
            waiter = loop.create_future()
            del patience.begin(loop, waiter)[waiter]
        while patience._waiting:
            await asyncio.sleep(0.005)
        assert len(looks) == 1

    asyncio.run(main())

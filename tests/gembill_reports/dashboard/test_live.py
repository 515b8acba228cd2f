"""Live pages: they hear of each change once, nobody watches in vain, and all of it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gembill_reports.dashboard import live as lives
from gembill_reports.dashboard.live import Live
from tests.gembill_reports.dashboard.asking import scope

LIMIT = 30  # seconds that a condition may take on a busy machine


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(lives, "_TICK_SECONDS", 0.001)


class Ledger:
    """A ledger as far as a watch sees it: a mark, a file that was touched or not, and how often the mark was read."""

    def __init__(self) -> None:
        self.mark, self.state, self.reads, self.broken, self.ended = "one", 1, 0, False, False

    def read(self) -> str:
        self.reads += 1
        if self.broken:
            raise OSError
        return self.mark

    def write(self, mark: str) -> None:
        self.mark, self.state = mark, self.state + 1

    def live(self) -> Live:
        return Live(self.read, lambda: self.state, lambda: self.ended)


class Listener:
    """A page that listens, and what it has heard."""

    def __init__(self, live: Live, since: str) -> None:
        self.heard: list[str] = []
        self.status: int | None = None
        self._gone = asyncio.Event()
        self._task = asyncio.create_task(self._listen(live, since))

    async def _listen(self, live: Live, since: str) -> None:
        from starlette.requests import Request

        asked = scope(f"/live?since={since}")
        answer = await live.answer(Request(asked))

        async def receive() -> dict[str, Any]:
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            self.status = message.get("status", self.status)
            self.heard += message.get("body", b"").decode().splitlines()

        await answer(asked, receive, send)

    def marks(self) -> list[str]:
        return [line.removeprefix("data: ") for line in self.heard if line.startswith("data: ")]

    async def leave(self) -> None:
        self._gone.set()
        await asyncio.wait_for(self._task, LIMIT)

    async def ended(self) -> None:
        await asyncio.wait_for(self._task, LIMIT)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0.001)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 4 * LIMIT))  # type: ignore[arg-type]


def test_every_listener_hears_of_a_change_and_of_none_that_it_knows() -> None:
    async def story() -> None:
        ledger = Ledger()
        live = ledger.live()
        fresh, old = Listener(live, "one"), Listener(live, "zero")
        await until(lambda: old.marks() == ["one"])
        ledger.write("two")
        await until(lambda: fresh.marks() == ["two"] and old.marks() == ["one", "two"])
        assert fresh.heard[0] == "retry: 3000"
        await fresh.leave()
        await old.leave()
        assert live.listeners == 0

    run(story)


def test_nothing_is_read_while_nothing_is_touched_or_nobody_listens() -> None:
    async def story() -> None:
        ledger = Ledger()
        live = ledger.live()
        page = Listener(live, "zero")
        await until(lambda: page.marks() == ["one"])
        read = ledger.reads
        ledger.mark = "two"  # the file is not touched: nobody looks
        await asyncio.sleep(0.1)
        assert ledger.reads == read
        ledger.state += 1
        await until(lambda: page.marks() == ["one", "two"])
        await page.leave()
        assert live._watch is not None
        await asyncio.wait_for(live._watch, LIMIT)
        read = ledger.reads
        ledger.write("three")
        await asyncio.sleep(0.1)
        assert ledger.reads == read

    run(story)


def test_whoever_comes_later_is_told_what_the_ledger_is_at_now() -> None:
    async def story() -> None:
        ledger = Ledger()
        live = ledger.live()
        first = Listener(live, "zero")
        await until(lambda: first.marks() == ["one"])
        await first.leave()
        ledger.write("two")
        second = Listener(live, "two")
        await until(lambda: live._mark == "two")
        ledger.write("three")
        await until(lambda: second.marks() == ["three"])
        await second.leave()

    run(story)


def test_a_ledger_that_cannot_be_read_now_is_read_later() -> None:
    async def story() -> None:
        ledger = Ledger()
        ledger.broken = True
        page = Listener(ledger.live(), "zero")
        await until(lambda: ledger.reads > 2)
        assert page.marks() == []
        ledger.broken = False
        await until(lambda: page.marks() == ["one"])
        await page.leave()

    run(story)


def test_all_listeners_end_with_the_server() -> None:
    async def story() -> None:
        ledger = Ledger()
        live = ledger.live()
        pages = [Listener(live, "one") for _ in range(3)]
        await until(lambda: live.listeners == 3)
        ledger.ended = True
        for page in pages:
            await page.ended()
        assert live.listeners == 0

    run(story)


def test_a_listener_comes_back_after_its_time_and_hears_that_the_line_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "_STILL_SECONDS", 0.001)
    monkeypatch.setattr(lives, "_LIFE_SECONDS", 0.3)

    async def story() -> None:
        page = Listener(Ledger().live(), "one")
        await page.ended()
        assert ": still here" in page.heard

    run(story)


def test_the_number_of_listeners_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "LISTENERS", 2)

    async def story() -> None:
        ledger = Ledger()
        live = ledger.live()
        pages = [Listener(live, "one") for _ in range(2)]
        await until(lambda: live.listeners == 2)
        refused = Listener(live, "one")
        await refused.ended()
        assert refused.status == 503
        await live.send_changes("one", asyncio.get_running_loop().create_future(), refused.heard.append)  # too late
        assert (refused.heard, live.listeners) == (["too many pages listen already"], 2)
        for page in pages:
            await page.leave()
        after = Listener(live, "zero")
        await until(lambda: after.marks() == ["one"])
        await after.leave()

    run(story)

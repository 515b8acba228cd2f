"""The loop around posting, with spools of its own and news by hand."""

import asyncio

import pytest

from gembill.errors import LedgerError
from gembill.posting_loop import PostingLoop
from gembill.posting_progress import PostingProgress
from gembill.spool import Spool


class Taker:
    """In the place of a Poster: takes what a spool has, or fails as often as it was told to."""

    def __init__(self, fails: int = 0) -> None:
        self.progress = PostingProgress()
        self.fails = fails
        self.taken: list[str] = []
        self.closed = False

    def drain(self, spool) -> int:
        if self.fails:
            self.fails -= 1
            raise LedgerError("the ledger is away")
        entries = spool.read(spool.posted, 100)
        self.taken += [entry.event_id for entry in entries]
        if entries:
            spool.mark_posted(entries[-1].seq)
        return len(entries)

    def close(self) -> None:
        self.closed = True


class Script:
    """News by plan: what happens at each wait; the end comes after the last."""

    def __init__(self, *steps) -> None:
        self._steps = list(steps)
        self.pauses: list[float] = []
        self.settled = False

    @property
    def ended(self) -> bool:
        return not self._steps

    def wait_for_more(self, seconds):
        self._steps.pop(0)()

    def pause(self, seconds):
        self.pauses.append(seconds)
        if seconds != 0.15 and self._steps:
            self._steps.pop(0)()

    def settle(self):
        self.settled = True


@pytest.fixture
def spool(tmp_path):
    spool = Spool.claim(tmp_path / "spool")
    yield spool
    spool.close()


def nothing() -> None:
    pass


def test_it_posts_what_comes_what_is_adopted_and_what_is_there_at_the_end(spool, tmp_path):
    dead = Spool.claim(tmp_path / "spool")
    dead.append_wait("of the dead", b"")
    spool.append_wait("first", b"")
    taker = Taker()
    news = Script(lambda: spool.append_wait("second", b""), lambda: spool.append_wait("last", b""))
    PostingLoop(taker, spool, [dead], news).run()
    assert taker.taken == ["of the dead", "first", "second", "last"]
    assert taker.closed
    assert news.settled
    assert dead.trouble() == "the spool is closed"


def test_pauses_grow_while_the_ledger_is_away_and_nothing_is_lost(spool, caplog):
    spool.append_wait("a", b"")
    taker, news = Taker(fails=3), Script(*[nothing] * 4)
    PostingLoop(taker, spool, [], news).run()
    assert taker.taken == ["a"]
    growing = [pause for pause in news.pauses if pause != 0.15][:3]
    assert growing == sorted(growing)
    assert growing[2] > 2 * growing[0]
    assert [record.levelname for record in caplog.records][:2] == ["ERROR", "WARNING"]
    assert taker.progress.last_error == "the ledger is away"


def test_a_ledger_that_is_away_at_the_end_leaves_everything_in_the_spool(spool, caplog):
    spool.append_wait("a", b"")
    PostingLoop(Taker(fails=9), spool, [], Script()).run()
    assert "stays in the spool" in caplog.text
    assert spool.posted == 0


def test_a_spool_that_another_process_posts_is_waited_for_and_said_once(spool, tmp_path, caplog):
    other = Spool.claim(tmp_path / "spool")
    other.append_wait("adopted", b"")
    spool.append_wait("own", b"")
    from gembill.spool import SpoolReader

    holder = SpoolReader(other.path)
    assert holder.lock_posting()
    taker = Taker()
    news = Script(nothing, nothing, holder.close, nothing)
    PostingLoop(taker, spool, [other], news).run()
    assert taker.taken == ["own", "adopted"]
    assert caplog.text.count("is still posted by a process of an earlier start") == 1
    assert str(other.path) in taker.progress.last_error


def test_an_end_while_another_process_posts_the_spool_takes_nothing(spool):
    from gembill.spool import SpoolReader

    asyncio.run(spool.append("a", b""))
    holder = SpoolReader(spool.path)
    assert holder.lock_posting()
    taker = Taker()
    PostingLoop(taker, spool, [], Script(nothing)).run()
    assert taker.taken == []
    holder.close()

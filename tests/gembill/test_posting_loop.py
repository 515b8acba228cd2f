"""The loop around posting, with spools of its own and news by hand."""

import asyncio
from itertools import pairwise

import pytest

from gembill.errors import SpoolError
from gembill.ledger import LedgerUnavailable, Selection, SpoolRefused, audit_ledger, open_ledger, read_records
from gembill.posting import Poster
from gembill.posting_loop import LINGER_S, PostingLoop
from gembill.posting_progress import PostingProgress
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import bundled
from gembill.rules.rating import DEFAULT
from gembill.spool import Spool
from tests.gembill.calls import answered


class Taker:
    """In the place of a Poster: takes what a spool has, or fails as often as it was told to."""

    def __init__(self, fails: int = 0) -> None:
        self.progress = PostingProgress()
        self.fails = fails
        self.taken: list[str] = []
        self.refused: list[Spool] = []
        self.tries: list[Spool] = []
        self.closed = False

    def drain(self, spool, most=100) -> int:
        if self.fails:
            self.fails -= 1
            raise LedgerUnavailable("the ledger is away")
        if spool in self.refused:
            self.tries.append(spool)
            raise SpoolRefused("it was cloned")
        entries = spool.read(spool.posted, min(most, 100))
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
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    @property
    def ended(self) -> bool:
        return not self._steps

    def wait_for_more(self, seconds):
        self.seconds += seconds or 0.0
        self._steps.pop(0)()

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.seconds += seconds
        if seconds != 0.15 and self._steps:
            self._steps.pop(0)()

    def settle(self):
        self.settled = True


@pytest.fixture
def spool(tmp_path):
    spool = Spool.claim(tmp_path / "spool")
    yield spool
    spool.close()


@pytest.fixture(autouse=True)
def even(monkeypatch):
    """No chance in the pauses: a factor of 1, the middle of its range."""
    monkeypatch.setattr("gembill.posting_loop.random.uniform", lambda low, high: (low + high) / 2)


def nothing() -> None:
    pass


def test_it_posts_what_comes_what_is_adopted_and_what_is_there_at_the_end(spool, tmp_path):
    dead = Spool.claim(tmp_path / "spool")
    dead.append_wait("of the dead", b"")
    spool.append_wait("first", b"")
    taker = Taker()
    news = Script(lambda: spool.append_wait("second", b""), lambda: spool.append_wait("last", b""))
    PostingLoop(taker, spool, [dead], news).run()
    assert taker.taken == ["first", "of the dead", "second", "last"]
    assert taker.closed
    assert news.settled
    assert dead.trouble() == "the spool is closed"


def test_a_spool_that_is_adopted_later_is_posted_in_the_next_round(spool, tmp_path):
    dead = Spool.claim(tmp_path / "spool")
    dead.append_wait("of the dead", b"")
    spool.append_wait("first", b"")
    taker = Taker()
    loop = PostingLoop(taker, spool, [], news := Script(lambda: loop.adopt(dead), lambda: None))
    loop.run()
    assert taker.taken == ["first", "of the dead"]
    assert (news.settled, dead.trouble()) == (True, "the spool is closed")


def test_pauses_grow_while_the_ledger_is_away_and_nothing_is_lost(spool, caplog):
    spool.append_wait("a", b"")
    seen: list[str | None] = []
    taker = Taker(fails=3)
    news = Script(*[lambda: seen.append(taker.progress.last_error)] * 4)
    PostingLoop(taker, spool, [], news, news.now).run()
    assert taker.taken == ["a"]
    growing = [pause for pause in news.pauses if pause != 0.15][:3]
    assert growing == sorted(growing)
    assert growing[2] > 2 * growing[0]
    assert [record.levelname for record in caplog.records][:2] == ["ERROR", "WARNING"]
    assert seen == ["the ledger is away"] * 3 + [None], "and it is over when all is posted"


def test_a_ledger_that_was_away_for_long_is_posted_to_within_seconds_and_the_log_is_not_filled(spool, caplog):
    spool.append_wait("a", b"")
    news = Script(*[nothing] * 101)
    PostingLoop(taker := Taker(fails=100), spool, [], news, news.now).run()
    assert taker.taken == ["a"]
    tries = [pause for pause in news.pauses if pause != LINGER_S]
    assert (len(tries), max(tries)) == (100, 3.0), "what waits is the calls of all callers"
    lines = [record for record in caplog.records if "the ledger is away" in record.message]
    assert 10 < len(lines) < 20, "as it begins and then twice a minute, in five minutes"


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
    seen: list[str | None] = []
    news = Script(nothing, lambda: seen.append(taker.progress.last_error), holder.close, nothing)
    PostingLoop(taker, spool, [other], news, news.now).run()
    assert taker.taken == ["own", "adopted"]
    assert caplog.text.count("is still posted by a process of an earlier start") == 1
    assert str(other.path) in seen[0]
    assert taker.progress.last_error is None, "it is over when the lock is ours"


def test_an_end_while_another_process_posts_the_spool_takes_nothing(spool):
    from gembill.spool import SpoolReader

    asyncio.run(spool.append("a", b""))
    holder = SpoolReader(spool.path)
    assert holder.lock_posting()
    taker = Taker()
    PostingLoop(taker, spool, [], Script(nothing)).run()
    assert taker.taken == []
    holder.close()


def test_a_spool_that_is_refused_keeps_no_other_back_and_is_tried_again_more_and_more_rarely(spool, tmp_path, caplog):
    clash, well = Spool.claim(tmp_path / "spool"), Spool.claim(tmp_path / "spool")
    clash.append_wait("clash", b"")
    well.append_wait("well", b"")
    spool.append_wait("live", b"")
    taker, news = Taker(), Script(*[nothing] * 6)
    taker.refused = [clash]
    began = [news.seconds]
    drain = taker.drain
    taker.drain = lambda each, most=100: (each is clash and began.append(news.seconds)) or drain(each, most)
    PostingLoop(taker, spool, [clash, well], news, news.now).run()
    assert taker.taken == ["live", "well"]
    pauses = [late - early - LINGER_S for early, late in pairwise(began[1:])][:4]
    assert [late / early for early, late in pairwise(pauses)] == pytest.approx([2, 2, 2])
    assert "ERROR    gembill.posting:posting_loop.py" in caplog.text
    assert f"posting of the spool {clash.path} waits: it was cloned" in caplog.text
    (shown,) = taker.progress.shown_stuck()
    assert (shown["spool"], shown["reason"]) == (str(clash.path), "it was cloned")
    assert not taker.progress.ledger_away
    assert (clash.posted, clash.last) == (0, 1)


def test_a_spool_that_cannot_be_read_is_not_laid_at_the_ledgers_door(spool):
    spool.append_wait("live", b"")
    taker = Taker()

    def unreadable(_spool, _most):
        raise SpoolError("it cannot be read now: Permission denied")

    taker.drain = unreadable
    PostingLoop(taker, spool, [], Script(nothing)).run()
    assert not taker.progress.ledger_away
    assert "cannot be read now: Permission denied" in taker.progress.last_error
    assert [each["spool"] for each in taker.progress.shown_stuck()] == [str(spool.path)]


def test_a_spool_that_is_taken_after_all_is_no_longer_named(spool, tmp_path):
    other = Spool.claim(tmp_path / "spool")
    other.append_wait("mended", b"")
    taker = Taker()
    taker.refused = [other]
    news = Script(nothing, taker.refused.clear, nothing, nothing)
    PostingLoop(taker, spool, [other], news, news.now).run()
    assert taker.taken == ["mended"]
    assert taker.progress.stuck == {}


def test_the_others_have_their_turn_after_a_share_of_a_full_spool(spool, tmp_path, monkeypatch):
    monkeypatch.setattr("gembill.posting_loop._SHARE", 2)
    other = Spool.claim(tmp_path / "spool")
    for name in ("d1", "d2", "d3"):
        other.append_wait(name, b"")
    for name in ("a", "b", "c"):
        spool.append_wait(name, b"")
    taker, news = Taker(), Script(nothing, nothing)
    PostingLoop(taker, spool, [other], news, news.now).run()
    assert taker.taken == ["a", "b", "d1", "d2", "c", "d3"]


def test_an_error_around_the_spools_ends_no_posting(spool, caplog):
    spool.append_wait("a", b"")

    def fault() -> None:
        spool.append_wait("b", b"")
        raise ValueError("what nobody thought of")

    taker, news = Taker(), Script(fault, nothing, nothing)
    PostingLoop(taker, spool, [], news, news.now).run()
    assert taker.taken == ["a", "b"]
    assert "what nobody thought of" in caplog.text


def test_a_restored_spool_leaves_the_live_one_posted_and_is_left_alone_after_a_restart(tmp_path, ledger_url):
    """The places of the restored one hold other events in the ledger."""

    def poster() -> Poster:
        return Poster(lambda: open_ledger(ledger_url), lambda _: PricingTerms(bundled(), DEFAULT))

    restored = Spool.claim(tmp_path / "spool")
    restored.append_wait(*answered(1))
    ledger = open_ledger(ledger_url)
    _place(ledger, restored, 99)
    path = str(restored.path)
    live = Spool.claim(tmp_path / "spool")
    live.append_wait(*answered(2))
    news, each = Script(nothing), poster()
    PostingLoop(each, live, [restored], news, news.now).run()
    assert "`gembill spool renew` gives it a new source_id" in each.progress.stuck[path].reason
    assert live.posted == live.last > 0
    live.close()
    again = Spool.claim(tmp_path / "spool")  # a restart
    assert str(again.path) != path
    assert Spool.adopt(tmp_path / "spool") == []
    assert list(Spool.left_alone(tmp_path / "spool")) == [path]
    again.append_wait(*answered(3))
    news, each = Script(nothing), poster()
    PostingLoop(each, again, [], news, news.now).run()
    again.close()
    ids = sorted(int(stored.record.id[-4:], 16) for stored in read_records(ledger, Selection()))
    assert ids == [2, 3, 99]
    assert audit_ledger(ledger) == []
    ledger.close()


def _place(ledger, spool: Spool, number: int) -> None:
    """Put another call at the first place of a spool in the ledger."""
    from gembill.posting import append, posting
    from gembill.spool import SegmentEntry

    terms = PricingTerms(bundled(), DEFAULT)
    event_id, body = answered(number)
    entry = SegmentEntry(seq=1, event_id=event_id, body=body)
    append(ledger, spool.source_id, [posting(entry, spool.source_id, terms)], terms.rate)

import asyncio
import os
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.errors import SpoolError, SpoolUnwritable
from gembill.spool import Spool, SpoolOptions

SMALL = SpoolOptions(segment_bytes=2_000, retry_s=0.02)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.claim(tmp_path / "spool")
    yield spool
    spool.close(5.0)


def _ids(spool: Spool, after: int = 0) -> list[str]:
    return [entry.event_id for entry in spool.read(after, 100_000)]


def _abandon(spool: Spool) -> None:
    """Let go of the files as a dying process does: nothing is flushed that was not."""
    spool._writer.stop(5.0)
    spool._reader.close()
    spool._directory.release()


def test_what_was_appended_is_read_in_order(spool: Spool) -> None:
    assert [spool.append_wait(f"e{n}", b"body %d" % n) for n in range(5)] == [1, 2, 3, 4, 5]
    entries = spool.read(0, 3)
    assert [(entry.seq, entry.event_id, entry.body) for entry in entries] == [
        (1, "e0", b"body 0"),
        (2, "e1", b"body 1"),
        (3, "e2", b"body 2"),
    ]
    assert [entry.seq for entry in spool.read(3, 10)] == [4, 5]
    assert spool.read(5, 10) == []
    assert spool.read(0, 0) == []


def test_an_intent_is_closed_by_its_final(spool: Spool) -> None:
    async def call() -> int:
        await spool.intend("a", b"asked")
        assert spool.backlog().open_intents == 1
        return await spool.append("a", b"answered")

    assert asyncio.run(call()) == 1
    assert spool.backlog().open_intents == 0
    assert _ids(spool) == ["a"]


def test_the_same_intent_twice_is_one(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)

    async def ask() -> None:
        await asyncio.gather(spool.intend("a", b"1"), spool.intend("a", b"1"))
        await spool.intend("a", b"1")

    asyncio.run(ask())
    _abandon(spool)
    again = Spool.claim(tmp_path)
    assert [lost.event_id for lost in again.lost] == ["a"]
    again.close(5.0)


def test_an_intent_without_its_final_comes_back_as_lost_until_it_is_appended(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)

    async def two() -> None:
        await spool.intend("ended", b"1")
        await spool.intend("open", b"what was asked")
        await spool.append("ended", b"2")

    asyncio.run(two())
    source = spool.source_id
    _abandon(spool)
    for _ in range(2):  # an opening alone does not forget it
        spool = Spool.claim(tmp_path)
        assert spool.source_id == source
        assert [(lost.event_id, lost.body) for lost in spool.lost] == [("open", b"what was asked")]
        assert spool.backlog().open_intents == 1
        spool.close(5.0)
    spool = Spool.claim(tmp_path)
    assert spool.append_wait("open", b"lost") == 2
    spool.close(5.0)
    spool = Spool.claim(tmp_path)
    assert spool.lost == ()
    assert _ids(spool) == ["ended", "open"]
    spool.close(5.0)


def test_a_cancelled_intent_is_taken_back(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)

    async def give_up() -> None:
        tasks = [asyncio.ensure_future(spool.intend(f"c{n}", b"x")) for n in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        late = asyncio.ensure_future(spool.intend("late", b"x"))
        await asyncio.sleep(0)
        time.sleep(0.2)  # it is on disk before the loop hears of the cancelling
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)

    asyncio.run(give_up())
    spool.append_wait("end", b"")
    assert spool.backlog().open_intents == 25
    _abandon(spool)
    again = Spool.claim(tmp_path)
    assert sorted(lost.event_id for lost in again.lost) == sorted(f"c{n}" for n in range(1, 50, 2))
    again.close(5.0)


def test_a_completion_outlives_the_withdrawal_of_its_intent_in_one_group(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)

    async def both() -> None:
        await spool.intend("a", b"asked")
        spool.withdraw("a")
        await spool.append("a", b"asked and answered")

    asyncio.run(both())
    _abandon(spool)
    again = Spool.claim(tmp_path)
    assert [entry.body for entry in again.read(0, 10)] == [b"asked and answered"]
    assert again.lost == ()
    again.close(5.0)


def test_a_cancelled_append_is_written_all_the_same(spool: Spool) -> None:
    async def give_up() -> None:
        task = asyncio.ensure_future(spool.append("kept", b"x"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    spool.append_wait("next", b"y")
    assert _ids(spool) == ["kept", "next"]


def test_sequence_numbers_have_no_gap_under_threads_and_loops(spool: Spool) -> None:
    async def many(name: str) -> list[int]:
        return await asyncio.gather(*(spool.append(f"{name}-{n}", b"x" * n) for n in range(200)))

    with ThreadPoolExecutor(8) as pool:
        loops = [pool.submit(asyncio.run, many(f"loop{n}")) for n in range(3)]
        threads = [pool.submit(spool.append_wait, f"thread-{n}", b"y") for n in range(200)]
        seqs = [seq for loop in loops for seq in loop.result()] + [thread.result() for thread in threads]
    assert sorted(seqs) == list(range(1, 801))
    assert [entry.seq for entry in spool.read(0, 1000)] == list(range(1, 801))


def test_two_claims_get_two_spools_and_a_restart_gets_its_own_back(tmp_path: Path) -> None:
    first, second = Spool.claim(tmp_path), Spool.claim(tmp_path)
    assert first.source_id != second.source_id
    assert 0 < first.source_id < 2**63
    kept = first.source_id
    first.close(5.0)
    third = Spool.claim(tmp_path)
    assert third.source_id == kept
    second.close(5.0)
    third.close(5.0)


def test_adopt_takes_what_dead_workers_left_and_nothing_else(tmp_path: Path) -> None:
    spools = [Spool.claim(tmp_path) for _ in range(4)]
    living, empty, unposted, lost = spools
    unposted.append_wait("u", b"1")
    asyncio.run(lost.intend("l", b"2"))
    living.append_wait("mine", b"3")
    for dead in (empty, unposted, lost):
        _abandon(dead)
    adopted = {spool.source_id: spool for spool in Spool.adopt(tmp_path)}
    assert set(adopted) == {unposted.source_id, lost.source_id}
    assert _ids(adopted[unposted.source_id]) == ["u"]
    assert [x.event_id for x in adopted[lost.source_id].lost] == ["l"]
    for spool in (living, *adopted.values()):
        spool.close(5.0)
    own = Spool.claim(tmp_path)
    own.close(5.0)


def test_the_cursor_survives_and_its_loss_only_repeats(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    for n in range(10):
        spool.append_wait(f"e{n}", b"x")
    spool.mark_posted(7)
    spool.mark_posted(3)
    assert spool.posted == 7
    directory = spool._directory.path
    _abandon(spool)
    spool = Spool.claim(tmp_path)
    assert spool.posted == 7
    assert spool.backlog().unposted == 10 - 7
    spool.close(5.0)
    (directory / "posted").write_bytes(b"nonsense")
    spool = Spool.claim(tmp_path)
    assert spool.posted == 0
    assert spool.append_wait("more", b"x") == 11
    spool.close(5.0)


def test_the_backlog_tells_how_much_and_since_when(spool: Spool) -> None:
    before = time.time_ns() // 1000
    spool.append_wait("a", os.urandom(1000))
    between = time.time_ns() // 1000
    spool.append_wait("b", os.urandom(1000))
    backlog = spool.backlog()
    assert (backlog.unposted, backlog.waiting_in_memory) == (2, 0)
    assert 2000 <= backlog.bytes < 4000
    assert backlog.oldest_us is not None
    assert before <= backlog.oldest_us <= between
    spool.mark_posted(1)
    oldest = spool.backlog().oldest_us
    assert oldest is not None
    assert oldest >= between
    spool.mark_posted(2)
    assert spool.backlog().oldest_us is None
    assert spool.backlog().bytes == 0


def test_wait_returns_when_something_arrives(spool: Spool) -> None:
    assert spool.wait(0.01) is False
    timer = threading.Timer(0.1, spool.append_wait, ("a", b"x"))
    timer.start()
    assert spool.wait(600.0) is True  # longer than a test may take
    timer.join()
    spool.mark_posted(1)
    assert spool.wait(0.0) is False


def test_below_the_floor_of_free_space_no_call_is_admitted(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SpoolOptions(min_free_bytes=2**60))
    with pytest.raises(SpoolUnwritable, match=f"less than the floor of {2**60}"):
        spool.check()
    spool.append_wait("under way", b"the floor is for new calls, not for answers")
    spool.close(5.0)


def test_at_the_cap_no_call_is_admitted_until_something_is_posted(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SpoolOptions(max_bytes=3000))
    spool.check()
    seq = spool.append_wait("big", os.urandom(4000))
    spool._probed_at -= 1.0
    with pytest.raises(SpoolUnwritable, match="its cap is 3000"):
        spool.check()
    spool.mark_posted(seq)
    spool._probed_at -= 1.0
    spool.check()
    spool.close(5.0)


@pytest.mark.parametrize("kind", ["file", "below a file"])
def test_a_root_that_is_not_a_directory_is_one_clear_error(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("x")
    root = tmp_path / "file" if kind == "file" else tmp_path / "file" / "spool"
    with pytest.raises(SpoolError, match=f"cannot live in {root}.*name a directory we can write"):
        Spool.claim(root)


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        spool = Spool.claim(tmp_path / "spool")
        spool.append_wait("a", b"x")
        spool.mark_posted(1)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "spool").rglob("*") if path.is_file()}
        directories = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "spool", spool._directory.path)}
        spool.close(5.0)
    finally:
        os.umask(old)
    assert modes == {0o600}
    assert directories == {0o700}


def test_a_spool_that_cannot_be_opened_is_set_aside_and_stops_no_start(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    spool.append_wait("a", b"x")
    path = spool._directory.path
    spool.close(5.0)
    (path / "lock").unlink()
    (path / "lock").mkdir()
    other = Spool.claim(tmp_path)
    assert other.source_id != spool.source_id
    assert len(list(tmp_path.glob(f"{path.name}.damaged-*"))) == 1
    other.close(5.0)


def test_a_closed_spool_takes_nothing(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    spool.close(5.0)
    spool.close(5.0)
    assert spool.trouble() == "the spool is closed"
    with pytest.raises(SpoolUnwritable, match="closed"):
        spool.append_wait("a", b"x")
    with pytest.raises(SpoolUnwritable, match="closed"):
        asyncio.run(spool.intend("a", b"x"))


def test_an_entry_that_no_file_takes_is_refused_by_itself(spool: Spool) -> None:
    with pytest.raises(SpoolError, match="not text"):
        spool.append_wait("\ud800", b"x")
    with pytest.raises(SpoolError, match="takes at most"):
        spool.append_wait("a", bytes(17 * 1024 * 1024))
    assert spool.append_wait("a", b"\x00\xff") == 1


steps = st.lists(
    st.one_of(
        st.tuples(st.just("intend"), st.integers(0, 5)),
        st.tuples(st.just("append"), st.integers(0, 5)),
        st.tuples(st.just("post"), st.integers(0, 30)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(steps=steps)
def test_any_history_reads_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    root = tmp_path_factory.mktemp("spool")
    spool = Spool.claim(root, SMALL)
    completions: list[tuple[int, str, bytes]] = []
    opened: set[str] = set()
    posted = 0
    for number, (step, which) in enumerate(steps):
        name, body = f"e{which}", b"%d" % number + os.urandom(300)
        if step == "intend":
            asyncio.run(spool.intend(name, body))
            opened.add(name)
        elif step == "append":
            completions.append((spool.append_wait(name, body), name, body))
            opened.discard(name)
        elif step == "post":
            posted = max(posted, min(which, len(completions)))
            spool.mark_posted(posted)
        else:
            _abandon(spool)
            spool = Spool.claim(root, SMALL)
            assert {lost.event_id for lost in spool.lost} == opened
    assert [(e.seq, e.event_id, e.body) for e in spool.read(0, 1000)] == completions
    assert [seq for seq, _, _ in completions] == list(range(1, len(completions) + 1))
    assert spool.backlog().unposted == len(completions) - posted
    assert spool.backlog().open_intents == len(opened)
    assert spool.damage() == ()
    spool.close(5.0)

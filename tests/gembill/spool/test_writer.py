"""The writer against disks that say no, locks, and `kill -9`."""

import asyncio
import contextlib
import errno
import itertools
import os
import random
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gembill.errors import SpoolUnwritable
from gembill.spool import Spool, SpoolOptions
from gembill.spool.segment import Segment

EAGER = SpoolOptions(min_free_bytes=0, retry_s=0.02)

CHILD = """
    import asyncio, sys
    from pathlib import Path
    from gembill.spool import Spool, SpoolOptions

    spool = Spool.claim(Path(sys.argv[1]), SpoolOptions(segment_bytes=40_000))
    tag = sys.argv[2]
    for lost in spool.lost:
        print("completion", spool.append_wait(lost.event_id, b"lost"), lost.event_id, flush=True)

    async def client(number):
        for turn in range(1_000_000):
            name = f"{tag}-{number}-{turn}"
            await spool.intend(name, b"intent")
            print("intent", 0, name, flush=True)
            print("completion", await spool.append(name, name.encode() * 5), name, flush=True)

    async def main():
        await asyncio.gather(*(client(number) for number in range(16)))

    asyncio.run(main())
"""


def _wait_for(condition: Any, seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.01)


def _kill_under_load(root: Path, tag: str, seconds: float) -> list[list[str]]:
    """What a child printed as acknowledged until it was killed; a torn last line is left out."""
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(root), tag]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[4]) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        timer = threading.Timer(seconds, child.send_signal, (signal.SIGKILL,))
        timer.start()
        text = first + child.stdout.read()
        timer.join()
        child.wait()
    assert child.returncode == -signal.SIGKILL
    return [line.split() for line in text.decode().split("\n")[:-1]]


def test_ten_kills_under_load_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    completions: dict[str, int] = {}
    intents: set[str] = set()
    for turn in range(10):
        for kind, seq, name in _kill_under_load(tmp_path, f"r{turn}", chance.uniform(0.05, 0.3)):
            if kind == "completion":
                completions[name] = int(seq)
            else:
                intents.add(name)
    spool = Spool.claim(tmp_path)
    entries = spool.read(0, 1_000_000)
    read = {entry.event_id: entry.seq for entry in entries}
    assert len(completions) > 100
    assert len(list(tmp_path.glob("[0-9a-f]*"))) == 1  # each child got the spool of the one before it
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert len(read) == len(entries)
    assert completions.items() <= read.items()
    assert intents <= read.keys() | {lost.event_id for lost in spool.lost}
    assert spool.damage() == ()
    spool.close(5.0)


@contextlib.contextmanager
def _tmpfs(path: Path, size: str) -> Iterator[None]:
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(path)]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def _fill(spool: Spool, body: bytes) -> list[str]:
    """Append until the disk refuses; the ids, the last of them refused."""
    names: list[str] = []
    for number in range(100_000):
        names.append(f"e{number}")
        try:
            spool.append_wait(names[-1], body)
        except SpoolUnwritable:
            return names
    raise AssertionError("the disk never filled")


def _check_full_disk(spool: Spool, make_room: Any) -> None:
    asyncio.run(spool.intend("open", b"asked before the disk was full"))
    names = _fill(spool, os.urandom(3000))
    assert spool.trouble() is not None
    with pytest.raises(SpoolUnwritable, match="cannot take records"):
        spool.check()
    with pytest.raises(SpoolUnwritable):
        asyncio.run(spool.intend("refused", b"x"))
    for name in ("open", "later"):
        names.append(name)
        with pytest.raises(SpoolUnwritable):
            spool.append_wait(name, b"answer" * 100)
    assert spool.backlog().waiting_in_memory == 3
    assert len(spool.read(0, 100_000)) == len(names) - 3  # what was posted before the fault can still be read
    make_room()
    _wait_for(lambda: spool.trouble() is None)
    spool.check()
    assert spool.append_wait("after", b"x") == len(names) + 1
    assert [entry.event_id for entry in spool.read(0, 100_000)] == [*names, "after"]
    assert spool.backlog().waiting_in_memory == spool.backlog().open_intents == 0


def test_a_full_disk_refuses_intents_and_keeps_finals_until_there_is_room(tmp_path: Path) -> None:
    with _tmpfs(tmp_path / "disk", "2m"):
        ballast = tmp_path / "disk" / "ballast"
        ballast.write_bytes(bytes(1_000_000))
        spool = Spool.claim(tmp_path / "disk" / "spool", EAGER)
        _check_full_disk(spool, ballast.unlink)
        spool.close(5.0)
        again = Spool.claim(tmp_path / "disk" / "spool", EAGER)
        entries = again.read(0, 100_000)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert (again.lost, again.damage()) == ((), ())
        again.close(5.0)


def _fill_up(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_start_on_a_full_disk_reads_what_is_there_and_recovers(tmp_path: Path) -> None:
    with _tmpfs(tmp_path / "disk", "2m"):
        root, ballast = tmp_path / "disk" / "spool", tmp_path / "disk" / "ballast"
        _kill_under_load(root, "k", 0.03)  # longer, and it would fill the disk itself
        _fill_up(ballast)
        spool = Spool.claim(root, EAGER)
        _fill_up(ballast)  # the opening closed a log, which gave room back
        entries = spool.read(0, 100_000)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert len(entries) > 0
        with pytest.raises(SpoolUnwritable):
            spool.append_wait("new", b"x" * 100)
        ballast.unlink()
        _wait_for(lambda: spool.trouble() is None)
        _wait_for(lambda: [e.event_id for e in spool.read(len(entries), 10)] == ["new"])
        assert spool.damage() == ()
        spool.close(5.0)


def test_a_limit_of_file_size_is_met_like_a_full_disk(tmp_path: Path) -> None:
    """The same on machines where nothing can be mounted: RLIMIT_FSIZE gives EFBIG."""
    spool = Spool.claim(tmp_path, EAGER)
    spool.append_wait("first", b"x")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        with pytest.raises(SpoolUnwritable):
            spool.append_wait("second", os.urandom(50_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    _wait_for(lambda: spool.trouble() is None)
    assert [entry.event_id for entry in spool.read(0, 10)] == ["first", "second"]
    spool.close(5.0)


class _Failing:
    """A disk that answers a group by plan: "before" nothing is durable, "after" the group is on disk."""

    plan: Iterator[str] = iter(())


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> type[_Failing]:
    """The disk's answers by plan. Only the outcome of a write is stood in for; the files are real."""
    write = Segment.write

    def planned(segment: Segment, group: Sequence[bytes], header: bytes = b"") -> None:
        fate = next(_Failing.plan, "well")
        if fate != "before":
            write(segment, group, header)
        if fate != "well":
            raise OSError(errno.EIO, "disk I/O error")

    monkeypatch.setattr(Segment, "write", planned)
    _Failing.plan = iter(())
    return _Failing


@pytest.mark.parametrize("fates", list(itertools.product(["before", "after"], repeat=2)))
def test_after_an_unclear_commit_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path, failing: type[_Failing], fates: tuple[str, str]
) -> None:
    spool = Spool.claim(tmp_path, EAGER)
    asyncio.run(spool.intend("open", b"asked"))
    spool.append_wait("one", b"1")
    failing.plan = iter(fates)
    with pytest.raises(SpoolUnwritable, match="disk I/O error"):
        spool.append_wait("two", b"2")
    _wait_for(lambda: spool.trouble() is None)
    assert spool.append_wait("three", b"3") == 3
    failing.plan = iter(["after"])
    with pytest.raises(SpoolUnwritable, match="disk I/O error"):
        asyncio.run(spool.intend("refused", b"x"))
    _wait_for(lambda: spool.trouble() is None)
    for _ in range(2):
        assert [(e.seq, e.event_id) for e in spool.read(0, 10)] == [(1, "one"), (2, "two"), (3, "three")]
        spool.close(5.0)
        spool = Spool.claim(tmp_path, EAGER)
        assert [lost.event_id for lost in spool.lost] == ["open"]
    spool.close(5.0)


def test_a_final_that_was_committed_before_the_crash_is_read_once(tmp_path: Path, failing: type[_Failing]) -> None:
    spool = Spool.claim(tmp_path, SpoolOptions(retry_s=60.0))
    asyncio.run(spool.intend("two", b"asked"))
    spool.append_wait("one", b"1")
    failing.plan = iter(["after", *["before"] * 100])
    with pytest.raises(SpoolUnwritable):
        spool.append_wait("two", b"2")
    assert [e.event_id for e in spool.read(0, 10)] == ["one"]
    spool.close(0.1)
    failing.plan = iter(())
    again = Spool.claim(tmp_path)
    assert again.lost == ()
    assert again.append_wait("three", b"3") == 3
    assert [e.event_id for e in again.read(0, 10)] == ["one", "two", "three"]
    again.close(5.0)


def test_a_final_given_again_while_it_is_kept_is_written_once(tmp_path: Path, failing: type[_Failing]) -> None:
    spool = Spool.claim(tmp_path, EAGER)
    failing.plan = iter(["before"])
    for _ in range(3):
        with contextlib.suppress(SpoolUnwritable):
            spool.append_wait("a", b"1")
            break
    _wait_for(lambda: spool.trouble() is None)
    assert [e.event_id for e in spool.read(0, 10)] == ["a"]
    spool.close(5.0)


def test_memory_for_finals_is_bounded(tmp_path: Path, failing: type[_Failing], caplog: Any) -> None:
    spool = Spool.claim(tmp_path, SpoolOptions(retry_s=60.0, kept=3))
    failing.plan = itertools.repeat("before")
    for n in range(5):
        with pytest.raises(SpoolUnwritable):
            spool.append_wait(f"e{n}", b"x")
    assert spool.backlog().waiting_in_memory == 3
    assert "the completion of e3 finds no room in memory" in caplog.text
    failing.plan = iter(())
    spool.close(5.0)
    again = Spool.claim(tmp_path)
    assert [e.event_id for e in again.read(0, 10)] == ["e0", "e1", "e2"]
    again.close(5.0)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that does not answer once the event is cleared, until it is set."""
    write, answers = Segment.write, threading.Event()
    answers.set()

    def wait(segment: Segment, group: Sequence[bytes], header: bytes = b"") -> None:
        answers.wait(30.0)
        write(segment, group, header)

    monkeypatch.setattr(Segment, "write", wait)
    yield answers
    answers.set()


def test_a_disk_that_pauses_is_waited_for(tmp_path: Path, silent: threading.Event) -> None:
    spool = Spool.claim(tmp_path)
    spool.append_wait("a", b"x")
    silent.clear()
    timer = threading.Timer(0.3, silent.set)
    timer.start()
    assert spool.append_wait("b", b"x") == 2
    timer.join()
    assert spool.trouble() is None
    spool.close(5.0)


def test_a_disk_that_stays_silent_refuses_after_the_patience_and_then_goes_on(
    tmp_path: Path, silent: threading.Event
) -> None:
    spool = Spool.claim(tmp_path, SpoolOptions(patience_s=0.2, min_free_bytes=0))
    spool.append_wait("a", b"x")
    silent.clear()
    with pytest.raises(SpoolUnwritable, match="has not answered"):
        asyncio.run(spool.intend("b", b"x"))
    with pytest.raises(SpoolUnwritable, match="has not answered"):
        spool.check()
    with pytest.raises(SpoolUnwritable, match="has not answered"):
        spool.append_wait("late", b"kept all the same")
    silent.set()
    _wait_for(lambda: spool.trouble() is None)
    assert spool.append_wait("c", b"x") == 3
    assert [e.event_id for e in spool.read(0, 10)] == ["a", "late", "c"]
    assert spool.backlog().open_intents == 0  # who gave up does not call, so its intent was taken back
    spool.close(5.0)


def test_a_group_is_one_call_into_the_loop_and_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool.claim(tmp_path)
    syncs, calls = [], []
    sync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda handle: syncs.append(handle) or sync(handle))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        threadsafe = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *given: calls.append(given) or threadsafe(*given))
        names = [f"e{n}" for n in range(300)]
        await asyncio.gather(*(spool.intend(name, b"x") for name in names))
        await asyncio.gather(*(spool.append(name, b"x") for name in names))

    asyncio.run(main())
    spool.close(5.0)
    assert len(calls) == len(syncs) < 60


def test_a_disk_that_is_nearly_full_gets_back_what_is_posted_the_oldest_first(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SpoolOptions(segment_bytes=1_000, min_free_bytes=2**60))
    for n in range(1, 21):
        spool.append_wait(f"e{n}", os.urandom(400))
    there = sorted(spool.path.glob("*.seg"))
    firsts = [int(path.stem.partition("-")[2]) for path in there]
    assert len(firsts) > 4
    assert spool._segments.shed(0) is None, "nothing is posted"
    spool.mark_posted(firsts[2] - 1)
    assert spool._segments.shed(spool.posted) in (there[0], there[1], None), "the writer may have been quicker"
    _wait_for(lambda: sorted(spool.path.glob("*.seg")) == there[2:])
    assert [entry.seq for entry in spool.read(firsts[2] - 1, 30)] == list(range(firsts[2], 21))
    spool.close(5.0)

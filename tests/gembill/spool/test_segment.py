import asyncio
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.spool import Spool
from gembill.spool import segment as segment_module
from gembill.spool.segment import Segment, SegmentEmpty, SegmentReader, checksum, files
from gembill.spool.segments import JUMP

FINALS = 40


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root as `kill -9` leaves it: 40 completions, one commit each, all of them still in the log."""
    root = tmp_path_factory.mktemp("crashed")
    spool = Spool.claim(root / "live")
    asyncio.run(spool.intend("open", b"x"))
    for n in range(1, FINALS + 1):
        spool.append_wait(f"e{n}", b"body %d " % n * 30)
    shutil.copytree(root / "live", root / "dead", ignore=shutil.ignore_patterns("*-shm"))
    spool.close(5.0)
    return root / "dead"


def _reopen(crashed: Path, root: Path, harm: Callable[[Path], None]) -> Spool:
    shutil.copytree(crashed, root)
    (wal,) = root.glob("*/*.db-wal")
    harm(wal)
    return Spool.claim(root)


def test_a_log_cut_anywhere_keeps_whole_earlier_finals_and_never_stops_the_start(crashed: Path, tmp_path: Path) -> None:
    chance = random.Random(10)
    size = next(crashed.glob("*/*.db-wal")).stat().st_size
    for number in range(60):
        cut = chance.randrange(size)
        spool = _reopen(crashed, tmp_path / f"cut{number}", partial(_truncate, size=cut))
        seqs = [entry.seq for entry in spool.read(0, 1000)]
        assert seqs == list(range(1, len(seqs) + 1))
        assert spool.append_wait("next", b"x") == len(seqs) + 1
        spool.close(5.0)


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def test_junk_behind_the_log_is_ignored(crashed: Path, tmp_path: Path) -> None:
    for number in range(20):
        junk = random.Random(number).randbytes(random.Random(number).randrange(1, 20_000))
        spool = _reopen(crashed, tmp_path / f"junk{number}", partial(_append, junk=junk))
        assert [entry.seq for entry in spool.read(0, 1000)] == list(range(1, FINALS + 1))
        assert spool.damage() == ()
        assert [lost.event_id for lost in spool.lost] == ["open"]
        spool.close(5.0)


def _append(path: Path, junk: bytes) -> None:
    with path.open("ab") as file:
        file.write(junk)


def test_one_flipped_byte_in_the_log_is_noticed_and_no_number_is_given_twice(crashed: Path, tmp_path: Path) -> None:
    chance = random.Random(11)
    size = next(crashed.glob("*/*.db-wal")).stat().st_size
    for number in range(40):
        at = chance.randrange(size) if number > 4 else 6 * number
        spool = _reopen(crashed, tmp_path / f"flip{number}", partial(_flip, at=at))
        seqs = [entry.seq for entry in spool.read(0, 1000)]
        assert seqs == list(range(1, len(seqs) + 1))
        if len(seqs) < FINALS:
            assert "committed frames to damage" in spool.damage()[0].reason
            assert spool.append_wait("next", b"x") > JUMP
            assert list((tmp_path / f"flip{number}").glob("*/*.damaged-wal"))
        spool.close(5.0)


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_flipped_byte_anywhere_in_a_closed_segment_never_gives_a_wrong_body(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path / "whole")
    for n in range(1, FINALS + 1):
        spool.append_wait(f"e{n}", b"body %d " % n * 30)
    spool.close(5.0)
    truth = {(n, f"e{n}", b"body %d " % n * 30) for n in range(1, FINALS + 1)}
    chance = random.Random(12)
    for number in range(40):
        root = tmp_path / f"flip{number}"
        shutil.copytree(tmp_path / "whole", root)
        (path,) = root.glob("*/*.db")
        _flip(path, chance.randrange(path.stat().st_size))
        spool = Spool.claim(root)
        entries_read = {(entry.seq, entry.event_id, entry.body) for entry in spool.read(0, 1000)}
        assert entries_read <= truth
        assert entries_read == truth or spool.damage()
        spool.close(5.0)


def test_a_damaged_intent_is_reported_and_not_handed_out(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    asyncio.run(spool.intend("good", b"a good intent"))
    asyncio.run(spool.intend("bad", b"a bad intent"))
    spool.close(5.0)
    (path,) = tmp_path.glob("*/*.db")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"a bad intent", b"a mad intent"))
    spool = Spool.claim(tmp_path)
    assert [lost.event_id for lost in spool.lost] == ["good"]
    assert "1 open intents" in spool.damage()[0].reason
    spool.close(5.0)


def test_a_segment_that_was_never_begun_is_not_taken_for_a_damaged_one(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    segment = Segment.begin(path, source_id=7, first_seq=1, wait_s=1.0)
    with pytest.raises(SegmentEmpty):
        SegmentReader(path, source_id=7, wait_s=1.0)
    segment.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_crash_while_a_segment_was_being_made_leaves_nothing_behind(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    spool.append_wait("a", b"x")
    spool.close(5.0)
    path = spool._directory.path / f"00000002-{2:020d}.db"
    Segment.begin(path, source_id=spool.source_id, first_seq=2, wait_s=1.0).close()
    spool = Spool.claim(tmp_path)
    assert not path.exists()
    assert spool.damage() == ()
    assert spool.append_wait("b", b"x") == 2
    spool.close(5.0)


@settings(max_examples=20, deadline=None)
@given(counts=st.lists(st.integers(0, 300), min_size=1, max_size=4))
def test_any_number_of_rows_fits_one_transaction(tmp_path_factory: pytest.TempPathFactory, counts: list[int]) -> None:
    path = tmp_path_factory.mktemp("segment") / "a.db"
    segment = Segment.begin(path, source_id=7, first_seq=1, wait_s=1.0)
    seq = 0
    for count in counts:
        bodies = [b"%d" % n for n in range(seq + 1, seq + count + 1)]
        rows = [(seq + 1 + n, 0, "e", body, checksum("e", body)) for n, body in enumerate(bodies)]
        segment.write([(row[0], *row[2:]) for row in rows], rows, [])
        segment.write([], [], [row[0] for row in rows])
        seq += count
    reader = SegmentReader(path, source_id=7, wait_s=1.0)
    assert [row[0] for row in reader.completions(0, seq, 10_000).rows] == list(range(1, seq + 1))
    assert reader.contents(1, intents=True).intents == ()
    assert reader.contents(1, intents=True).last_seq == seq
    reader.close()
    segment.close()


def test_an_unsafe_sqlite_gets_the_rollback_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_module, "version", (3, 40, 1))
    spool = Spool.claim(tmp_path)
    asyncio.run(spool.intend("a", b"x"))
    assert [spool.append_wait(name, b"x") for name in "ab"] == [1, 2]
    assert [entry.event_id for entry in spool.read(0, 10)] == ["a", "b"]
    (path,) = tmp_path.glob("*/*.db")
    assert path.read_bytes()[18:20] == b"\x01\x01"  # the header's versions: 1 is the rollback journal, 2 is WAL
    assert not files(path)[1].exists()
    spool.close(5.0)

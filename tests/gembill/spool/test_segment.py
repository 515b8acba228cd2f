import asyncio
import os
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gembill.spool import Spool, frames
from gembill.spool import segment as segment_module
from gembill.spool.frames import Header
from gembill.spool.segment import Segment, SegmentReader
from gembill.spool.segments import JUMP
from tests.gembill.spool.harm import flip

FINALS = 40


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root as `kill -9` leaves it: an open intent and 40 completions, a group each."""
    root = tmp_path_factory.mktemp("crashed")
    spool = Spool.claim(root / "live")
    asyncio.run(spool.intend("open", b"x"))
    for n in range(1, FINALS + 1):
        spool.append_wait(f"e{n}", b"body %d %s" % (n, random.Random(n).randbytes(200)))
    shutil.copytree(root / "live", root / "dead")
    spool.close(5.0)
    return root / "dead"


def _reopen(crashed: Path, root: Path, harm: Callable[[Path], None]) -> Spool:
    shutil.copytree(crashed, root, ignore=shutil.ignore_patterns("lock"))  # else it would be known as a copy
    (segment,) = root.glob("*/*.seg")
    harm(segment)
    return Spool.claim(root)


def test_a_segment_cut_anywhere_keeps_what_is_before_the_cut_and_never_stops_the_start(
    crashed: Path, tmp_path: Path
) -> None:
    chance = random.Random(10)
    size = next(crashed.glob("*/*.seg")).stat().st_size
    for number in range(60):
        spool = _reopen(crashed, tmp_path / f"cut{number}", partial(_truncate, size=chance.randrange(size)))
        seqs = [entry.seq for entry in spool.read(0, 1000)]
        assert seqs == list(range(1, len(seqs) + 1))
        assert spool.append_wait("next", b"x") == len(seqs) + 1
        assert spool.damage() == ()
        spool.close(5.0)


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def test_zeros_behind_the_end_are_a_write_that_never_came(crashed: Path, tmp_path: Path) -> None:
    spool = _reopen(crashed, tmp_path / "zeros", partial(_append, junk=bytes(4096)))
    assert [entry.seq for entry in spool.read(0, 1000)] == list(range(1, FINALS + 1))
    assert spool.damage() == ()
    assert spool.append_wait("next", b"x") == FINALS + 1
    spool.close(5.0)


def test_junk_behind_the_end_is_named_and_nothing_before_it_is_lost(crashed: Path, tmp_path: Path) -> None:
    for number in range(20):
        junk = random.Random(number).randbytes(random.Random(number).randrange(100, 20_000))
        spool = _reopen(crashed, tmp_path / f"junk{number}", partial(_append, junk=junk))
        assert [entry.seq for entry in spool.read(0, 1000)] == list(range(1, FINALS + 1))
        assert next(damage.reason for damage in spool.damage()).startswith("the last ")
        assert [lost.event_id for lost in spool.lost] == ["open"]
        assert spool.append_wait("next", b"x") == FINALS + 1 + JUMP  # an entry may have been there
        spool.close(5.0)


def _append(path: Path, junk: bytes) -> None:
    with path.open("ab") as file:
        file.write(junk)


def test_one_flipped_byte_costs_one_entry_and_no_number_is_given_twice(crashed: Path, tmp_path: Path) -> None:
    chance = random.Random(11)
    size = next(crashed.glob("*/*.seg")).stat().st_size
    for number in range(60):
        at = chance.randrange(size) if number > 4 else 8 * number
        spool = _reopen(crashed, tmp_path / f"flip{number}", partial(_flip, at=at))
        seqs = [entry.seq for entry in spool.read(0, 1000)]
        assert len(seqs) >= FINALS - 1
        assert spool.damage() != ()
        assert list((tmp_path / f"flip{number}").glob("*/*.seg-damaged"))
        assert spool.append_wait("next", b"x") > FINALS
        spool.close(5.0)


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_flipped_byte_anywhere_never_gives_a_wrong_body(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path / "whole")

    async def calls() -> None:
        for n in range(1, FINALS + 1):
            await spool.intend(f"e{n}", b"body %d" % n)
            await spool.append(f"e{n}", b"body %d %s" % (n, random.Random(n).randbytes(200)))

    asyncio.run(calls())
    spool.close(5.0)
    truth = {(n, f"e{n}", b"body %d %s" % (n, random.Random(n).randbytes(200))) for n in range(1, FINALS + 1)}
    chance = random.Random(12)
    for number in range(60):
        root = tmp_path / f"flip{number}"
        shutil.copytree(tmp_path / "whole", root, ignore=shutil.ignore_patterns("lock"))
        (path,) = root.glob("*/*.seg")
        _flip(path, chance.randrange(path.stat().st_size))
        spool = Spool.claim(root)
        entries_read = {(entry.seq, entry.event_id, entry.body) for entry in spool.read(0, 1000)}
        assert entries_read <= truth
        assert entries_read == truth or spool.damage()
        spool.close(5.0)


def test_a_damaged_intent_is_reported_and_not_handed_out(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    asyncio.run(spool.intend("bad", b"a bad intent"))
    asyncio.run(spool.intend("good", b"a good intent"))
    spool.close(5.0)
    (path,) = tmp_path.glob("*/*.seg")
    flip(path, b"a bad intent")
    spool = Spool.claim(tmp_path)
    assert [lost.event_id for lost in spool.lost] == ["good"]
    assert "fail their checksum" in spool.damage()[0].reason
    spool.close(5.0)


def test_a_crash_while_a_segment_was_being_made_leaves_nothing_behind(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    asyncio.run(spool.intend("open", b"x"))
    spool.append_wait("a", b"x")
    spool.close(5.0)
    path = spool._directory.path / f"00000002-{2:020d}.seg"
    header = Header(spool.source_id, 2, 0, carried=1).written()
    first_group = header + frames.group([frames.intent(1, b"open", b"x")])
    for size in (0, 10, len(header), len(first_group) - 1):
        path.write_bytes(first_group[:size])
        spool = Spool.claim(tmp_path)
        assert not path.exists()
        assert spool.damage() == ()
        assert [lost.event_id for lost in spool.lost] == ["open"]
        spool.close(5.0)
    spool = Spool.claim(tmp_path)
    assert spool.append_wait("b", b"x") == 2
    spool.close(5.0)


def test_a_segment_that_was_never_begun_goes_with_its_writer(tmp_path: Path) -> None:
    Segment.begin(tmp_path / "a.seg").discard()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_a_part_is_asked_for_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(segment_module.os, "write", lambda handle, data: write(handle, data[:7]))
    segment = Segment.begin(tmp_path / "a.seg")
    segment.write([frames.completion(1, 2, b"a", b"body")], Header(7, 1, 0, 0).written())
    segment.close()
    reader = SegmentReader(tmp_path / "a.seg")
    entry = reader.next()
    assert entry is not None
    assert (entry.seq, entry.event_id, entry.body, entry.at_us) == (1, "a", b"body", 2)
    reader.close()


def test_a_segment_has_its_name_only_when_it_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    flock = segment_module.fcntl.flock

    def look(handle: int, how: int) -> None:
        seen.append([path.name for path in tmp_path.iterdir()])
        flock(handle, how)

    monkeypatch.setattr(segment_module.fcntl, "flock", look)
    Segment.begin(tmp_path / "a.seg").close()
    assert seen == [["a.new"]]
    assert [path.name for path in tmp_path.iterdir()] == ["a.seg"]


def test_a_segment_is_read_while_it_grows_and_known_to_be_written(tmp_path: Path) -> None:
    segment = Segment.begin(tmp_path / "a.seg")
    segment.write([frames.intent(1, b"a", b"asked")], Header(7, 1, 0, 0).written())
    reader = SegmentReader(tmp_path / "a.seg")
    assert reader.next() is None
    assert reader.opens == {1: ("a", b"asked")}
    assert reader.is_written()
    segment.write([frames.completion_of(1, 2, 1, b"asked", b"asked and answered")])
    entry = reader.peek()
    assert entry == reader.next()
    assert entry is not None
    assert (entry.event_id, entry.body) == ("a", b"asked and answered")
    assert (reader.opens, reader.next()) == ({}, None)
    segment.close()
    assert not reader.is_written()
    reader.close()


def test_entries_larger_than_a_read_are_read_whole(tmp_path: Path) -> None:
    bodies = [os.urandom(size) for size in (10, 3_000_000, 5, 1_048_576, 70_000)]
    segment = Segment.begin(tmp_path / "a.seg")
    group = [frames.completion(n, 0, b"e", body) for n, body in enumerate(bodies, 1)]
    segment.write(group, Header(7, 1, 0, 0).written())
    segment.close()
    reader = SegmentReader(tmp_path / "a.seg")
    assert [entry.body for entry in iter(reader.next, None)] == bodies
    reader.close()

import asyncio
import os
import random
import shutil
import time
import zlib
from pathlib import Path

import pytest

from gembill.spool import Spool, SpoolOptions
from gembill.spool.frames import HEADER_BYTES
from gembill.spool.segments import JUMP, count_missing
from tests.gembill.spool.harm import flip, holds

SMALL = SpoolOptions(segment_bytes=2_000)
BODY = random.Random(5).randbytes(750)  # which cannot be deflated


def _fill(spool: Spool, first: int, last: int) -> None:
    for n in range(first, last + 1):
        assert spool.append_wait(f"e{n}", BODY) == n


def _seqs(spool: Spool, after: int = 0) -> list[int]:
    return [entry.seq for entry in spool.read(after, 100_000)]


def _segments(spool: Spool) -> list[Path]:
    return sorted(spool._directory.path.glob("*.seg"))


def _age(paths: list[Path], hours: float) -> None:
    for path in paths:
        os.utime(path, (time.time() - hours * 3600,) * 2)


def test_a_new_segment_is_begun_by_size_and_reading_goes_across(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SMALL)
    _fill(spool, 1, 20)
    assert len(_segments(spool)) >= 6
    assert _seqs(spool) == list(range(1, 21))
    assert [entry.seq for entry in spool.read(4, 9)] == list(range(5, 14))
    spool.close(5.0)


def test_a_new_segment_is_begun_by_age(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SpoolOptions(segment_s=0.0))
    _fill(spool, 1, 3)
    assert len(_segments(spool)) == 3
    spool.close(5.0)


def test_old_posted_segments_are_unlinked_and_no_others(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SMALL)
    _fill(spool, 1, 20)
    segments = _segments(spool)
    firsts = [int(path.stem.partition("-")[2]) for path in segments]
    _age(segments, 200)
    spool.retire()
    assert _segments(spool) == segments  # nothing is posted
    spool.mark_posted(firsts[3] - 1)
    _age(segments[:1], 1)
    spool.retire()
    assert _segments(spool) == [segments[0], *segments[3:]]  # the first is too young
    spool.mark_posted(20)
    _age(segments[:1], 200)
    spool.retire()
    assert _segments(spool) == segments[-1:]  # the newest stays
    assert _seqs(spool, 20) == []
    assert spool.append_wait("e21", BODY) == 21
    assert spool.damage() == ()
    spool.close(5.0)


def test_a_clock_that_was_set_back_a_month_keeps_no_posted_segment_on_a_full_disk(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SpoolOptions(segment_bytes=2_000, min_free_bytes=0))  # the writer sheds nothing
    _fill(spool, 1, 20)
    spool.mark_posted(20)
    _age(_segments(spool), -30 * 24)
    spool.retire()
    segments = _segments(spool)
    assert len(segments) >= 6, "kept for longer, since nobody knows how old they are"
    for gone in segments[:-1]:
        assert spool._segments.shed(spool.posted) == gone
    assert spool._segments.shed(spool.posted) is None
    assert _segments(spool) == segments[-1:]
    spool.close(5.0)


def test_the_newest_segment_stays_so_that_no_number_is_given_twice(tmp_path: Path) -> None:
    for n in range(1, 6):
        spool = Spool.claim(tmp_path, SpoolOptions(keep_hours=0.0))
        _fill(spool, n, n)
        spool.mark_posted(n)
        _age(_segments(spool), 1)
        spool.retire()
        spool.close(5.0)
    spool = Spool.claim(tmp_path)
    assert len(_segments(spool)) <= 2
    _fill(spool, 6, 6)
    spool.close(5.0)


def test_open_intents_survive_rotation_and_retention(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SMALL)
    asyncio.run(spool.intend("long", b"a call of many hours"))
    asyncio.run(spool.intend("short", b"x"))
    _fill(spool, 1, 10)
    assert spool.append_wait("short", b"y") == 11
    _fill(spool, 12, 20)
    spool.mark_posted(20)
    _age(_segments(spool), 200)
    spool.retire()
    assert len(_segments(spool)) <= 2
    spool.close(5.0)
    again = Spool.claim(tmp_path, SMALL)
    assert [(lost.event_id, lost.body) for lost in again.lost] == [("long", b"a call of many hours")]
    assert again.append_wait("long", b"z") == 21
    again.close(5.0)


def test_a_flipped_byte_is_reported_set_aside_and_its_neighbours_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool.claim(tmp_path, SMALL)
    _fill(spool, 1, 20)
    spool.append_wait("marked", b"the marked body" * 20)
    _fill(spool, 22, 30)
    spool.close(5.0)
    (home,) = tmp_path.iterdir()
    (path,) = [path for path in home.glob("*.seg") if holds(path, b"the marked body")]
    flip(path, b"the marked body")
    spool = Spool.claim(tmp_path, SMALL)
    assert _seqs(spool) == [*range(1, 21), *range(22, 31)]
    assert (21, 21) in [(d.first_seq, d.last_seq) for d in spool.damage()]
    assert "fail their checksum" in caplog.text
    assert spool.trouble() is None
    spool.append_wait("e31", BODY)
    limit = time.monotonic() + 60.0
    while path.exists() and time.monotonic() < limit:
        time.sleep(0.05)
    assert path.with_suffix(".seg-damaged").exists()
    assert not path.exists()
    assert _seqs(spool) == [*range(1, 21), *range(22, 32)]  # what is good in it is still handed out
    spool.mark_posted(31)
    _age(list(home.glob("*.seg*")), 200)
    spool.retire()
    assert path.with_suffix(".seg-damaged").exists()
    spool.close(5.0)


def test_reading_passes_over_damage_however_small_its_steps(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    _fill(spool, 1, 3)
    for n in range(4, 7):
        spool.append_wait("x", b"the marked body %d" % n)
    _fill(spool, 7, 8)
    spool.append_wait("x", b"the marked end")
    spool.close(5.0)
    (path,) = tmp_path.glob("*/*.seg")
    for wanted in (b"the marked body 4", b"the marked body 5", b"the marked body 6", b"the marked end"):
        flip(path, wanted)
    spool = Spool.claim(tmp_path)
    seen = []
    while entries := spool.read(spool.posted, 1):
        seen.append(entries[0].seq)
        spool.mark_posted(entries[-1].seq)
    assert seen == [1, 2, 3, 7, 8]
    assert spool.wait(0.0) is False  # the damaged end is reported, and posting does not stand still before it
    assert {(d.first_seq, d.last_seq) for d in spool.damage()} == {(1, 1), (4, 6)}
    assert any(d.reason.startswith("the last ") for d in spool.damage())
    assert spool.append_wait("after", b"x") == 9 + JUMP  # what cannot be read at the end had a number
    assert [entry.event_id for entry in spool.read(8, 1)] == ["after"]
    assert sum(d.missing for d in spool.damage()) == 3, "those that were jumped over were given to nothing"
    spool.close(5.0)


def test_damage_in_the_segment_being_written_is_named_and_it_is_written_on(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    _fill(spool, 1, 3)
    spool.append_wait("e4", b"the marked body")
    (active,) = _segments(spool)
    flip(active, b"the marked body")
    _fill(spool, 5, 6)
    assert _seqs(spool) == [1, 2, 3, 5, 6]
    assert active.with_suffix(".seg-damaged").exists()
    assert spool.append_wait("e7", BODY) == 7
    assert _seqs(spool) == [1, 2, 3, 5, 6, 7]
    spool.close(5.0)
    again = Spool.claim(tmp_path)
    assert _seqs(again) == [1, 2, 3, 5, 6, 7]
    assert again.append_wait("e8", BODY) == 8
    again.close(5.0)


@pytest.mark.parametrize("which", ["first", "middle", "newest"])
def test_a_segment_full_of_garbage_stops_neither_start_nor_the_others(tmp_path: Path, which: str) -> None:
    spool = Spool.claim(tmp_path, SMALL)
    asyncio.run(spool.intend("open", b"x"))
    _fill(spool, 1, 20)
    segments = _segments(spool)
    spool.close(5.0)
    number = {"first": 0, "middle": 2, "newest": -1}[which]
    bad = segments[number]
    firsts = [*(int(path.stem.partition("-")[2]) for path in segments), 21]
    gone = range(firsts[:-1][number], firsts[segments.index(bad) + 1])
    bad.write_bytes(random.Random(1).randbytes(bad.stat().st_size))
    source = spool.source_id
    spool = Spool.claim(tmp_path, SMALL)
    assert spool.source_id == source
    assert bad.with_suffix(".seg-damaged").exists()
    assert _seqs(spool) == [seq for seq in range(1, 21) if seq not in gone]
    assert spool.damage() != ()
    assert [lost.event_id for lost in spool.lost] == ["open"]  # each segment carries what was open when it began
    assert spool.append_wait("next", BODY) == (gone[0] + JUMP if which == "newest" else 21)
    spool.close(5.0)
    spool = Spool.claim(tmp_path, SMALL)
    assert spool.backlog().unposted == 20 - len(gone) + 1
    spool.close(5.0)


def test_a_segment_of_another_spool_is_not_taken_for_ours(tmp_path: Path) -> None:
    ours, theirs = Spool.claim(tmp_path), Spool.claim(tmp_path)
    _fill(ours, 1, 2)
    _fill(theirs, 1, 3)
    (stray,) = _segments(theirs)
    ours.close(5.0)
    theirs.close(5.0)
    shutil.copy(stray, ours._directory.path / f"00000002-{3:020d}.seg")
    shutil.rmtree(theirs._directory.path)
    again = Spool.claim(tmp_path)
    assert _seqs(again) == [1, 2]
    assert "says it belongs to source" in again.damage()[0].reason
    again.close(5.0)


def test_finals_that_were_posted_and_are_gone_are_reported_and_their_numbers_not_given_again(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    _fill(spool, 1, 5)
    spool.mark_posted(5)
    spool.close(5.0)
    for path in tmp_path.glob("*/*.seg"):
        path.unlink()
    spool = Spool.claim(tmp_path)
    assert [(d.first_seq, d.last_seq) for d in spool.damage()] == [(1, 5)]
    assert spool.append_wait("a", b"x") == 6 + JUMP
    assert [entry.event_id for entry in spool.read(spool.posted, 10)] == ["a"]
    spool.close(5.0)


@pytest.mark.parametrize(
    ("expected", "seq", "missing"),
    [(4, 4, 0), (4, 6, 2), (4, 4 + JUMP, 0), (4, 6 + JUMP, 2), (4, 1 + JUMP, 0), (4, 5 + 2 * JUMP, 1)],
)
def test_numbers_that_were_jumped_over_were_given_to_nothing(expected: int, seq: int, missing: int) -> None:
    assert count_missing(expected, seq) == missing


def test_a_segment_of_a_newer_version_is_named_as_such_and_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    for n in range(1, 4):
        spool.append_wait(f"e{n}", BODY)
    spool.close(5.0)
    (segment,) = spool.path.glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[7] = 2
    data[HEADER_BYTES - 4 : HEADER_BYTES] = zlib.crc32(data[: HEADER_BYTES - 4]).to_bytes(4, "little")
    segment.write_bytes(data)
    spool = Spool.claim(tmp_path)
    assert [entry.event_id for entry in spool.read(0, 9)] == ["e1", "e2", "e3"]
    (damage,) = spool.damage()
    assert f"{segment.with_suffix('')} is of version 2 of segments, which this gembill does not know" in damage.reason
    assert segment.with_suffix(".seg-damaged").exists(), "it stays"
    assert spool.append_wait("e4", BODY) == 4 + JUMP, "there may be more in it than was read"
    spool.close(5.0)

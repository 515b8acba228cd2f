"""Reading for posting: by another object than the writer's, as another process does it."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gembill.spool import Spool, SpoolOptions, SpoolReader
from gembill.spool.reader import read_cursor

SMALL = SpoolOptions(segment_bytes=2_000)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.claim(tmp_path / "spool", SMALL)
    yield spool
    spool.close(5.0)


def _reader(spool: Spool) -> SpoolReader:
    return SpoolReader(spool._directory.path)


def test_only_what_the_writer_said_is_read_and_the_rest_later(spool: Spool) -> None:
    for n in range(1, 31):
        spool.append_wait(f"e{n}", os.urandom(300))
    reader = _reader(spool)
    assert reader.read(0, 10) == []
    seen = []
    for upto in (7, 8, 30):
        reader.upto = upto
        while entries := reader.read(reader.posted, 4):
            seen += [entry.seq for entry in entries]
            reader.mark_posted(entries[-1].seq)
        assert seen == list(range(1, upto + 1))
    assert tuple(reader.damage) == ()
    assert read_cursor(reader.path) == 30
    reader.close()


def test_what_the_ledger_did_not_take_is_given_again(spool: Spool) -> None:
    asyncio.run(spool.intend("a", b"asked"))
    spool.append_wait("a", b"asked, answered")
    reader = _reader(spool)
    reader.upto = 1
    assert reader.read(0, 1) == reader.read(0, 1) == reader.read(0, 9) == reader.read(0, 9)
    assert [entry.body for entry in reader.read(0, 5)] == [b"asked, answered"]
    reader.close()


def test_the_rest_of_a_write_that_failed_is_no_reason_to_pass_over_it(tmp_path: Path) -> None:
    """It is in the older file, its writer died before the new one had it: the next start decides, not the cursor."""
    spool = Spool.claim(tmp_path)
    for n in range(1, 5):
        spool.append_wait(f"e{n}", b"x")
    spool.close()
    (spool.path / f"{2:08d}-{3:020d}.seg").write_bytes(b"")  # made for numbers 3 and 4, never begun
    reader = _reader(spool)
    reader.settle()
    assert [entry.seq for entry in reader.read(0, 10)] == [1, 2]
    assert (reader.read(2, 10), reader.posted) == ([], 0)
    reader.close()
    again = Spool.claim(tmp_path)
    assert [entry.seq for entry in again.read(0, 10)] == [1, 2, 3, 4]
    again.close()


def test_one_at_a_time_posts_a_spool_and_goes_on_where_the_other_was(spool: Spool) -> None:
    spool.append_wait("a", b"x")
    spool.append_wait("b", b"x")
    first, second = _reader(spool), _reader(spool)
    assert first.lock_posting()
    assert not second.lock_posting()
    first.mark_posted(1)
    first.close()
    assert second.lock_posting()
    second.upto = 2
    assert [entry.event_id for entry in second.read(second.posted, 9)] == ["b"]
    second.close()


def test_after_the_writers_death_all_that_it_wrote_is_read(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SMALL)
    for n in range(1, 21):
        spool.append_wait(f"e{n}", os.urandom(300))
    reader = _reader(spool)
    reader.upto = 3
    spool.close(5.0)
    successor = Spool.claim(tmp_path, SMALL)
    successor.append_wait("of another process", b"x")
    reader.settle()
    assert [entry.seq for entry in reader.read(0, 100)] == list(range(1, 21))
    successor.close(5.0)
    reader.settle()
    assert [entry.seq for entry in reader.read(20, 100)] == [21]
    reader.close()


def test_who_waited_for_another_hears_that_all_is_posted(spool: Spool) -> None:
    seq = spool.append_wait("a", b"x")
    first, second = _reader(spool), _reader(spool)
    said: list[int] = []
    second.on_posted = lambda: said.append(second.posted)
    assert first.lock_posting()
    assert not second.lock_posting()
    first.mark_posted(seq)
    first.close()
    assert second.lock_posting()
    assert said == [seq]
    second.close()


def test_the_cursor_is_read_back_and_nonsense_is_zero(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    reader = _reader(spool)
    assert read_cursor(reader.path) == 0
    for seq in (1, 7, 2**62):
        reader.mark_posted(seq)
        assert read_cursor(reader.path) == seq
    reader.mark_posted(3)
    assert reader.posted == 2**62
    cursor = reader.path / "posted"
    cursor.write_bytes(b"9" + cursor.read_bytes()[1:])
    assert read_cursor(reader.path) == 0
    assert "posting starts again" in caplog.text
    reader.close()

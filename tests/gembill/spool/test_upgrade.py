"""Spools of gembill 0.2, made here as that version made them, are read to their end."""

import os
import shutil
import time
import zlib
from pathlib import Path

import pytest

from gembill.spool import Spool
from gembill.spool.segments import JUMP
from gembill.sqlite import driver

SOURCE = 0x0123456789ABCDEF


def crc(name: str, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(name.encode()))


def old_segment(home: Path, number: int, seqs: range, intents: dict[str, bytes]) -> Path:
    """A segment as 0.2 left it after `kill -9`: its rows are in the log."""
    home.mkdir(exist_ok=True)
    path = home / f"{number:08d}-{seqs.start:020d}.db"
    with_log = home / "made.db"
    connection = driver.connect(str(with_log), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE meta (source_id INTEGER, first_seq INTEGER, begun_us INTEGER)")
    connection.execute("CREATE TABLE intent (n INTEGER PRIMARY KEY, event_id TEXT, body BLOB, crc INTEGER)")
    connection.execute(
        "CREATE TABLE final (seq INTEGER PRIMARY KEY, at_us INTEGER, event_id TEXT, body BLOB, crc INTEGER)"
    )
    connection.execute("INSERT INTO meta VALUES (?, ?, 0)", (SOURCE, seqs.start))
    for n, (name, body) in enumerate(intents.items(), 1):
        connection.execute("INSERT INTO intent VALUES (?, ?, ?, ?)", (n, name, body, crc(name, body)))
    for seq in seqs:
        row = (seq, 1_000_000 * seq, f"e{seq}", b"body %d" % seq)
        connection.execute("INSERT INTO final VALUES (?, ?, ?, ?, ?)", (*row, crc(*row[2:])))
    for end in ("", "-wal"):
        shutil.copy(f"{with_log}{end}", f"{path}{end}")
    connection.close()
    for left in home.glob("made.db*"):
        left.unlink()
    return path


def _flip(path: Path, wanted: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(wanted)] ^= 1
    path.write_bytes(data)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / f"{SOURCE:016x}"


def _cursor(home: Path, seq: int) -> None:
    digits = b"%020d" % seq
    (home / "posted").write_bytes(b"%s %08x\n" % (digits, zlib.crc32(digits)))


def test_what_was_not_posted_and_what_was_open_is_there_after_the_upgrade(tmp_path: Path, home: Path) -> None:
    posted = old_segment(home, 1, range(1, 11), {})
    old_segment(home, 2, range(11, 21), {"gone": b"closed since"})
    old_segment(home, 3, range(21, 31), {"open": b"asked"})
    _cursor(home, 14)
    spool = Spool.claim(tmp_path)
    assert spool.source_id == SOURCE
    assert [lost.event_id for lost in spool.lost] == ["open"]
    assert (spool.posted, spool.backlog().unposted, spool.damage()) == (14, 16, ())
    assert [(entry.seq, entry.body) for entry in spool.read(14, 100)] == [(n, b"body %d" % n) for n in range(15, 31)]
    assert spool.append_wait("open", b"asked and lost") == 31
    assert sorted(path.name for path in home.glob("*.db*")) == [posted.name, f"{posted.name}-wal"]
    spool.mark_posted(31)
    os.utime(posted, (time.time() - 1e6,) * 2)
    spool.retire()
    assert list(home.glob("*.db*")) == []
    spool.close(5.0)


def test_an_upgrade_that_was_interrupted_is_done_again(tmp_path: Path, home: Path) -> None:
    path = old_segment(home, 1, range(1, 6), {})
    path.with_suffix(".seg").write_bytes(b"half of it")
    spool = Spool.claim(tmp_path)
    assert [entry.seq for entry in spool.read(0, 100)] == [1, 2, 3, 4, 5]
    assert spool.append_wait("next", b"") == 6
    spool.close(5.0)


def test_a_damaged_old_row_is_named_and_its_file_kept(tmp_path: Path, home: Path) -> None:
    path = old_segment(home, 1, range(1, 6), {})
    connection = driver.connect(str(path), isolation_level=None)
    connection.execute("UPDATE final SET body = ? WHERE seq = 3", (b"changed",))
    connection.close()
    spool = Spool.claim(tmp_path)
    assert [entry.seq for entry in spool.read(0, 100)] == [1, 2, 4, 5]
    assert "1 rows of" in spool.damage()[0].reason
    assert list(home.glob("*.db-damaged"))
    assert spool.append_wait("next", b"") == 6
    spool.close(5.0)


def test_a_damaged_old_log_is_named_and_kept_and_no_number_is_given_twice(tmp_path: Path, home: Path) -> None:
    path = old_segment(home, 1, range(1, 41), {})
    _flip(path.with_name(path.name + "-wal"), b"body 20")
    spool = Spool.claim(tmp_path)
    seqs = [entry.seq for entry in spool.read(0, 100)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) < 40
    assert "committed frames to damage" in spool.damage()[0].reason
    assert list(home.glob("*.held-wal"))
    assert spool.append_wait("next", b"") > JUMP
    spool.close(5.0)


@pytest.mark.parametrize("content", [b"", b"garbage" * 2000])
def test_an_old_file_without_a_table_stops_no_start(tmp_path: Path, home: Path, content: bytes) -> None:
    home.mkdir()
    path = home / f"{1:08d}-{1:020d}.db"
    path.write_bytes(content)
    spool = Spool.claim(tmp_path)
    assert spool.source_id == SOURCE
    assert bool(spool.damage()) is bool(content)
    assert bool(list(home.glob("*.db-damaged"))) is bool(content)
    assert spool.append_wait("next", b"") == (1 + JUMP if content else 1)
    spool.close(5.0)

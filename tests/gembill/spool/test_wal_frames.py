from pathlib import Path

import pytest

from gembill.spool.wal_frames import committed_frames
from gembill.sqlite import driver


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of five commits of one page each, after the two that made the table."""
    path = tmp_path / "a.db"
    connection = driver.connect(str(path), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x)")
    for number in range(5):
        connection.execute("INSERT INTO t VALUES (?)", (number,))
    frames = connection.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()[1]
    assert frames == 2 + 5
    data = path.with_name("a.db-wal").read_bytes()
    connection.close()
    copy = tmp_path / "copy"
    copy.write_bytes(data)
    return copy


def test_it_counts_what_sqlite_counts(log: Path) -> None:
    assert committed_frames(log) == 2 + 5


def test_a_damaged_frame_hides_none_behind_it(log: Path) -> None:
    data = bytearray(log.read_bytes())
    data[32 + 3 * (24 + 4096) + 9] ^= 1
    log.write_bytes(data)
    assert committed_frames(log) == 2 + 5


@pytest.mark.parametrize("at", range(0, 32, 3))
def test_a_damaged_header_hides_nothing(log: Path, at: int) -> None:
    data = bytearray(log.read_bytes())
    data[at] ^= 1
    log.write_bytes(data)
    assert committed_frames(log) == 2 + 5


def test_a_torn_tail_and_junk_do_not_count(log: Path) -> None:
    whole = log.read_bytes()
    log.write_bytes(whole + b"\x01" * 10_000)
    assert committed_frames(log) == 2 + 5
    log.write_bytes(whole[:-1])
    assert committed_frames(log) == 2 + 4


def test_no_file_and_a_short_one_hold_no_frames(tmp_path: Path) -> None:
    assert committed_frames(tmp_path / "none") == 0
    (tmp_path / "short").write_bytes(b"\x37\x7f")
    assert committed_frames(tmp_path / "short") == 0

import logging
from pathlib import Path

import pytest

from gembill.errors import SpoolError
from gembill.spool import directory
from gembill.spool.directory import SpoolDirectory, open_root
from gembill.sqlite import Mount


def test_a_home_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    home = SpoolDirectory.make(tmp_path)
    assert SpoolDirectory.lock(home.path) is None
    assert list(SpoolDirectory.unlocked(tmp_path)) == []
    home.release()
    (again,) = SpoolDirectory.unlocked(tmp_path)
    assert again.source_id == home.source_id == int(home.path.name, 16) > 0
    again.release()


def test_a_copy_under_another_name_is_no_home(tmp_path: Path) -> None:
    home = SpoolDirectory.make(tmp_path)
    home.release()
    (tmp_path / f"{home.path.name} copy").mkdir()
    (tmp_path / "f000000000000000").mkdir()  # more than 63 bits
    found = list(SpoolDirectory.unlocked(tmp_path))
    assert [found.path for found in found] == [home.path]
    found[0].release()


def test_the_cursor_is_read_back_and_nonsense_is_zero(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = SpoolDirectory.make(tmp_path)
    assert home.read_cursor() == 0
    for seq in (1, 2**62, 7):
        home.write_cursor(seq)
        assert home.read_cursor() == seq
    cursor = home.path / "posted"
    cursor.write_bytes(cursor.read_bytes().replace(b"7 ", b"8 "))
    assert home.read_cursor() == 0
    assert "posting starts again" in caplog.text
    home.release()


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "network_mount", lambda path: Mount(Path("/net"), "nfs4"))
    with pytest.raises(SpoolError, match="it is on nfs4, where SQLite's locks do not hold"):
        open_root(tmp_path / "root")


def test_what_cannot_be_locked_is_set_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = SpoolDirectory.make(tmp_path)
    home.release()
    (home.path / "lock").unlink()
    (home.path / "lock").mkdir()
    with caplog.at_level(logging.ERROR):
        assert list(SpoolDirectory.unlocked(tmp_path)) == []
    assert not home.path.exists()
    assert "it is set aside as" in caplog.text

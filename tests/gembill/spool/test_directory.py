import logging
from pathlib import Path

import pytest

from gembill.errors import SpoolError
from gembill.mounts import Mount
from gembill.spool import directory
from gembill.spool.directory import SpoolDirectory, open_root


def test_a_home_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    directory = SpoolDirectory.make(tmp_path)
    assert SpoolDirectory.lock(directory.path) is None
    assert list(SpoolDirectory.unlocked(tmp_path)) == []
    directory.release()
    (again,) = SpoolDirectory.unlocked(tmp_path)
    assert again.source_id == directory.source_id == int(directory.path.name, 16) > 0
    again.release()


def test_a_copy_under_another_name_is_not_a_spool(tmp_path: Path) -> None:
    directory = SpoolDirectory.make(tmp_path)
    directory.release()
    (tmp_path / f"{directory.path.name} copy").mkdir()
    (tmp_path / "f000000000000000").mkdir()  # more than 63 bits
    unlocked = list(SpoolDirectory.unlocked(tmp_path))
    assert [each.path for each in unlocked] == [directory.path]
    unlocked[0].release()


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "network_mount", lambda path: Mount(Path("/net"), "nfs4"))
    with pytest.raises(SpoolError, match="it is on nfs4, where neither locks nor syncs can be relied on"):
        open_root(tmp_path / "root")


def test_what_cannot_be_locked_is_set_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory = SpoolDirectory.make(tmp_path)
    directory.release()
    (directory.path / "lock").unlink()
    (directory.path / "lock").mkdir()
    with caplog.at_level(logging.ERROR):
        assert list(SpoolDirectory.unlocked(tmp_path)) == []
    assert not directory.path.exists()
    assert "it is set aside as" in caplog.text

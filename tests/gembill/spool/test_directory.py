import asyncio
import logging
import shutil
from pathlib import Path

import pytest

from gembill.errors import SpoolError
from gembill.mounts import Mount
from gembill.spool import Spool, directory, leave
from gembill.spool import directory as directory_module
from gembill.spool.directory import SpoolDirectory, open_root, why_left


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


def _posted_elsewhere(tmp_path: Path) -> tuple[Path, Path]:
    """A root with a spool of two completions and an open intent, and a copy of it."""
    spool = Spool.claim(tmp_path / "one")
    spool.append_wait("a", b"a")
    spool.append_wait("b", b"b")
    asyncio.run(spool.intend("open", b"asked"))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    spool.close()
    return spool.path, tmp_path / "two" / spool.path.name


def test_a_copied_spool_is_passed_by_posted_and_not_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    original, copy = _posted_elsewhere(tmp_path)
    ours = Spool.claim(tmp_path / "two")
    assert ours.source_id != int(copy.name, 16)
    assert "is passed by" in caplog.text
    (adopted,) = Spool.adopt(tmp_path / "two")
    assert (adopted.path, adopted.lost) == (copy, ())
    assert [entry.event_id for entry in adopted.read(0, 9)] == ["a", "b"]
    (reason,) = Spool.left_alone(tmp_path / "two").values()
    assert f"1 calls were under way; run `gembill spool adopt {copy.name}`" in reason
    for each in (ours, adopted):
        each.close()
    again = Spool.claim(tmp_path / "one")
    assert (again.path, [lost.event_id for lost in again.lost]) == (original, ["open"]), "the original goes on"
    again.close()


def test_a_copy_that_is_settled_here_is_taken_again(tmp_path: Path) -> None:
    _, copy = _posted_elsewhere(tmp_path)
    leave(copy, "a reason")
    directory = SpoolDirectory.lock(copy)
    assert directory is not None
    assert directory.is_copy
    directory.settle()
    directory.release()
    assert why_left(copy) is None
    spool = Spool.claim(tmp_path / "two")
    assert (spool.path, [lost.event_id for lost in spool.lost]) == (copy, ["open"])
    spool.close()


def test_a_spool_that_was_left_is_neither_claimed_nor_adopted(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    spool.append_wait("a", b"a")
    spool.close()
    leave(spool.path, "the ledger refuses it")
    assert (spool.path / "left").stat().st_mode & 0o777 == 0o600
    other = Spool.claim(tmp_path)
    assert other.path != spool.path
    assert Spool.adopt(tmp_path) == []
    assert Spool.left_alone(tmp_path) == {str(spool.path): "the ledger refuses it"}
    other.close()


def test_a_machine_with_another_number_has_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = tmp_path / "machine-id"
    monkeypatch.setattr(directory_module, "MACHINE_ID", machine)
    monkeypatch.setattr(directory_module, "mount_of", lambda _: None)  # a file system that keeps no numbers
    machine.write_text("one\n")
    spool = Spool.claim(tmp_path / "spool")
    spool.close()
    shutil.move(spool.path, tmp_path / "moved")
    shutil.copytree(tmp_path / "moved", spool.path)
    assert _claimed(tmp_path / "spool") == spool.path, "numbers of directories say nothing here"
    machine.unlink()
    assert _claimed(tmp_path / "spool") == spool.path, "what is not known is not held against it"
    machine.write_text("two\n")
    assert _claimed(tmp_path / "spool") != spool.path


def _claimed(root: Path) -> Path:
    spool = Spool.claim(root)
    spool.close()
    return spool.path


def test_a_spool_of_a_version_that_noted_no_place_is_ours(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    spool.close()
    (spool.path / "lock").write_bytes(b"")
    assert _claimed(tmp_path) == spool.path
    assert len((spool.path / "lock").read_bytes().split()) == 3

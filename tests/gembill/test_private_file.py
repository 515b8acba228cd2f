"""A file for its owner alone, made by whoever comes first."""

import os
import stat
import threading

import pytest

from gembill.private_file import create_private, replace_private


def test_it_is_for_its_owner_alone_and_so_is_its_folder(tmp_path):
    path = tmp_path / "new" / "file"
    assert create_private(path, b"content")
    assert (path.read_bytes(), path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (
        b"content",
        0o600,
        0o700,
    )


def test_of_many_at_once_one_makes_it_and_nothing_else_is_left(tmp_path):
    path, won = tmp_path / "file", []
    makers = [
        threading.Thread(target=lambda n=n: won.append((create_private(path, b"%d" % n), b"%d" % n))) for n in range(8)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert [content for made, content in won if made] == [path.read_bytes()]
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_one_that_is_replaced_stays_private_and_leaves_no_draft(tmp_path):
    path = tmp_path / "new" / "file"
    replace_private(path, b"one")
    replace_private(path, b"two")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two", 0o600)
    assert [file.name for file in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("write", [create_private, replace_private])
def test_its_content_is_on_disk_before_it_has_its_name_and_then_the_name_is(write, tmp_path, monkeypatch):
    """A power cut keeps what was synced: bytes in a buffer are not, nor is a name whose folder was not."""
    path, synced = tmp_path / "secret", []

    def sync(descriptor: int) -> None:
        there = os.fstat(descriptor)
        synced.append(("folder" if stat.S_ISDIR(there.st_mode) else there.st_size, path.exists()))

    monkeypatch.setattr("gembill.private_file.os.fsync", sync)
    write(path, b"content")
    assert synced == [(len(b"content"), False), ("folder", True)]

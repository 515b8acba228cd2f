"""A file for its owner alone, made by whoever comes first."""

import threading

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

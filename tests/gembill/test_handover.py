"""A socket goes from one process to the next: nothing is refused meanwhile, and nothing is handed to a stranger."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gembill.handover import Offer, take_over


class Old:
    """The old side: an offer of a listening socket, and whether it was told to end."""

    def __init__(self, folder: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.retired = threading.Event()
        self.offer = Offer(folder, self.listener, self.retired.set)
        self.offer.open()

    def close(self) -> None:
        self.offer.close()
        self.listener.close()


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Old]:
    side = Old(tmp_path)
    yield side
    side.close()


def test_the_same_socket_is_served_by_the_other_one(old, tmp_path):
    taken = take_over(tmp_path, old.port)
    assert not old.retired.is_set(), "until the new one serves"
    with socket.create_connection(("127.0.0.1", old.port), 60) as waiting:
        taken.serving()
        assert old.retired.wait(30)
        old.listener.close()
        accepted, _ = taken.listener.accept()
        assert accepted.getpeername() == waiting.getsockname(), "what waited in the socket was not lost"
        accepted.close()
    taken.listener.close()


def test_only_its_owner_can_ask_and_the_name_is_free_when_the_place_is_taken(old, tmp_path):
    (name,) = tmp_path.iterdir()
    assert name.stat().st_mode & 0o777 == 0o600
    taken = take_over(tmp_path, old.port)
    taken.serving()
    assert list(tmp_path.iterdir()) == []
    again = Offer(tmp_path, taken.listener, lambda: None)
    again.open()
    assert [each.name for each in tmp_path.iterdir()] == [name.name]
    again.close()
    taken.listener.close()


def test_one_that_dies_before_it_serves_changes_nothing(old, tmp_path):
    taken = take_over(tmp_path, old.port)
    taken._asked.close()
    taken.listener.close()
    another = take_over(tmp_path, old.port)
    assert another is not None
    assert not old.retired.is_set()
    another.listener.close()


def test_the_end_of_the_old_one_is_noticed(old, tmp_path):
    taken, ended = take_over(tmp_path, old.port), threading.Event()
    taken.serving()
    taken.when_ended(ended.set)
    assert old.retired.wait(30)
    assert not ended.wait(0.05)
    old.offer._taken.close()  # as the end of its process does
    assert ended.wait(30)
    taken.listener.close()


def test_where_nobody_is_there_is_nothing_to_take(tmp_path):
    assert take_over(tmp_path, 8787) is None
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "proxy-8787.sock"))  # of a process that died
    left.close()
    assert take_over(tmp_path, 8787) is None


def test_a_folder_with_a_long_name_and_one_that_is_missing(tmp_path, caplog):
    folder = tmp_path / ("long-" * 30)
    folder.mkdir()
    side = Old(folder)
    taken = take_over(folder, side.port)
    assert taken is not None
    taken.listener.close()
    side.close()
    Old(tmp_path / "missing").close()
    assert "no other proxy can take over" in caplog.text


def test_a_closed_offer_gives_nothing(old, tmp_path):
    old.offer.close()
    end = time.monotonic() + 30
    while list(tmp_path.iterdir()):
        assert time.monotonic() < end
    assert take_over(tmp_path, old.port) is None

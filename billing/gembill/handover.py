"""A proxy that takes the place of a running one on the same port, so that no caller sees it.

Owns: the listening socket's way from the old process to the new one, and what they say to each other meanwhile. Not
here: serving, and how the old one ends (`service`). Invariants: the old one goes on as before until the new one serves;
there is one socket all the time, so that no connection is refused and none that waits in it is lost.

They talk over a socket in the data folder that only its owner can open. The old process sends the listening socket; the
new one, once it serves, says so; the old one lets go of the name in the folder, answers and ends; that the connection
closes is the end of the old process.
"""

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

_HERE, _SERVING, _GO = b"here it is", b"serving", b"go on"
_ANSWER_SECONDS = 10.0  # for the old process to answer
_LONGEST_NAME = 100  # bytes that the address of such a socket can have everywhere
_log = logging.getLogger("gembill.handover")


class Offer:
    """The old side: gives `listener` to whoever asks for it and calls `retire` when that one serves."""

    def __init__(self, folder: Path, listener: socket.socket, retire: Callable[[], None]) -> None:
        self._path = _place(folder, listener.getsockname()[1])
        self._listener = listener
        self._retire = retire
        self._door: socket.socket | None = None
        self._taken: socket.socket | None = None  # closed by the end of this process alone
        self._closed = threading.Event()

    def open(self) -> None:
        """Let it be asked for. Where that cannot be, it is said, and nothing else is different."""
        try:
            self._path.unlink(missing_ok=True)  # of a process that died
            self._door = _bound(self._path)
        except OSError as error:
            _log.warning("no other proxy can take over from this one: %s", error.strerror)
            return
        threading.Thread(target=self._serve, name="gembill-handover", daemon=True).start()

    def close(self) -> None:
        """It can be had no more."""
        if self._door is not None and not self._closed.is_set():
            self._closed.set()
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._door.shutdown(socket.SHUT_RDWR)  # wakes the thread
            self._door.close()

    def _serve(self) -> None:
        assert self._door is not None
        while not self._closed.is_set():
            try:
                asking, _ = self._door.accept()
            except OSError:
                return  # closed
            try:
                self._hand_over(asking)
            except OSError as error:
                _log.warning("a proxy that wanted to take over is gone: %s", error.strerror or error)
                asking.close()

    def _hand_over(self, asking: socket.socket) -> None:
        socket.send_fds(asking, [_HERE], [self._listener.fileno()])
        if asking.recv(len(_SERVING)) != _SERVING:  # it may take its time to begin, or die
            asking.close()
            return
        _log.info("another proxy has taken over; this one ends what is under way")
        self.close()
        asking.sendall(_GO)
        self._taken = asking
        self._retire()


class TakenOver:
    """The new side: `listener` is the old one's socket."""

    def __init__(self, asked: socket.socket, listener: socket.socket) -> None:
        self._asked = asked
        self.listener = listener

    def serving(self) -> None:
        """Let the old process end: this one serves."""
        with contextlib.suppress(OSError):  # it died, which is an end too
            self._asked.sendall(_SERVING)
            self._asked.settimeout(_ANSWER_SECONDS)
            self._asked.recv(len(_GO))
            self._asked.settimeout(None)

    def when_ended(self, then: Callable[[], None]) -> None:
        """Call `then`, in a thread, when the old process has ended."""
        threading.Thread(target=self._await_end, args=(then,), name="gembill-handover", daemon=True).start()

    def _await_end(self, then: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            while self._asked.recv(1):
                pass
        self._asked.close()
        then()


def take_over(folder: Path, port: int) -> TakenOver | None:
    """Ask the proxy of this folder that listens on this port for its socket; None where there is none."""
    path = _place(folder, port)
    asked = socket.socket(socket.AF_UNIX)
    asked.settimeout(_ANSWER_SECONDS)
    try:
        with _short(path) as name:
            asked.connect(name)
        said, descriptors, _, _ = socket.recv_fds(asked, len(_HERE), 1)
    except OSError:
        asked.close()
        return None
    if said != _HERE or not descriptors:
        asked.close()
        return None
    asked.settimeout(None)
    return TakenOver(asked, socket.socket(fileno=descriptors[0]))


def _place(folder: Path, port: int) -> Path:
    return folder / f"proxy-{port}.sock"


def _bound(path: Path) -> socket.socket:
    door = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        with _short(path) as name:
            door.bind(name)
    except OSError:
        door.close()
        raise
    finally:
        os.umask(before)
    door.listen(1)
    return door


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name of a socket that is short enough for the system, by way of its folder where the whole is too long."""
    if len(os.fsencode(path)) <= _LONGEST_NAME or not hasattr(os, "O_PATH"):
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)

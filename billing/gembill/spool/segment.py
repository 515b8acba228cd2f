"""One segment of the spool: a file that is only ever appended to, one write and one sync for each group.

Owns: the file, its durable writes, reading it group by group, and what counts as damage. Not here: the bytes of a group
(`frames`), the order of segments, threads and policies. Invariant: what `write` returned for is on disk; a group whose
checksum fails is never handed out, and those behind it are.

The writer holds a lock on the file, so that another process can see whether it may still grow. An intent is open while
no completion or withdrawal follows it. Nothing is deleted from a segment: on a full disk that would need space,
unlinking the file does not (reliability.md R6).
"""

import fcntl
import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from gembill.spool import frames
from gembill.spool.frames import HEADER_BYTES, Header, Kind

log = logging.getLogger(__name__)

_CHUNK = 1 << 20


class SegmentEntry(Struct, frozen=True, gc=False):
    """A completion as it was appended, and when, in microseconds."""

    seq: int
    event_id: str
    body: bytes
    at_us: int = 0


class Segment:
    """The writing side of one segment: made with `begin`, filled with `write`, given up with `close` or `discard`."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.bytes = 0
        self.begun = False  # whether a first group is known to be on disk
        self.made_at = time.monotonic()
        self._handle = handle

    @classmethod
    def begin(cls, path: Path) -> "Segment":
        """A new file, in its directory for good; its header comes with the first group. Raises OSError."""
        unnamed = path.with_suffix(".new")  # whoever sees the name sees the lock
        handle = os.open(unnamed, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            unnamed.rename(path)
            sync_directory(path.parent)
        except BaseException:
            os.close(handle)
            for file in (unnamed, path):
                file.unlink(missing_ok=True)
            raise
        return cls(path, handle)

    def write(self, group: Sequence[bytes], header: bytes = b"") -> None:
        """Frames, durable when this returns, in a new file behind its header.

        After an OSError nobody knows how many are: write no more here.
        """
        data = header + frames.group(group)
        size, written = len(data), os.write(self._handle, data)
        while written < size:  # a disk that is nearly full takes a part, and refuses the next
            written += os.write(self._handle, data[written:])
        os.fdatasync(self._handle)
        self.begun = True
        self.bytes += size

    def close(self) -> None:
        """Let go of the file as it is; its lock goes with it."""
        os.close(self._handle)

    def discard(self) -> None:
        """Close, and remove a file that never got its first group."""
        self.close()
        if not self.begun:
            try:
                self.path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s was never begun and cannot be removed: %s", self.path, error)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class SegmentReader:
    """The reading side of one segment, from its beginning, also while another process appends to it. Raises OSError.

    `version` is that of its header, also where this gembill does not know it and `header` is None. `opens` are the
    intents without a completion so far, by number. `damage` says in words what could not be read and had more behind
    it; an end that cannot be read is where a write was cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opens: dict[int, tuple[str, bytes]] = {}
        self.damage: list[str] = []
        self.frames = self.intents = 0  # read so far
        self._name = path.with_suffix("")  # the same after it was set aside
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._data = b""
        self._begin = self._at = 0  # where `_data` begins in the file, and the next frame in it
        self._group: deque[frames.Frame] = deque()  # read, and not looked at yet
        self._next: SegmentEntry | None = None
        self.header = self._read_header()

    def _read_header(self) -> Header | None:
        self._more()
        self.version = frames.version_of(self._data)
        self._at = 0 if self.version is None else HEADER_BYTES  # without one, the search for frames begins at once
        return Header.read(self._data)

    def peek(self) -> SegmentEntry | None:
        """The next completion, which stays the next; None at the present end."""
        while self._next is None and (self._group or self._next_group()):
            self._next = self._taken(self._group.popleft())
        return self._next

    def next(self) -> SegmentEntry | None:
        """The next completion; None at the present end."""
        entry, self._next = self.peek(), None
        return entry

    def _next_group(self) -> bool:
        """Take the frames of the next group that has some; False at the present end."""
        while not self._group and (group := self._frame()) is not None:
            try:
                self._group.extend(frames.grouped(group))
            except ValueError as error:
                self.damage.append(f"the group at {self._begin + self._at} of {self._name} cannot be read: {error}")
            self._at = group.end
        return bool(self._group)

    def _frame(self) -> frames.Frame | None:
        frame = frames.parse(self._data, self._at)
        while frame is None and self._more():
            frame = frames.parse(self._data, self._at)
        return frame or self._behind_damage()

    def _more(self) -> bool:
        chunk = os.pread(self._handle, _CHUNK, self._begin + len(self._data))
        self._data = self._data[self._at :] + chunk
        self._begin += self._at
        self._at = 0
        return bool(chunk)

    def _behind_damage(self) -> frames.Frame | None:
        at = frames.find(self._data, self._at)
        if at is None:
            return None
        self.damage.append(f"{at - self._at} bytes at {self._begin + self._at} of {self._name} fail their checksum")
        self._at = at
        return frames.parse(self._data, at)

    def _taken(self, frame: frames.Frame) -> SegmentEntry | None:
        self.frames += 1
        if frame.kind == Kind.INTENT:
            self.opens[frame.number] = frame.intent()
            self.intents += 1
            return None
        asked = self.opens.pop(frame.number, None)
        if frame.kind != Kind.COMPLETION or (asked is None and frame.number):
            return None  # without its intent it cannot be read; its number is missed as a gap
        seq, at_us = frame.stamp()
        return SegmentEntry(seq, *frame.completion(asked), at_us)

    @property
    def is_begun(self) -> bool:
        """Whether its first group is there, whole or damaged since. To be asked when all was read."""
        if self.header is None:
            head = os.pread(self._handle, HEADER_BYTES, 0)
            return bool(self.damage) or (len(head) == HEADER_BYTES and any(head))
        return bool(self.damage) or (self.frames > 0 and self.intents >= self.header.carried)

    def broken_end(self) -> str | None:
        """What is wrong with the last bytes if they are not just a write that was cut off. To be asked at the end."""
        rest = self._data[self._at :]
        if frames.is_cut(rest):
            return None
        return f"the last {len(rest)} bytes of {self._name} fail their checksum"

    def sync(self) -> None:
        """Make durable what is in the file, whoever wrote it. Raises OSError."""
        os.fdatasync(self._handle)

    def is_written(self) -> bool:
        """Whether a process holds it for writing."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._handle, fcntl.LOCK_UN)
        return False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

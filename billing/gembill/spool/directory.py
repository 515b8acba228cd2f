"""The directory of one spool, which one process holds at a time.

Owns: where spools live below their root, the lock that is held for life, the source's number (the directory's name),
and the posting cursor beside the segments. Not here: segments. Invariant: a directory is used only under its `flock`;
its name is its identity, so no file inside can lose it; one that cannot be used is renamed, never removed.
"""

import fcntl
import logging
import os
import re
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path

from gembill.errors import SpoolError
from gembill.sqlite import network_mount

log = logging.getLogger(__name__)

_NAME = re.compile(r"[0-7][0-9a-f]{15}")
_CURSOR = re.compile(rb"(\d{20}) ([0-9a-f]{8})\n")


def open_root(root: Path) -> None:
    """Make the root (0700) where it is missing. Raises SpoolError where spools cannot live there."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SpoolError(f"the spool cannot live in {root}: {error.strerror}; name a directory we can write") from error
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise SpoolError(f"the spool cannot live in {root}: we may not write there; name a directory we can write")
    mount = network_mount(root)
    if mount is not None:
        raise SpoolError(f"the spool cannot live in {root}: it is on {mount.kind}, where SQLite's locks do not hold")


class SpoolDirectory:
    """One spool's directory, locked by this process."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.source_id = int(path.name, 16)
        self._lock = lock
        self._cursor: int | None = None

    @classmethod
    def make(cls, root: Path) -> "SpoolDirectory":
        """A new directory with a random positive 63-bit number. Raises SpoolError."""
        while True:
            path = root / f"{1 + secrets.randbelow(2**63 - 1):016x}"
            try:
                path.mkdir(mode=0o700)
                directory = cls.lock(path)
            except OSError as error:
                raise SpoolError(f"no spool can be made in {root}: {error.strerror}") from error
            if directory is not None:  # else another process was quicker to take it
                return directory

    @classmethod
    def lock(cls, path: Path) -> "SpoolDirectory | None":
        """This directory, or None where another process (or another spool of this one) holds it. Raises OSError."""
        handle = os.open(path / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle)

    @classmethod
    def unlocked(cls, root: Path) -> Iterator["SpoolDirectory"]:
        """Each directory below root that nobody holds, locked, in order of name; what cannot be opened is set aside."""
        for path in sorted(path for path in root.iterdir() if _NAME.fullmatch(path.name)):
            try:
                directory = cls.lock(path)
            except OSError as error:
                set_aside(path, error)
                continue
            if directory is not None:
                yield directory

    def read_cursor(self) -> int:
        """The highest sequence number known to be posted; 0 where that was lost (posting again is harmless)."""
        try:
            text = (self.path / "posted").read_bytes()
        except FileNotFoundError:
            return 0
        match = _CURSOR.fullmatch(text)
        if match is None or int(match[2], 16) != zlib.crc32(match[1]):
            log.warning("%s is not readable as a cursor; posting starts again from the first retained entry", self.path)
            return 0
        return int(match[1])

    def write_cursor(self, seq: int) -> None:
        """Note it in the file, unsynced: it survives this process, not always the machine. Raises OSError."""
        if self._cursor is None:
            self._cursor = os.open(self.path / "posted", os.O_CREAT | os.O_RDWR, 0o600)
        digits = b"%020d" % seq
        os.pwrite(self._cursor, b"%s %08x\n" % (digits, zlib.crc32(digits)), 0)

    def release(self) -> None:
        """Let another process have it."""
        if self._cursor is not None:
            os.close(self._cursor)
            self._cursor = None
        os.close(self._lock)


def set_aside(path: Path, error: Exception) -> None:
    """Rename what cannot be used, so that it neither stops a start nor is lost."""
    target = path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}")
    try:
        path.rename(target)
    except OSError as failure:
        log.warning("the spool %s cannot be used (%s) nor renamed (%s); it is left alone", path, error, failure)
    else:
        log.error("the spool %s cannot be used (%s); it is set aside as %s", path, error, target)

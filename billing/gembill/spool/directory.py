"""The directory of one spool, which one process holds at a time.

Owns: where spools live below their root, the lock that is held for life, the source's number (the directory's name),
the place a directory was made at, and the word that it is to be left alone. Not here: segments, and the posting cursor.
Invariant: a directory is used only under its `flock`; its name is its identity, so no file inside can lose it; one that
cannot be used is renamed, never removed.

A copy of a spool, or one from a backup, must not be written under the number of its original. Its `lock` file says
where it was made: on which machine, as which directory. A copy is another directory, so it is known by that, where the
file system keeps the numbers of directories.
"""

import fcntl
import logging
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from gembill.errors import SpoolError
from gembill.mounts import mount_of, network_mount

log = logging.getLogger(__name__)

MACHINE_ID = Path("/etc/machine-id")
LEFT = "left"  # the file in a spool's directory that says why nobody is to write it

_NAME = re.compile(r"[0-7][0-9a-f]{15}")
_KEEPS_NUMBERS = ("ext", "xfs", "btrfs", "zfs", "f2fs", "jfs", "bcachefs", "tmpfs", "overlay")
_UNKNOWN = "-"


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
        raise SpoolError(
            f"the spool cannot live in {root}: it is on {mount.kind}, where neither locks nor syncs can be relied on"
        )


def spool_paths(root: Path) -> list[Path]:
    """The directories of spools below a root, in order of name."""
    return sorted(path for path in root.iterdir() if _NAME.fullmatch(path.name))


class SpoolDirectory:
    """One spool's directory, locked by this process. `is_copy`: it was made elsewhere and copied or restored here."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.source_id = int(path.name, 16)
        self._lock = lock
        made_at = os.pread(lock, 4096, 0).split()
        here = _place(path, lock)
        self.is_copy = len(made_at) == len(here) and any(map(_differ, made_at, here))
        if len(made_at) != len(here):
            self.settle()

    def settle(self) -> None:
        """Note that it belongs here, and may be written again. Raises OSError."""
        (self.path / LEFT).unlink(missing_ok=True)
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, b" ".join(_place(self.path, self._lock)) + b"\n", 0)
        self.is_copy = False

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
        handle = os.open(path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
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
        for path in spool_paths(root):
            try:
                directory = cls.lock(path)
            except OSError as error:
                set_aside(path, error)
                continue
            if directory is not None:
                yield directory

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._lock)


def _place(path: Path, lock: int) -> tuple[bytes, bytes, bytes]:
    """The machine, and the numbers of a directory and of its lock; what is not known, or does not last, is `-`."""
    try:
        machine = MACHINE_ID.read_text(encoding="ascii").strip() or _UNKNOWN
    except (OSError, UnicodeDecodeError):
        machine = _UNKNOWN
    mount = mount_of(path)
    if mount is None or not mount.kind.startswith(_KEEPS_NUMBERS):
        return machine.encode(), _UNKNOWN.encode(), _UNKNOWN.encode()
    return machine.encode(), b"%d" % path.stat().st_ino, b"%d" % os.fstat(lock).st_ino


def _differ(one: bytes, other: bytes) -> bool:
    return one != other and _UNKNOWN.encode() not in (one, other)


def leave(path: Path, reason: str) -> None:
    """Note why nobody is to write this spool until someone decides (`gembill spool`). A failure is said, not raised."""
    try:
        (path / LEFT).write_text(reason + "\n", encoding="utf-8")
        (path / LEFT).chmod(0o600)
    except OSError as error:
        log.warning("%s cannot be noted in %s: %s", reason, path, error)


def why_left(path: Path) -> str | None:
    """Why a spool is left alone; None where it is not."""
    try:
        return (path / LEFT).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def set_aside(path: Path, error: Exception) -> None:
    """Rename what cannot be used, so that it neither stops a start nor is lost."""
    target = path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}")
    try:
        path.rename(target)
    except OSError as failure:
        log.warning("the spool %s cannot be used (%s) nor renamed (%s); it is left alone", path, error, failure)
    else:
        log.error("the spool %s cannot be used (%s); it is set aside as %s", path, error, target)

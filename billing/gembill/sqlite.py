"""Which SQLite this process uses, whether it is safe, and where its files cannot be.

Owns: the choice between the wheel `pysqlite3` and the standard library, the check of its version, and the test for
network file systems. Not here: files and schemas (`spool.segment`, `ledger.engine`). Invariant: whoever opens a SQLite
file of ours takes `driver` from here, so that one library serves all.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode with several connections (fixed in 3.51.3, and in 3.44.6 and
3.50.7 of the older lines); Debian 12 ships 3.40.1. On a network file system neither its locks nor a WAL can be relied
on (reliability.md 5.9).
"""

import re
from dataclasses import dataclass
from pathlib import Path

try:
    from pysqlite3 import dbapi2 as driver
except ImportError:  # no wheel for this platform
    import sqlite3 as driver

__all__ = ["Mount", "Version", "driver", "mount_of", "network_mount", "version", "wal_is_safe"]

Version = tuple[int, int, int]

version: Version = driver.sqlite_version_info[:3]

MOUNTS = Path("/proc/mounts")
_NETWORK = (  # beginnings of names: nfs4, smb3 and smbfs are there too
    "nfs", "cifs", "smb", "afs", "ceph", "ncpfs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.glusterfs",
)  # fmt: skip
_ESCAPE = re.compile(r"\\([0-7]{3})")  # a blank in a mount point is written \040


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where it is mounted, and its kind (`ext4`, `nfs4`)."""

    point: Path
    kind: str


def wal_is_safe(version: Version) -> bool:
    """Whether WAL mode with several connections is free of the WAL-reset bug in this SQLite."""
    if version >= (3, 51, 3):
        return True
    return (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)


def network_mount(path: Path, mounts: Path = MOUNTS) -> Mount | None:
    """The network file system a path is on; None if it is on another kind, or the system does not say."""
    mount = mount_of(path, mounts)
    return mount if mount is not None and mount.kind.startswith(_NETWORK) else None


def mount_of(path: Path, mounts: Path = MOUNTS) -> Mount | None:
    """The file system a path is on, which need not exist; None where the system does not list its mounts."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    target, best = path.resolve(), None
    for _, point, kind, *_ in (line.split() for line in lines if line.count(" ") > 1):
        mount = Mount(Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), point)), kind)
        covers = target.is_relative_to(mount.point)
        if covers and (best is None or len(mount.point.parts) >= len(best.point.parts)):  # a later mount hides one
            best = mount
    return best

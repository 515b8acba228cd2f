"""Which file system a path is on, and whether it is a network's.

Owns: reading the system's list of mounts. Not here: who refuses what (`spool.directory`, `ledger.reading`). Invariant:
only reads; where the system does not list its mounts, nothing is refused.

On a network file system neither locks nor a write-ahead log can be relied on (reliability.md 5.9).
"""

import re
from dataclasses import dataclass
from pathlib import Path

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

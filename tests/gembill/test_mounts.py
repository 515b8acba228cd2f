"""The file systems where files of ours cannot be."""

from pathlib import Path

import pytest

from gembill import mounts as mounts_module
from gembill.mounts import Mount, mount_of, network_mount


def listed(folder: Path, *lines: str) -> Path:
    mounts = folder / "mounts"
    mounts.write_text("".join(f"{line}\n" for line in lines))
    return mounts


def test_a_network_file_system_is_found_by_the_longest_mount_point(tmp_path):
    mounts = listed(
        tmp_path,
        "/dev/root / ext4 rw 0 0",
        f"server:/x {tmp_path}/net nfs4 rw 0 0",
        f"d {tmp_path}/net/disk ext4 rw 0 0",
        "odd",
    )
    assert network_mount(tmp_path / "net" / "ledger.db", mounts) == Mount(tmp_path / "net", "nfs4")
    assert network_mount(tmp_path / "ledger.db", mounts) is None
    assert network_mount(tmp_path / "net" / "disk" / "ledger.db", mounts) is None


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "ncpfs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.glusterfs"])  # fmt: skip
def test_network_file_systems_are_known_by_name(tmp_path, kind):
    mounts = listed(tmp_path, f"x {tmp_path}/a\\040b {kind} rw 0 0")
    assert network_mount(tmp_path / "a b", mounts) == Mount(tmp_path / "a b", kind)
    assert network_mount(tmp_path, mounts) is None


def test_of_two_mounts_in_one_place_the_later_one_counts(tmp_path):
    mounts = listed(tmp_path, f"x {tmp_path} nfs4 rw 0 0", f"y {tmp_path} ext4 rw 0 0")
    assert mount_of(tmp_path, mounts) == Mount(tmp_path, "ext4")


def test_without_a_list_of_mounts_nothing_is_said(tmp_path):
    assert network_mount(tmp_path, tmp_path / "none") is None


def test_the_kind_of_file_system_is_known_on_linux():
    if not mounts_module.MOUNTS.exists():
        pytest.skip("this system lists no mounts")
    mount = mount_of(Path("/proc/self"))
    assert mount is not None
    assert mount.kind == "proc"

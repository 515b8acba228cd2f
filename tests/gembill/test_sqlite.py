"""Which SQLite is used, the versions whose WAL mode is safe, and the file systems where its files cannot be."""

import sqlite3
from pathlib import Path

import pytest

from gembill import sqlite
from gembill.sqlite import Mount, mount_of, network_mount, wal_is_safe


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 7, 0), False), ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 44, 9), True), ((3, 45, 0), False), ((3, 45, 9), False),
        ((3, 49, 2), False), ((3, 50, 6), False), ((3, 50, 7), True), ((3, 50, 12), True), ((3, 51, 0), False), ((3, 51, 2), False), ((3, 51, 3), True),
        ((3, 52, 0), True), ((4, 0, 0), True),
    ],
)  # fmt: skip
def test_only_versions_with_the_fix_are_safe(version, safe):
    assert wal_is_safe(version) is safe


def test_the_version_is_that_of_the_library_in_use():
    connection = sqlite.driver.connect(":memory:")
    try:
        (running,) = connection.execute("SELECT sqlite_version()").fetchone()
    finally:
        connection.close()
    assert ".".join(map(str, sqlite.version)) == running
    assert len(sqlite.version) == 3


def test_the_wheel_is_preferred_where_it_is_there():
    wheel = pytest.importorskip("pysqlite3")
    assert sqlite.driver is wheel.dbapi2
    assert sqlite.version >= sqlite3.sqlite_version_info[:3]


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
    if not sqlite.MOUNTS.exists():
        pytest.skip("this system lists no mounts")
    mount = mount_of(Path("/proc/self"))
    assert mount is not None
    assert mount.kind == "proc"

"""Which SQLite is used, the versions whose WAL mode is safe."""

import sqlite3

import pytest

from gembill import sqlite
from gembill.sqlite import wal_is_safe


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

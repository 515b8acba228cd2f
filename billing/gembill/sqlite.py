"""Which SQLite this process uses, and whether it is safe.

Owns: the choice between the wheel `pysqlite3` and the standard library, and the check of its version. Not here: files
and schemas (`ledger.engine`), and where a file may be (`mounts`). Invariant: whoever opens a SQLite file of ours takes
`driver` from here, so that one library serves all.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode with several connections (fixed in 3.51.3, and in 3.44.6 and
3.50.7 of the older lines); Debian 12 ships 3.40.1.
"""

try:
    from pysqlite3 import dbapi2 as driver
except ImportError:  # no wheel for this platform
    import sqlite3 as driver

__all__ = ["Version", "driver", "version", "wal_is_safe"]

Version = tuple[int, int, int]

version: Version = driver.sqlite_version_info[:3]


def wal_is_safe(version: Version) -> bool:
    """Whether WAL mode with several connections is free of the WAL-reset bug in this SQLite."""
    if version >= (3, 51, 3):
        return True
    return (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)

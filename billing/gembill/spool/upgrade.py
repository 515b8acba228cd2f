"""Segments of gembill 0.2, which were SQLite files, written again in the present form when their spool is opened.

Owns: reading the old files with their write-ahead logs, and what counts as damage in them. Not here: the present form.
Invariant: an old file is removed only when its replacement is on disk; one with damage is kept under another name. A
file whose entries are posted is not rewritten: it stays until it is old enough to go.
"""

import logging
import re
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from gembill.spool import frames
from gembill.spool.frames import Header
from gembill.spool.segment import Segment
from gembill.spool.wal_frames import committed_frames

if TYPE_CHECKING:
    import sqlite3

log = logging.getLogger(__name__)

_FILE = re.compile(r"(\d{8})-(\d{20})\.(db|damaged|seg)")
_ENDS = ("", "-wal", "-shm", "-journal")

Note = Callable[[int, int, str], None]


@dataclass(slots=True)
class Conversion:
    """The highest number of an old segment, and whether sequence numbers may have been given that cannot be seen."""

    number: int = 0
    extent_unknown: bool = False


@dataclass(frozen=True, slots=True)
class _Old:
    """What an old segment holds: completions (seq, microseconds, id, body), open intents, rows that fail their
    checksum, and how many frames of its log SQLite accepts (None where it has none)."""

    completions: list[tuple[int, int, str, bytes]]
    intents: list[tuple[str, bytes]]
    refused: int
    accepted: int | None


def convert(path: Path, source_id: int, posted: int, note: Note) -> Conversion:
    """Rewrite the old segments of a spool that have unposted completions or open intents. Raises OSError."""
    result = Conversion()
    files = sorted((match[1], match[3], file) for file in path.iterdir() if (match := _FILE.fullmatch(file.name)))
    old = [file for _, kind, file in files if kind == "db"]
    if not old:
        return result
    result.number = int(files[-1][0])
    result.extent_unknown = files[-1][1] == "damaged"
    for file, behind in zip(old, [*old[1:], None], strict=True):
        if behind is None or _first(behind) - 1 > posted:
            log.warning("%s is of gembill 0.2; it is written again in the present form", file)
            unseen = _rewrite(file, source_id, note)
            result.extent_unknown |= unseen and behind is None
    return result


def retire(path: Path, before: float) -> None:
    """Unlink old segments that were posted and written last before a moment. Raises OSError."""
    for file in path.glob("*.db"):
        if file.stat().st_mtime < before:
            _move(file, None)


def completions(file: Path, source_id: int) -> list[tuple[int, int, str, bytes]]:
    """What an old segment that was kept has: sequence number, microseconds, id and body, whole ones alone.

    ValueError or TypeError where it cannot be read.
    """
    from gembill.sqlite import driver

    try:
        with closing(driver.connect(f"file:{quote(str(file))}?mode=rw", uri=True, timeout=5.0)) as connection:
            owner = connection.execute("SELECT source_id FROM meta").fetchone()
            rows = connection.execute("SELECT seq, at_us, event_id, body, crc FROM final ORDER BY seq").fetchall()
    except driver.Error as error:
        raise ValueError(str(error)) from error
    if owner != (source_id,):
        raise ValueError(f"it says it belongs to source {owner}")
    return [row[:4] for row in rows if _is_whole(*row[2:])]


def _first(file: Path) -> int:
    return int(file.stem.partition("-")[2])


def _rewrite(file: Path, source_id: int, note: Note) -> bool:
    """Write one old segment again; whether some of it cannot be seen."""
    from gembill.sqlite import driver  # only an upgrade needs SQLite here

    log_file, first = file.with_name(f"{file.name}-wal"), _first(file)
    written = committed_frames(log_file)
    held = file.with_suffix(".held-wal")
    held.unlink(missing_ok=True)
    if written:
        held.hardlink_to(log_file)  # SQLite removes the log when it closes the file
    try:
        old = _read(file, source_id)
    except (driver.Error, ValueError, TypeError) as error:
        if "no such table" in str(error) and not written:
            _move(file, None)  # its process ended while it was being made
            return False
        note(first, first, f"{file} is damaged: {error}")
        _move(file, ".db-damaged")
        return True
    lost = 0 if old.accepted is None else written - old.accepted
    if lost > 0:
        note(first, first, f"{log_file} lost {lost} of {written} committed frames to damage")
    if old.refused:
        note(first, first, f"{old.refused} rows of {file} fail their checksum")
    _write(file, source_id, first, old)
    if lost > 0 or old.refused:
        _move(file, ".db-damaged")
    else:
        _move(file, None)
        held.unlink(missing_ok=True)
    return lost > 0


def _read(file: Path, source_id: int) -> _Old:
    """The contents of an old segment. Raises an error of the driver, or ValueError."""
    from gembill.sqlite import driver

    with closing(driver.connect(f"file:{quote(str(file))}?mode=rw", uri=True, timeout=5.0)) as connection:
        owner = connection.execute("SELECT source_id FROM meta").fetchone()
        if owner != (source_id,):
            raise ValueError(f"it says it belongs to source {owner}")
        completions = connection.execute("SELECT seq, at_us, event_id, body, crc FROM final ORDER BY seq").fetchall()
        intents = connection.execute("SELECT event_id, body, crc FROM intent ORDER BY n").fetchall()
        accepted = _accepted(connection)
    good = [row[:4] for row in completions if _is_whole(*row[2:])]
    opens = [row[:2] for row in intents if _is_whole(*row)]
    return _Old(good, opens, len(completions) + len(intents) - len(good) - len(opens), accepted)


def _accepted(connection: "sqlite3.Connection") -> int | None:
    seen: int = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
    return None if seen < 0 else seen


def _is_whole(event_id: str, body: bytes, crc: int) -> bool:
    return crc == zlib.crc32(body, zlib.crc32(event_id.encode()))


def _write(file: Path, source_id: int, first: int, old: _Old) -> None:
    """The same in the present form, on disk; what an earlier try left is replaced. Raises OSError."""
    target = file.with_suffix(".seg")
    target.unlink(missing_ok=True)
    segment = Segment.begin(target)
    try:
        begun_us = old.completions[0][1] if old.completions else time.time_ns() // 1000
        segment.write(
            [
                *(frames.intent(n, name.encode(), body) for n, (name, body) in enumerate(old.intents, 1)),
                *(frames.completion(seq, at_us, name.encode(), body) for seq, at_us, name, body in old.completions),
            ],
            Header(source_id, first, begun_us, len(old.intents)).written(),
        )
    finally:
        segment.close()


def _move(file: Path, suffix: str | None) -> None:
    """Rename an old segment with its companions, or remove it. Raises OSError."""
    for end in _ENDS:
        companion = file.with_name(file.name + end)
        if not companion.exists():
            continue
        if suffix is None:
            companion.unlink()
        else:
            companion.rename(file.with_name(file.stem + suffix + end))

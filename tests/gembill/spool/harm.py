"""Harm to a segment on disk, for the tests of damage."""

from pathlib import Path

from gembill.spool import frames
from gembill.spool.frames import HEADER_BYTES


def groups(path: Path) -> list[tuple[int, frames.Frame]]:
    """Where each whole group of a segment begins, and its frame."""
    data, whole = path.read_bytes(), []
    at = frames.find(data, HEADER_BYTES)
    while at is not None:
        group = frames.parse(data, at)
        assert group is not None
        whole.append((at, group))
        at = frames.find(data, group.end)
    return whole


def holds(path: Path, wanted: bytes) -> bool:
    """Whether an entry of the segment has these words."""
    return any(wanted in frame.payload for _, group in groups(path) for frame in frames.grouped(group))


def flip(path: Path, wanted: bytes) -> None:
    """One bit of the group that has these words; the file stays the same one, as a disk would have it."""
    at = next(g.end for _, g in groups(path) if any(wanted in frame.payload for frame in frames.grouped(g))) - 1
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))

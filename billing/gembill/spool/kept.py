"""All completions that a spool still keeps, read again from the first, for a ledger that lost them.

Owns: reading every segment there is, those of gembill 0.2 too, how far a spool can be read while it is written, and
what of it cannot be read. Not here: the cursor, which stays where it is, and posting. Invariant: completions come in
order, each once, and only those that are on disk; no segment is written or renamed.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gembill.errors import SpoolError
from gembill.spool import upgrade
from gembill.spool.directory import spool_paths
from gembill.spool.reader import SpoolReader, read_cursor
from gembill.spool.segment import SegmentEntry, SegmentReader
from gembill.spool.segments import DamageLog, count_missing

log = logging.getLogger(__name__)

_FILE = re.compile(r"\d{8}-(\d{20})\.(seg|seg-damaged|db)")
_END = 2**63


@dataclass(frozen=True, slots=True)
class _Piece:
    """A segment, and the numbers it answers for."""

    path: Path
    first: int
    last: int


@dataclass(slots=True)
class KeptSpool:
    """One spool whose completions are read again. `damage` grows while they are read; `close` lets go of its lock."""

    path: Path
    source_id: int
    upto: int  # the highest number that is known to be on disk
    damage: DamageLog = field(default_factory=DamageLog)
    _lock: SpoolReader | None = None

    @classmethod
    def open(cls, path: Path) -> "KeptSpool":
        """The spool in this directory. Of one that a process has, only what was posted is read: the rest it posts.

        SpoolError where it cannot be read.
        """
        reader = SpoolReader(path)
        try:
            newest = _pieces(path)[-1:]
            if reader.lock_posting() and not any(_is_written(piece.path) for piece in newest):
                return cls(path, reader.source_id, _END, _lock=reader)
            reader.close()
            return cls(path, reader.source_id, read_cursor(path))
        except OSError as error:
            reader.close()
            raise SpoolError(f"the spool {path} cannot be read: {error.strerror}") from error

    def entries(self, since_us: int = 0) -> Iterator[SegmentEntry]:
        """Its completions in order, of those appended since a moment. SpoolError where the disk fails."""
        position = None
        try:
            for piece in _pieces(self.path):
                position = piece.first - 1 if position is None else position
                for entry in self._whole(piece):
                    if not position < entry.seq <= min(piece.last, self.upto):
                        continue
                    self._note_gap(position + 1, entry.seq)
                    position = entry.seq
                    if entry.at_us >= since_us:
                        yield entry
        except OSError as error:
            raise SpoolError(f"the spool {self.path} cannot be read: {error.strerror}") from error

    def open_calls(self) -> list[tuple[str, bytes]]:
        """The calls that were under way when its process ended: id and body of each intent without a completion."""
        for piece in reversed(_pieces(self.path)):
            if piece.path.suffix == ".db":
                break
            reader = SegmentReader(piece.path)
            try:
                while reader.next() is not None:
                    pass
                if reader.header is not None and reader.is_begun:
                    return [intent for _, intent in sorted(reader.opens.items())]
            finally:
                reader.close()
        return []

    def _note_gap(self, expected: int, seq: int) -> None:
        if missing := count_missing(expected, seq):
            last = expected + missing - 1
            self.damage.note(expected, last, f"completions {expected} to {last} in {self.path} cannot be read")

    def _whole(self, piece: _Piece) -> Iterator[SegmentEntry]:
        """What of one segment can be read."""
        if piece.path.suffix == ".db":
            yield from self._old(piece)
            return
        reader = SegmentReader(piece.path)
        try:
            if reader.header is not None and reader.header.source_id != self.source_id:
                self.damage.note(piece.first, piece.first, f"{piece.path} belongs to another spool")
                return
            while (entry := reader.next()) is not None:
                yield entry
            for reason in reader.damage:
                self.damage.note(piece.first, piece.first, reason)
        finally:
            reader.close()

    def _old(self, piece: _Piece) -> Iterator[SegmentEntry]:
        """A segment of gembill 0.2, which was posted and is kept as it was."""
        try:
            rows = upgrade.completions(piece.path, self.source_id)
        except (ValueError, TypeError) as error:
            self.damage.note(piece.first, piece.first, f"{piece.path} of gembill 0.2 cannot be read: {error}")
            return
        yield from (SegmentEntry(seq, name, body, at_us) for seq, at_us, name, body in rows)

    def close(self) -> None:
        """Let another process post it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def kept_spools(root: Path) -> list[Path]:
    """The directories of spools below a root, in order of name; none where there is no root."""
    return spool_paths(root) if root.is_dir() else []


def _pieces(path: Path) -> list[_Piece]:
    """The segments of a directory in their order; each ends where the next begins."""
    matches = sorted((match[0], int(match[1])) for file in path.iterdir() if (match := _FILE.fullmatch(file.name)))
    ends = [first - 1 for _, first in matches[1:]] + [_END]
    return [_Piece(path / name, first, end) for (name, first), end in zip(matches, ends, strict=True)]


def _is_written(path: Path) -> bool:
    """Whether a process writes a segment; what nobody writes is made durable here, before anyone relies on it."""
    if path.suffix == ".db":
        return False
    reader = SegmentReader(path)
    try:
        if reader.is_written():
            return True
        reader.sync()
        return False
    finally:
        reader.close()

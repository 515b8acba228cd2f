"""The completions of a spool in their order, for the one who posts them: the same process as the writer's, or another.

Owns: reading across segments while they grow, gaps and damage, the posting cursor, and the lock of whoever posts. Not
here: writing, and what becomes of an entry. Invariant: completions come in order, each once, and only those that the
writer said are on disk; what is damaged is named, and does not hold up what is behind it.
"""

import fcntl
import logging
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path

from gembill.errors import SpoolError
from gembill.spool.segment import SegmentEntry, SegmentReader
from gembill.spool.segments import DamageLog, SequenceRange, count_missing, listed, set_aside

log = logging.getLogger(__name__)

_CURSOR = re.compile(rb"(\d{20}) ([0-9a-f]{8})\n")


def read_cursor(path: Path) -> int:
    """The highest sequence number known to be posted; 0 where that was lost (posting again is harmless)."""
    try:
        text = (path / "posted").read_bytes()
    except FileNotFoundError:
        return 0
    match = _CURSOR.fullmatch(text)
    if match is None or int(match[2], 16) != zlib.crc32(match[1]):
        log.warning("%s is not readable as a cursor; posting starts again from the first retained entry", path)
        return 0
    return int(match[1])


class SpoolReader:
    """One spool's completions, for one thread. `posted` is the cursor: everything up to it is in the ledger.

    `upto` is the highest number that may be read: the writer says which are on disk.
    """

    def __init__(self, path: Path, damage: DamageLog | None = None) -> None:
        self.path = path
        self.source_id = int(path.name, 16)
        self.posted = read_cursor(path)
        self.upto = 0
        self.on_posted: Callable[[], None] | None = None  # called when the cursor moved
        self.damage = damage or DamageLog()
        self._cursor: int | None = None
        self._lock: int | None = None
        self._reader: SegmentReader | None = None
        self._said = 0  # damage of the present segment that was noted
        self._position = 0  # the number of the last completion that was taken from `_reader`
        self._latest: tuple[tuple[int, int], list[SegmentEntry]] | None = None

    def lock_posting(self) -> bool:
        """Be the one who posts this spool; False while another process is. Raises OSError."""
        handle = os.open(self.path / "posting.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        self.posted = max(self.posted, read_cursor(self.path))  # who had it before us got on meanwhile
        if self.on_posted is not None:
            self.on_posted()
        return True

    def read(self, after: int, limit: int) -> list[SegmentEntry]:
        """At most `limit` completions with a number above `after`, in order. Raises SpoolError.

        Damaged ones are left out, logged, and named in `damage`; where nothing else is left, the cursor passes them.
        """
        if self._latest is not None and self._latest[0] == (after, limit):
            return self._latest[1]  # the ledger did not take them
        if after != self._position:
            self._close_segment()
        try:
            spans = listed(self.path, self._reader.path.stem if self._reader is not None else "")
            entries = self._read(spans, after, limit)
        except OSError as error:
            raise SpoolError(f"the spool {self.path} cannot be read now: {error.strerror}") from error
        if limit > 0:
            self._note_gaps(max(after, spans[0].first - 1 if spans else after), entries, at_end=len(entries) < limit)
        if not entries and limit > 0 and self.posted <= after < self.upto:
            self.mark_posted(self.upto)  # nothing there can be read, which was reported: do not stop for ever
        self._latest = ((after, limit), entries) if len(entries) == limit > 0 else None
        return entries

    def _read(self, spans: list[SequenceRange], after: int, limit: int) -> list[SegmentEntry]:
        entries: list[SegmentEntry] = []
        self._position = after
        for index, span in enumerate(spans):
            end = self.upto if index == len(spans) - 1 else min(self.upto, span.last)
            if end <= self._position or self.upto < span.first:
                continue
            self._open_segment(span)
            while len(entries) < limit and (entry := self._next(end)) is not None:
                entries.append(entry)
            self._note_damage(span)
            if len(entries) == limit:
                break
        return entries

    def _next(self, end: int) -> SegmentEntry | None:
        """The next completion of the present segment up to a number."""
        while self._position < end and (entry := self._peek()) is not None and entry.seq <= end:
            self._segment.next()
            if entry.seq > self._position:
                self._position = entry.seq
                return entry
        return None

    def _peek(self) -> SegmentEntry | None:
        header = self._segment.header
        if header is not None and header.source_id != self.source_id:
            return None  # a stray file, which the start named
        return self._segment.peek()

    @property
    def _segment(self) -> SegmentReader:
        assert self._reader is not None
        return self._reader

    def _open_segment(self, span: SequenceRange) -> None:
        if self._reader is not None and self._reader.path.stem == span.path.stem:
            return
        self._close_segment()
        self._reader = SegmentReader(span.path)
        self._said = 0

    def _close_segment(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _note_damage(self, span: SequenceRange) -> None:
        """Name new damage and set the segment aside: it is read and written on, and is never unlinked."""
        fresh = self._segment.damage[self._said :]
        self._said += len(fresh)
        for reason in fresh:
            self.damage.note(span.first, span.first, reason)
        if fresh and span.path.suffix == ".seg":
            set_aside(span.path)

    def _note_gaps(self, after: int, entries: list[SegmentEntry], *, at_end: bool) -> None:
        """Name every number that ought to be there. Those before the first segment were posted and put away."""
        expected = after + 1
        for seq in [*(entry.seq for entry in entries), *([self.upto + 1] if at_end else [])]:
            if missing := count_missing(expected, seq):
                last = expected + missing - 1
                reason = f"completions {expected} to {last} in {self.path} cannot be read"
                self.damage.note(expected, last, reason, missing)
            expected = max(expected, seq + 1)

    def settle(self) -> None:
        """Once the writer has ended: let everything be read that is in the segments nobody writes, and make it durable.

        A segment that is being written belongs to a process that was started since. Raises OSError.
        """
        spans = listed(self.path)
        for index, span in enumerate(spans):
            newest = index == len(spans) - 1
            if not newest and span.last <= self.upto:
                continue
            segment = SegmentReader(span.path)
            try:
                if segment.is_written():
                    return
                segment.sync()
                while (entry := segment.next()) is not None and (newest or entry.seq <= span.last):
                    self.upto = max(self.upto, entry.seq)
            finally:
                segment.close()

    def mark_posted(self, seq: int) -> None:
        """Move the cursor: everything up to `seq` is in the ledger."""
        if seq <= self.posted:
            return
        self.posted = seq
        try:
            self._write_cursor(seq)
        except OSError as error:
            log.warning("the cursor of %s cannot be written (%s); a restart posts again", self.path, error)
        if self.on_posted is not None:
            self.on_posted()

    def _write_cursor(self, seq: int) -> None:
        """Note it in the file, unsynced: it survives this process, not always the machine."""
        if self._cursor is None:
            self._cursor = os.open(self.path / "posted", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        digits = b"%020d" % seq
        os.pwrite(self._cursor, b"%s %08x\n" % (digits, zlib.crc32(digits)), 0)

    def close(self) -> None:
        """Let go of the files, and of the lock."""
        self._close_segment()
        for handle in (self._cursor, self._lock):
            if handle is not None:
                os.close(handle)
        self._cursor = self._lock = None

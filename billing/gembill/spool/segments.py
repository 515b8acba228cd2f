"""The segments of one spool in their order, as they are opened, counted and put away.

Owns: which sequence numbers each segment answers for, what a start finds in them, how much waits, and unlinking old
ones. Not here: writing of entries, reading for posting (`reader`), and the cursor. Invariant: a segment answers for the
numbers from its first up to the next segment's first, so the rows of a write that failed, was written again in the next
segment, and turns up after a crash all the same, are never read twice.

The file's name is `NUMBER-FIRST.seg`: its order and its first sequence number, known without opening it. A segment in
which damage was found is called `.seg-damaged`; what is whole in it is read as before, and it is never unlinked.
"""

import contextlib
import itertools
import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gembill.spool import upgrade
from gembill.spool.frames import HEADER_BYTES, Header
from gembill.spool.segment import SegmentReader

log = logging.getLogger(__name__)

JUMP = 1 << 24  # more completions than a lost segment can have held, so that no number is ever given twice

_FILE = re.compile(r"(\d{8})-(\d{20})\.(seg|seg-damaged)")
_MARKS = 4096


@dataclass(slots=True)
class SequenceRange:
    """One segment in the row: it answers for `first` to `last`. `writing` while the writer has it."""

    number: int
    first: int
    path: Path
    last: int
    bytes: int = 0
    writing: bool = False


def count_missing(expected: int, seq: int) -> int:
    """How many of the numbers from `expected` to before `seq` were given to something.

    A start after damage jumps over `JUMP` of them, counted from the last that it could read; salvage may have read
    further since.
    """
    distance = seq - expected
    jumps = (distance + JUMP // 2) // JUMP
    return max(0, distance - jumps * JUMP)


@dataclass(frozen=True, slots=True)
class Damage:
    """What cannot be handed out: completions `first_seq` to `last_seq` (one number for intents and files), and why.

    `missing` is how many completions are known to be lost by it.
    """

    first_seq: int
    last_seq: int
    reason: str
    missing: int = 0


class DamageLog:
    """What was found damaged or missing, each said once."""

    def __init__(self) -> None:
        self._noted: dict[tuple[int, int, str], Damage] = {}

    def note(self, first: int, last: int, reason: str, missing: int = 0) -> None:
        """Say it, unless it was said before."""
        if (first, last, reason) not in self._noted:
            log.error("%s", reason)
            self._noted[first, last, reason] = Damage(first, last, reason, missing)

    def __iter__(self) -> Iterator[Damage]:
        return iter(tuple(self._noted.values()))


def segment_path(directory: Path, number: int, first_seq: int) -> Path:
    """Where a segment of this order and first sequence number lives."""
    return directory / f"{number:08d}-{first_seq:020d}.seg"


def listed(directory: Path, since: str = "") -> list[SequenceRange]:
    """The segments of a directory in their order; each ends where the next begins, the newest is open. Raises OSError.

    Numbers above a segment's end belong to the segments behind it, whatever the file has. Names below `since` are left
    out: many segments are kept that are posted.
    """
    names = sorted(name for name in os.listdir(directory) if name >= since)  # noqa: PTH208 - thousands, and mostly old
    matches = [match for name in names if (match := _FILE.fullmatch(name))]
    spans = [SequenceRange(int(m[1]), int(m[2]), directory / m[0], int(m[2]) - 1) for m in matches]
    for span, behind in itertools.pairwise(spans):
        span.last = behind.first - 1
    return spans


def set_aside(path: Path) -> Path:
    """Call a damaged segment so; its new path. Who has it open reads and writes on."""
    target = path.with_suffix(".seg-damaged")
    with contextlib.suppress(FileNotFoundError):
        path.rename(target)
    return target


class Segments:
    """The row of segments. `add` and `retire` belong to the writer thread, the rest is for any. Raises OSError."""

    def __init__(self, path: Path, *, source_id: int, posted: int, damage: DamageLog) -> None:
        self.path = path
        self.intents: list[tuple[str, bytes]] = []
        self.damage = damage
        self._row = threading.Lock()  # held while `spans` is replaced; who reads takes the tuple as it is
        self._source_id = source_id
        self._marks: deque[tuple[int, int]] = deque()  # sequence numbers, and when they were appended
        old = upgrade.convert(path, source_id, posted, self.damage.note)
        self._jump = old.extent_unknown  # whether numbers that were given may be unknown here
        spans = listed(path)
        self.next_number = max((span.number for span in spans), default=old.number) + 1
        self.spans = tuple(reversed(list(self._inspected(spans, posted))))
        self.next_seq = self._next_seq(posted)

    @property
    def last(self) -> int:
        """The highest sequence number that is on disk, 0 without any."""
        return self.spans[-1].last if self.spans else 0  # thousands are kept

    def unposted(self, posted: int) -> tuple[int, int]:
        """How many completions are behind the cursor, and how many bytes of segments they take, about."""
        count = size = 0
        for span in self.spans:
            waiting = span.last - max(posted, span.first - 1)
            if waiting > 0:
                count += waiting
                size += span.bytes * waiting // (span.last - span.first + 1)
        return count, size

    # Opening

    def _inspected(self, spans: list[SequenceRange], posted: int) -> Iterator[SequenceRange]:
        """The segments that were begun, newest first. Read are those that may hold open intents, and damaged ones."""
        settled, end = False, None  # the open intents are known; the highest number that the segment behind leaves
        for span in reversed(spans):
            begun_us = _begun_us(span.path) if end is not None and end > posted else 0
            if not settled or span.path.suffix == ".seg-damaged" or begun_us is None:
                state = self._look(span, end, posted, want_intents=not settled)
                if state is None:
                    span.path.unlink()
                    continue
                settled = settled or state
            elif end is not None:
                span.last = end
                if begun_us:
                    self._marks.appendleft((max(span.first, posted + 1), begun_us))
            span.bytes = span.path.stat().st_size
            end = span.first - 1
            yield span

    def _look(self, span: SequenceRange, end: int | None, posted: int, *, want_intents: bool) -> bool | None:
        """Read one segment; whether it shows the open intents. None where nothing was ever acknowledged from it."""
        reader = SegmentReader(span.path)
        try:
            ours = reader.header is None or reader.header.source_id == self._source_id
            if ours:
                span.last = self._read_to_end(reader, span.first, end, posted)
                if not reader.is_begun:
                    return None
            if end is None:
                reader.sync()  # the process that wrote it may have ended between its write and its sync
            if want_intents and ours:
                self.intents = list(reader.opens.values())
            self._report(span, reader, newest=end is None)
            return ours and reader.header is not None
        finally:
            reader.close()

    def _read_to_end(self, reader: SegmentReader, first: int, end: int | None, posted: int) -> int:
        """The highest number that a segment answers for."""
        last = first - 1
        while (entry := reader.next()) is not None:
            if end is None or entry.seq <= end:
                last = max(last, entry.seq)
                if entry.seq == posted + 1:
                    self._marks.appendleft((entry.seq, entry.at_us))
        return last

    def _report(self, span: SequenceRange, reader: SegmentReader, *, newest: bool) -> None:
        """Name what is damaged, and set the segment aside."""
        reasons = list(reader.damage)
        if reader.header is None and reader.version is not None:
            reasons.append(
                f"{span.path.with_suffix('')} is of version {reader.version} of segments, which this gembill does not "
                "know: it reads what it can, and the file stays; for the rest go back to the gembill that wrote it"
            )
        elif reader.header is None:
            reasons.append(f"{span.path.with_suffix('')} does not begin as a segment of this version")
        elif reader.header.source_id != self._source_id:
            reasons.append(f"{span.path.with_suffix('')} says it belongs to source {reader.header.source_id:016x}")
        elif newest and (broken := reader.broken_end()) is not None:
            reasons.append(broken)
        for reason in reasons:
            self.damage.note(span.first, span.first, reason)
        if reasons:
            span.path = set_aside(span.path)
            self._jump = self._jump or (newest and reasons != reader.damage)

    def _next_seq(self, posted: int) -> int:
        if posted > self.last:
            self.damage.note(
                self.last + 1,
                posted,
                f"{self.path} lacks completions {self.last + 1} to {posted}, which were posted before",
            )
            self._jump = True
        return max(self.last, posted) + 1 + (JUMP if self._jump else 0)

    # Counting and keeping

    def add(self, span: SequenceRange) -> None:
        """A new segment whose first group is on disk."""
        with self._row:
            self.spans = (*self.spans, span)

    def mark(self, seq: int, at_us: int) -> None:
        """A group was written whose first completion is this one."""
        marks = self._marks
        marks.append((seq, at_us))
        if len(marks) > _MARKS:  # a ledger that is away for long: every second will do
            self._marks = deque(mark for index, mark in enumerate(marks) if index % 2 == 0)

    def appended_us(self, seq: int) -> int | None:
        """When this completion was appended, in microseconds, or one shortly before it."""
        at_us = None
        for first, marked_us in tuple(self._marks):
            if first > seq:
                break
            at_us = marked_us
        return at_us

    def forget(self, posted: int) -> None:
        """Everything up to this number is in the ledger."""
        marks = self._marks
        while len(marks) > 1 and marks[1][0] <= posted + 1:
            marks.popleft()

    def retire(self, posted: int, keep_s: float) -> None:
        """Unlink segments that are posted and old; never the newest, a damaged one, or one being written."""
        before = time.time() - keep_s
        for span in self.spans[:-1]:
            if _is_spent(span, posted) and _is_older(span.path, before):
                self._unlink(span)
        upgrade.retire(self.path, before)

    def shed(self, posted: int) -> Path | None:
        """Unlink the oldest segment that `retire` would in time; the file, or None where there is none."""
        for span in self.spans[:-1]:
            if _is_spent(span, posted) and span.path.exists():  # whatever its age: the clock may have been set back
                self._unlink(span)
                return span.path
        return None

    def _unlink(self, span: SequenceRange) -> None:
        with self._row:
            self.spans = tuple(other for other in self.spans if other is not span)
        span.path.unlink(missing_ok=True)


def _is_spent(span: SequenceRange, posted: int) -> bool:
    """Whether a segment is posted, whole, and not being written."""
    return span.last <= posted and not span.writing and span.path.suffix == ".seg"


def _begun_us(path: Path) -> int | None:
    """When a segment was begun; None where its header cannot be read."""
    with path.open("rb") as file:
        header = Header.read(file.read(HEADER_BYTES))
    return None if header is None else header.begun_us


def _is_older(path: Path, than: float) -> bool:
    """Whether a file was written last before a moment. One that was set aside meanwhile is not."""
    try:
        return path.stat().st_mtime < than
    except FileNotFoundError:
        return False

"""The segments of one spool in their order, as they are read and put away.

Owns: which sequence numbers each segment answers for, reading across segments, gaps, setting damaged files aside, and
unlinking old ones. Not here: writing of entries, and the cursor. Invariant: a segment answers for the numbers from its
first up to the next segment's first, so the rows of a commit that failed, was written again in the next segment, and
turns up after a crash all the same, are never read twice.

The file's name is `NUMBER-FIRST.db`: its order and its first sequence number, known without opening it.
"""

import logging
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from gembill.errors import SpoolError
from gembill.spool.segment import CompletionRow, IntentRow, SegmentDamaged, SegmentEmpty, SegmentReader, files, unlink
from gembill.spool.wal_frames import committed_frames

log = logging.getLogger(__name__)

JUMP = 1 << 24  # more completions than a lost segment can have held, so that no number is ever given twice
READ_WAIT_S = 5.0

_FILE = re.compile(r"(\d{8})-(\d{20})\.(db|damaged)(?:-\w+)?")


@dataclass(slots=True)
class SequenceRange:
    """One segment in the row: it answers for `first` to `last`. Bytes are about; `writing` while the writer has it."""

    number: int
    first: int
    path: Path
    last: int
    bytes: int = 0
    writing: bool = False
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A completion as it was appended."""

    seq: int
    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """What cannot be handed out: completions `first_seq` to `last_seq` (one number for intents and files), and why."""

    first_seq: int
    last_seq: int
    reason: str


class Segments:
    """The row of segments. `add` and `tidy` belong to the writer thread, the rest is for any."""

    def __init__(self, path: Path, *, source_id: int, posted: int) -> None:
        self.path = path
        self.intents: tuple[IntentRow, ...] = ()
        self.untidy = False  # whether something damaged has yet to be renamed
        self._source_id = source_id
        self._oldest: tuple[int, int] | None = None  # a number near the cursor, and when it was appended
        self._damage: dict[tuple[int, int], Damage] = {}
        self._reading = threading.Lock()
        self._row = threading.Lock()  # held while `spans` is replaced; who reads takes the tuple as it is
        self._reader: SegmentReader | None = None
        self._jump = False  # whether numbers that were given may be unknown here
        self._top = 0  # every number up to it was given before the newest segment began
        numbers = [int(match[1]) for file in path.iterdir() if (match := _FILE.fullmatch(file.name))]
        self.next_number = max(numbers, default=0) + 1
        self.spans = self._spans_on_disk()
        self._inspect(posted)
        self.next_seq = self._next_seq(posted)

    @property
    def last(self) -> int:
        """The highest sequence number that is on disk and can be read, 0 without any."""
        return max((span.last for span in self.spans), default=0)

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What was found damaged or missing since opening."""
        return tuple(self._damage.values())

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

    def _spans_on_disk(self) -> tuple[SequenceRange, ...]:
        """A span for each segment file that was not set aside; what is in it comes from `_inspect`."""
        spans: list[SequenceRange] = []
        damaged = 0
        for file in sorted(self.path.iterdir()):
            match = _FILE.fullmatch(file.name)
            if match is None:
                continue
            self._top = max(self._top, int(match[2]) - 1)
            if file.suffix == ".db":
                spans.append(SequenceRange(int(match[1]), int(match[2]), file, int(match[2]) - 1))
            elif file.suffix == ".damaged":
                damaged = int(match[1])
        self._jump = damaged > max((span.number for span in spans), default=0)
        return tuple(spans)

    def _inspect(self, posted: int) -> None:
        """Open what has unposted completions, and from the newest backwards until one shows the open intents."""
        has_intents = False
        bound: int | None = None  # the highest number that the segment behind leaves to this one
        for span in reversed(self.spans):
            if has_intents and bound is not None and bound <= posted:
                span.last = bound
            else:
                try:
                    self._look(span, bound, with_intents=not has_intents)
                    has_intents = True
                except SegmentEmpty:  # nothing was ever acknowledged from it
                    self._drop(span)
                    unlink(span.path)
                    continue
                except SegmentDamaged as error:
                    self._lose(span, bound, str(error))
            bound = span.first - 1

    def _look(self, span: SequenceRange, bound: int | None, *, with_intents: bool) -> None:
        """Read one segment's contents into its span."""
        written = committed_frames(files(span.path)[1])
        if written:
            self._hold_log(span)
        reader = self._first_reader(span, written)
        try:
            contents = reader.contents(span.first, intents=with_intents)
            seen = reader.frames()
        finally:
            reader.close()
        self._settle_log(span, lost=0 if seen is None else written - seen, written=written)
        span.bytes = sum(file.stat().st_size for file in files(span.path)[:2] if file.exists())
        span.last = contents.last_seq if bound is None else min(bound, contents.last_seq)
        if with_intents:
            self.intents = contents.intents
        if contents.refused:
            self._mark(span, f"{contents.refused} open intents in {span.path} fail their checksum")
            self._note(span.first, span.first, f"{contents.refused} open intents in {span.path} fail their checksum")

    def _first_reader(self, span: SequenceRange, written: int) -> SegmentReader:
        try:
            return SegmentReader(span.path, source_id=self._source_id, wait_s=READ_WAIT_S)
        except SegmentEmpty as error:
            if written:
                reason = f"{span.path}-wal lost all of {written} committed frames to damage"
                raise SegmentDamaged(reason) from error
            raise

    def _hold_log(self, span: SequenceRange) -> None:
        """A second name for the log (it costs no space): SQLite removes the first when the reader closes."""
        held = span.path.with_suffix(".held-wal")
        try:
            held.unlink(missing_ok=True)
            held.hardlink_to(files(span.path)[1])
        except OSError as error:
            log.warning("%s-wal cannot be held for salvage: %s", span.path, error)

    def _settle_log(self, span: SequenceRange, *, lost: int, written: int) -> None:
        """Keep the held log where frames that were committed are not accepted any more, else let it go."""
        held = span.path.with_suffix(".held-wal")
        if lost <= 0:
            held.unlink(missing_ok=True)
            return
        self._jump = True
        self._note(span.first, span.first, f"{span.path}-wal lost {lost} of {written} committed frames to damage")
        if held.exists():
            held.rename(span.path.with_suffix(".damaged-wal"))

    def _lose(self, span: SequenceRange, bound: int | None, reason: str) -> None:
        """A whole segment that cannot be read at opening. How far the newest went is unknown: hence the jump."""
        self._drop(span)
        self._rename(span)
        held = span.path.with_suffix(".held-wal")
        if held.exists():
            held.rename(span.path.with_suffix(".damaged-wal"))
        self._jump = self._jump or bound is None
        self._note(span.first, span.first if bound is None else max(span.first, bound), reason)

    def _drop(self, span: SequenceRange) -> None:
        with self._row:
            self.spans = tuple(other for other in self.spans if other is not span)

    def _next_seq(self, posted: int) -> int:
        top = max(self.last, self._top)
        if posted > top:
            self._note(
                top + 1, posted, f"{self.path} lacks completions {top + 1} to {posted}, which were posted before"
            )
            self._jump = True
        return max(top, posted) + 1 + (JUMP if self._jump else 0)

    # Reading

    def read(self, after: int, limit: int) -> list[SegmentEntry]:
        """At most `limit` completions behind `after`, in order; damaged ones are noted instead. Raises SpoolError."""
        with self._reading:
            upto = self.last
            rows: list[CompletionRow] = []
            for span in self.spans:
                if span.last > after and len(rows) < limit:
                    rows.extend(self._read_span(span, after, limit - len(rows)))
            self._find_gaps(after, [row[0] for row in rows], upto if len(rows) < limit else 0)
            if rows:
                self._oldest = rows[0][:2]
            return [SegmentEntry(seq, event_id, body) for seq, _, event_id, body, _ in rows]

    def _read_span(self, span: SequenceRange, after: int, limit: int) -> tuple[CompletionRow, ...]:
        try:
            page = self._reader_of(span).completions(max(after, span.first - 1), span.last, limit)
        except SegmentDamaged as error:
            self._mark(span, str(error))
            return ()
        if page.broken is not None or page.refused:
            self._mark(span, page.broken or f"{page.refused} completions in {span.path} fail their checksum")
        return page.rows

    def _reader_of(self, span: SequenceRange) -> SegmentReader:
        if self._reader is None or self._reader.path != span.path:
            self._close_reader()
            self._reader = SegmentReader(span.path, source_id=self._source_id, wait_s=READ_WAIT_S)
        return self._reader

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _find_gaps(self, after: int, read: list[int], upto: int) -> None:
        """Note every number that ought to be there; `upto` is 0 where reading stopped at its limit."""
        spans = self.spans
        expected = max(after, spans[0].first - 1 if spans else after) + 1
        for seq in [*read, *([upto + 1] if upto >= expected else [])]:
            if seq > expected:
                self._note(expected, seq - 1, f"completions {expected} to {seq - 1} in {self.path} cannot be read")
            expected = seq + 1

    def appended_us(self, seq: int) -> int | None:
        """When this completion was appended, in microseconds; an earlier answer if a reader is busy."""
        if (self._oldest is None or self._oldest[0] != seq) and self._reading.acquire(blocking=False):
            try:
                self._oldest = self._find_oldest(seq)
            except SpoolError as error:
                log.warning("the age of the oldest unposted entry is not known: %s", error)
            finally:
                self._reading.release()
        return self._oldest[1] if self._oldest else None

    def _find_oldest(self, seq: int) -> tuple[int, int] | None:
        for span in self.spans:
            if span.last >= seq and (rows := self._read_span(span, seq - 1, 1)):
                return seq, rows[0][1]
        return None

    # Keeping

    def add(self, span: SequenceRange) -> None:
        """A new segment whose first transaction is on disk."""
        with self._row:
            self.spans = (*self.spans, span)

    def _mark(self, span: SequenceRange, reason: str) -> None:
        if not span.damaged:
            log.error("%s; the segment is set aside for salvage, later ones go on", reason)
        span.damaged = self.untidy = True

    def _note(self, first: int, last: int, reason: str) -> None:
        if (first, last) not in self._damage:
            log.error("%s", reason)
            self._damage[first, last] = Damage(first, last, reason)

    @property
    def is_written_damaged(self) -> bool:
        """Whether the segment being written is damaged and must be ended."""
        return self.untidy and any(span.damaged and span.writing for span in self.spans)

    def tidy(self) -> None:
        """Rename damaged segments that nobody writes. Raises OSError."""
        for span in self.spans:
            if span.damaged and not span.writing and span.path.suffix == ".db":
                with self._reading:
                    self._close_reader()
                    self._rename(span)
        self.untidy = any(span.damaged and span.path.suffix == ".db" for span in self.spans)

    def _rename(self, span: SequenceRange) -> None:
        target = span.path.with_suffix(".damaged")
        for old, new in zip(files(span.path), files(target), strict=True):
            if old.exists() and not new.exists():
                old.rename(new)
        span.path = target

    def retire(self, posted: int, keep_s: float) -> None:
        """Unlink segments that are posted and old; never the newest, a damaged one, or one being written."""
        before = time.time() - keep_s
        for span in self.spans[:-1]:
            if span.last <= posted and not span.writing and not span.damaged and _changed(span.path) < before:
                with self._reading:
                    if self._reader is not None and self._reader.path == span.path:
                        self._close_reader()
                    self._drop(span)
                unlink(span.path)

    def close(self) -> None:
        """Let go of the files."""
        with self._reading:
            self._close_reader()


def segment_path(directory: Path, number: int, first_seq: int) -> Path:
    """Where a segment of this order and first sequence number lives."""
    return directory / f"{number:08d}-{first_seq:020d}.db"


def _changed(path: Path) -> float:
    return max((file.stat().st_mtime for file in files(path)[:2] if file.exists()), default=0.0)

"""The one thread that writes a spool: group commit, rotation, and what happens when the disk says no.

Owns: the queue before the disk, the sequence numbers, the open intents, and the completions kept in memory. Not here:
reading, and posting. Invariant: a sequence number is given with the group that holds its completion, no gaps;
after any failed write the file is never written again: the completions of that batch are kept and go, first and in
order, into a new segment (reliability.md 5.7: after a failed fsync the kernel may have dropped the pages and say "done"
next time).
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gembill.errors import SpoolUnwritable
from gembill.spool import frames
from gembill.spool.frames import Header
from gembill.spool.segment import Segment
from gembill.spool.segments import Segments, SequenceRange, segment_path
from gembill.spool.write_request import WriteBatch, WriteKind, WriteRequest, release

log = logging.getLogger(__name__)

TICK_S = 1.0
TIDY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolOptions:
    """Limits of one spool: bytes, and seconds (`_s`) or hours."""

    segment_bytes: int = 16 * 1024 * 1024  # a start reads one
    segment_s: float = 3600.0
    keep_hours: float = 192.0  # posted segments, for a ledger that has to be filled again
    min_free_bytes: int = 32 * 1024 * 1024
    max_bytes: int = 8 * 1024 * 1024 * 1024  # unposted
    batch: int = 1000
    patience_s: float = 30.0  # how long a silent disk is waited for
    retry_s: float = 0.5  # between tries of a disk that said no
    kept: int = 10_000  # completions in memory while the disk says no
    kept_bytes: int = 64 * 1024 * 1024


class Writer:
    """Takes requests from any thread and brings them to disk. `on_completion` is called after a commit with some."""

    def __init__(
        self,
        segments: Segments,
        *,
        source_id: int,
        options: SpoolOptions,
        posted: Callable[[], int],
        on_completion: Callable[[], None],
    ) -> None:
        self.open: dict[str, tuple[int, WriteRequest]] = {}
        self.kept: dict[str, WriteRequest] = {}
        self.trouble: str | None = None
        self._segments = segments
        self._source_id = source_id
        self._options = options
        self._posted = posted
        self._on_completion = on_completion
        self._queue: queue.SimpleQueue[WriteRequest] = queue.SimpleQueue()
        self._segment: Segment | None = None
        self._span: SequenceRange | None = None
        self._next_seq = segments.next_seq
        self._next_intent = 1
        self._retry_at = 0.0
        self._tidied_at = time.monotonic()
        self._looked_at = 0.0
        self._busy_since: float | None = None
        self._deadline: float | None = None
        self._ended = False  # whether anything more is taken
        self._thread = threading.Thread(target=self._run, name=f"spool-{source_id:016x}", daemon=True)
        for event_id, body in segments.intents:
            self._reopen(event_id, body)

    def _reopen(self, event_id: str, body: bytes) -> None:
        self.open[event_id] = (self._next_intent, WriteRequest(WriteKind.INTENT, event_id, body))
        self._next_intent += 1

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, request: WriteRequest) -> None:
        """Hand over one request. Raises SpoolUnwritable once the writer was stopped."""
        if self._ended:
            raise SpoolUnwritable("the spool is closed")
        self._queue.put(request)

    def stuck_s(self) -> float:
        """For how long the present transaction has been under way; 0.0 between transactions."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def stop(self, timeout: float) -> bool:
        """Write what is queued and kept, then end; whether that was done in time."""
        self._deadline = time.monotonic() + timeout
        self._ended = True
        self._queue.put(WriteRequest(WriteKind.STOP))
        self._thread.join(timeout + 1.0)
        return not self._thread.is_alive() and not self.kept

    def is_alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    # The thread

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException:
            self.trouble = "the spool's writer ended by a mistake of ours; restart the proxy"
            log.exception("%s", self.trouble)
            raise
        finally:
            self._ended = True
            self._end_segment()
            left = self._drain()
            release((request, SpoolUnwritable(self.trouble or "the spool is closed")) for request in left)

    def _turn(self) -> bool:
        """One batch, or one tick without any; False when it is time to end."""
        requests = self._take()
        stopping = self._deadline is not None and any(request.kind is WriteKind.STOP for request in requests)
        batch = self._sort(requests)
        if self.trouble is not None and time.monotonic() < self._retry_at and not stopping:
            self._refuse(batch, self.trouble)
        elif not batch.is_empty or self.trouble is not None:
            self._try(batch)
        self._tidy()
        return not stopping or self._again()

    def _again(self) -> bool:
        """Whether completions are still in memory at the end, and there is time for another try."""
        if not self.kept or self._deadline is None or time.monotonic() + self._options.retry_s > self._deadline:
            return False
        time.sleep(self._options.retry_s)
        self._queue.put(WriteRequest(WriteKind.STOP))
        return True

    def _take(self) -> list[WriteRequest]:
        patience = TICK_S if self.trouble is None else max(0.0, self._retry_at - time.monotonic())
        try:
            requests = [self._queue.get(timeout=patience)]
        except queue.Empty:
            return []
        more = min(self._queue.qsize(), self._options.batch - 1)
        return requests + [self._queue.get_nowait() for _ in range(more)]

    def _drain(self) -> list[WriteRequest]:
        requests = []
        while not self._queue.empty():
            requests.append(self._queue.get_nowait())
        return requests

    def _sort(self, requests: Iterable[WriteRequest]) -> WriteBatch:
        batch = WriteBatch(completions=dict(self.kept))
        for request in requests:
            if request.kind is not WriteKind.STOP:
                batch.take(request, self.open)
        return batch

    def _try(self, batch: WriteBatch) -> None:
        self._busy_since = time.monotonic()
        try:
            written = self._write(batch)
        except OSError as error:
            self._fail(batch, error)
        else:
            self._succeed(batch, written)
        finally:
            self._busy_since = None

    def _write(self, batch: WriteBatch) -> dict[str, int]:
        """The group; gives the number of each new intent. Raises OSError."""
        segment = self._segment or self._begin()
        gone = {*batch.completions, *batch.withdrawn}
        header, group = (b"", []) if segment.begun else self._opening(gone)
        numbers = {}
        for name, request in batch.intents.items():
            numbers[name] = self._next_intent
            group.append(frames.intent(self._next_intent, request.name, request.body))
            self._next_intent += 1
        if segment.begun and batch.withdrawn:
            taken_back = [name for name in batch.withdrawn if name in self.open and name not in batch.completions]
            group += [frames.withdrawal(self.open[name][0]) for name in taken_back]
        for seq, request in enumerate(batch.completions.values(), self._next_seq):
            opened = self.open.get(request.event_id) if segment.begun else None
            group.append(_completion(seq, request, opened))
        segment.write(group, header)
        return numbers

    def _begin(self) -> Segment:
        number = self._segments.next_number
        self._segments.next_number += 1
        self._segment = Segment.begin(segment_path(self._segments.path, number, self._next_seq))
        return self._segment

    def _opening(self, gone: set[str]) -> tuple[bytes, list[bytes]]:
        """How a segment begins: the open intents live in the newest segment, so that older ones can go."""
        carried = [opened for name, opened in self.open.items() if name not in gone]
        header = Header(self._source_id, self._next_seq, time.time_ns() // 1000, len(carried))
        return header.written(), [frames.intent(number, asked.name, asked.body) for number, asked in carried]

    def _succeed(self, batch: WriteBatch, numbers: dict[str, int]) -> None:
        segment, first = self._segment, self._next_seq
        assert segment is not None
        if self._span is None:
            self._span = SequenceRange(int(segment.path.name[:8]), first, segment.path, first - 1, writing=True)
            self._segments.add(self._span)
        for name in (*batch.completions, *batch.withdrawn):
            self.open.pop(name, None)
        for name, request in batch.intents.items():
            self.open[name] = (numbers[name], request)
        self._span.bytes = segment.bytes
        if self.kept:
            self.kept.clear()
        if self.trouble is not None:
            log.warning("the spool takes records again")
            self.trouble = None
        if batch.completions:
            self._segments.mark(first, next(iter(batch.completions.values())).at_us)
            self._next_seq = first + len(batch.completions)
            self._span.last = self._next_seq - 1
            self._on_completion()
        outcomes: list[tuple[WriteRequest, int]] = [(request, 0) for request in (*batch.intents.values(), *batch.known)]
        release([*outcomes, *zip(batch.completions.values(), range(first, self._next_seq), strict=True)])

    def _fail(self, batch: WriteBatch, error: OSError) -> None:
        self._end_segment()
        words = f"the spool {self._segments.path} cannot take records: {error.strerror or error}"
        if self.trouble is None:
            log.error("%s", words)
        self.trouble = words
        self._retry_at = time.monotonic() + self._options.retry_s
        self._refuse(batch, words)

    def _refuse(self, batch: WriteBatch, words: str) -> None:
        """Intents fail, completions stay; the next transaction opens a new segment and copies what is still open."""
        for name in batch.withdrawn:
            self.open.pop(name, None)
        for name, request in batch.completions.items():
            if name not in self.kept and self._has_room(request):
                self.kept[name] = request
        waiting = (*batch.intents.values(), *batch.known, *batch.completions.values())
        release((request, SpoolUnwritable(words)) for request in waiting if request.waiters)

    def _has_room(self, request: WriteRequest) -> bool:
        size = len(request.body) + sum(len(kept.body) for kept in self.kept.values())
        if len(self.kept) < self._options.kept and size <= self._options.kept_bytes:
            return True
        log.error("the completion of %s finds no room in memory; its intent on disk is kept instead", request.event_id)
        return False

    def _end_segment(self) -> None:
        if self._segment is not None:
            self._segment.discard()
        if self._span is not None:
            self._span.writing = False
        self._segment = self._span = None

    def _is_due(self, segment: Segment, now: float) -> bool:
        options = self._options
        return segment.bytes >= options.segment_bytes or now - segment.made_at >= options.segment_s

    def _tidy(self) -> None:
        """Rotation, and now and then a look at the room and at old segments."""
        now = time.monotonic()
        if self._segment is not None and self._is_due(self._segment, now):
            self._end_segment()
        if now - self._looked_at < TICK_S:
            return
        self._looked_at = now
        self._shed()
        if now - self._tidied_at < TIDY_S:
            return
        self._tidied_at = now
        try:
            self._segments.retire(self._posted(), self._options.keep_hours * 3600)
        except OSError as error:
            log.warning("segments in %s cannot be put away now: %s", self._segments.path, error)

    def _shed(self) -> None:
        """Give back what is posted, the oldest first, before a disk without room refuses calls."""
        try:
            while _free_bytes(self._segments.path) < 2 * self._options.min_free_bytes:
                gone = self._segments.shed(self._posted())
                if gone is None:
                    return
                log.warning("the disk is nearly full: %s is removed before its time; it was posted", gone)
        except OSError as error:
            log.warning("segments in %s cannot be given back now: %s", self._segments.path, error)


def _free_bytes(path: Path) -> int:
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def _completion(seq: int, request: WriteRequest, opened: tuple[int, WriteRequest] | None) -> bytes:
    """The frame of a completion; one whose intent is in the same segment leaves out what they share."""
    if opened is None:
        return frames.completion(seq, request.at_us, request.name, request.body)
    number, asked = opened
    return frames.completion_of(seq, request.at_us, number, asked.body, request.body)

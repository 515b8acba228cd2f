"""The spool as the other parts of the program use it.

Owns: taking intents and completions durably, giving completions their sequence numbers, saying which of them can be
read, and whether more can be taken. Not here: the meaning of what it holds (bodies are bytes), and posting.
Invariant: what `intend` or `append` returned for is on disk and survives `kill -9` and a power cut; what `read` gives
comes in order, each completion once. POSIX only: it needs `flock`.

Design: reliability.md 5; after a crash the intents without a completion are in `lost`.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path

from gembill.errors import SpoolError, SpoolUnwritable
from gembill.spool.directory import SpoolDirectory, leave, open_root, set_aside, spool_paths, why_left
from gembill.spool.patience import Patience
from gembill.spool.reader import SpoolReader
from gembill.spool.segment import SegmentEntry
from gembill.spool.segments import Damage, Segments
from gembill.spool.write_request import WriteKind, WriteRequest
from gembill.spool.writer import SpoolOptions, Writer

__all__ = ["Backlog", "Damage", "Interrupted", "SegmentEntry", "Spool", "SpoolOptions"]

log = logging.getLogger(__name__)

PROBE_S = 0.5  # how long an answer about free space and the cap holds


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An intent whose process ended before its completion: the call may have reached the API."""

    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits: completions not yet posted (bytes about; since when the oldest), open intents, what is in memory.

    `waiting_in_memory` counts completions that the disk did not take yet.
    """

    unposted: int
    bytes: int
    oldest_us: int | None
    open_intents: int
    waiting_in_memory: int


class Spool:
    """One process's queue on disk. Made with `claim` or `adopt`; safe to use from any thread and event loop.

    `source_id` is a random positive 63-bit number, made with the directory. Turn each of `lost` into an event and
    append it under the same id: that closes it. A copy of a spool has none: its original closes them.
    """

    def __init__(self, directory: SpoolDirectory, options: SpoolOptions) -> None:
        self.source_id = directory.source_id
        self._directory = directory
        self._options = options
        self._reader = SpoolReader(directory.path)
        self._segments = Segments(
            directory.path, source_id=directory.source_id, posted=self.posted, damage=self._reader.damage
        )
        self._patience = Patience(options.patience_s + 1.0, self._silence)  # the writer's own limit says more
        self.lost = tuple(Interrupted(event_id, body) for event_id, body in self._segments.intents)
        if directory.is_copy:
            self.lost = self._left_to_the_original()
        self.on_durable: Callable[[], None] | None = None  # called in the writer's thread, when completions are on disk
        self._arrived = threading.Condition()
        self._waiting = 0  # threads in `wait`
        self._closed = False
        self._probed_at = -PROBE_S
        self._probed: str | None = None
        self._writer = Writer(
            self._segments,
            source_id=directory.source_id,
            options=options,
            posted=lambda: self.posted,
            on_completion=self._notify,
        )
        self._writer.start()

    @classmethod
    def claim(cls, root: Path, options: SpoolOptions = SpoolOptions()) -> "Spool":  # noqa: B008 (frozen)
        """The first spool below root that nobody holds, else a new one. Raises SpoolError where none can be made.

        Passed by are copies, whose original may go on under the same number, and those the ledger refused.
        """
        open_root(root)
        for directory in SpoolDirectory.unlocked(root):
            if directory.is_copy or why_left(directory.path) is not None:
                log.warning("the spool %s is passed by: it was copied, restored or refused", directory.path)
                directory.release()
                continue
            spool = cls._open(directory, options)
            if spool is not None:
                return spool
        return cls(SpoolDirectory.make(root), options)

    @classmethod
    def adopt(cls, root: Path, options: SpoolOptions = SpoolOptions()) -> list["Spool"]:  # noqa: B008 (frozen)
        """Every spool below root that nobody holds and that has something unposted or lost: those of dead workers.

        Those the ledger refused are left alone (`left_alone`) until someone decides; copies are posted, not written.
        """
        open_root(root)
        adopted = []
        for directory in SpoolDirectory.unlocked(root):
            if not directory.is_copy and why_left(directory.path) is not None:
                directory.release()
                continue
            spool = cls._open(directory, options)
            if spool is None:
                continue
            if spool.lost or spool.backlog().unposted:
                adopted.append(spool)
            else:
                spool.retire()
                spool.close(timeout=5.0)
        return adopted

    @staticmethod
    def left_alone(root: Path) -> dict[str, str]:
        """Why each of the spools below root is left alone that is, by its directory."""
        reasons = {str(path): why_left(path) for path in spool_paths(root)}
        return {path: reason for path, reason in reasons.items() if reason is not None}

    def _left_to_the_original(self) -> tuple[Interrupted, ...]:
        """No open call of a copy is ours to close; that there are some is noted, for whoever knows the original."""
        if self.lost:
            name, count = self._directory.path.name, len(self.lost)
            reason = (
                f"it was copied or restored while {count} calls were under way; run `gembill spool adopt {name}` "
                f"if its original is gone, or `gembill spool renew {name}` if that goes on"
            )
            log.error("the spool %s is left alone: %s", self._directory.path, reason)
            leave(self._directory.path, reason)
        return ()

    @classmethod
    def _open(cls, directory: SpoolDirectory, options: SpoolOptions) -> "Spool | None":
        try:
            return cls(directory, options)
        except (SpoolError, OSError) as error:
            log.warning("the spool %s is left out: %s", directory.path, error)
        except (ValueError, TypeError) as error:
            set_aside(directory.path, error)
        directory.release()
        return None

    async def intend(self, event_id: str, body: bytes) -> None:
        """Put down that a call is about to be made. Raises SpoolUnwritable, and then nothing is kept."""
        try:
            await self._submit(WriteKind.INTENT, event_id, body)
        except BaseException:
            # Refused or cancelled, the call is not made: if the row got or gets to disk all the same, take it back.
            self.withdraw(event_id)
            raise

    def append(self, event_id: str, body: bytes) -> Coroutine[object, object, int]:
        """Put down the completion of a call, closing its intent; gives its sequence number.

        Raises SpoolUnwritable where it is not on disk yet; it is kept in memory all the same and written when the disk
        takes it, once. Cancelling does not take it back.
        """
        return self._submit(WriteKind.COMPLETION, event_id, body)

    async def _submit(self, kind: WriteKind, event_id: str, body: bytes) -> int:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[int] = loop.create_future()
        self._writer.put(WriteRequest(kind, event_id, body, waiter))
        waiters = self._patience.begin(loop, waiter)
        try:
            return await waiter
        finally:
            del waiters[waiter]

    def append_wait(self, event_id: str, body: bytes) -> int:
        """`append` for threads without an event loop."""
        waiter: Future[int] = Future()
        self._writer.put(WriteRequest(WriteKind.COMPLETION, event_id, body, waiter))
        try:
            return waiter.result(self._patience_s)
        except FutureTimeout:
            raise SpoolUnwritable(self._silence()) from None

    def append_soon(self, event_id: str, body: bytes) -> None:
        """`append` for a task that is being cancelled: it will be written, and nobody waits for it."""
        self._writer.put(WriteRequest(WriteKind.COMPLETION, event_id, body))

    def withdraw(self, event_id: str) -> None:
        """Take an intent back: the call was not made."""
        try:
            self._writer.put(WriteRequest(WriteKind.WITHDRAWAL, event_id))
        except SpoolUnwritable:
            # Closed meanwhile: should the intent be on disk, the next start finds it and says so.
            log.warning("the intent of %s may come back as lost", event_id)

    @property
    def _patience_s(self) -> float:
        return self._options.patience_s + 1.0  # the writer's own limit comes first, and says more

    def _silence(self) -> str:
        return (
            f"the spool {self._directory.path} has not answered for {self._options.patience_s:.0f} s; look at its disk"
        )

    # Reading

    def read(self, after: int, limit: int) -> list[SegmentEntry]:
        """At most `limit` completions with a number above `after`, in order; for the posting thread.

        Damaged ones are left out, logged, and named in `damage()`. Raises SpoolError where the disk cannot be read.
        """
        self._reader.upto = self._segments.last
        return self._reader.read(after, limit)

    def mark_posted(self, seq: int) -> None:
        """Move the cursor: everything up to `seq` is in the ledger."""
        self._reader.mark_posted(seq)
        self._segments.forget(seq)

    def note_posted(self, seq: int) -> None:
        """The same where another process has moved the cursor."""
        self._reader.posted = max(self._reader.posted, seq)
        self._segments.forget(seq)

    def lock_posting(self) -> bool:
        """Be the one who posts it; False while another process is, or was and has not ended yet. Raises OSError."""
        return self._reader.lock_posting()

    @property
    def posted(self) -> int:
        """The cursor."""
        return self._reader.posted

    @property
    def last(self) -> int:
        """The highest sequence number that is on disk."""
        return self._segments.last

    @property
    def path(self) -> Path:
        """Its directory."""
        return self._directory.path

    def retire(self) -> None:
        """Unlink old posted segments at once; the writer does it once a minute."""
        try:
            self._segments.retire(self.posted, self._options.keep_hours * 3600)
        except OSError as error:
            log.warning("old segments in %s cannot be removed now: %s", self._directory.path, error)

    def wait(self, timeout: float) -> bool:
        """Block until something unposted is there, or `timeout` seconds have passed; whether it is."""
        with self._arrived:
            self._waiting += 1
            try:
                self._arrived.wait_for(lambda: self._closed or self._has_unposted(), timeout)
            finally:
                self._waiting -= 1
        return self._has_unposted()

    def _has_unposted(self) -> bool:
        return self._segments.last > self.posted

    def _notify(self) -> None:
        if self.on_durable is not None:
            self.on_durable()
        if self._waiting:  # who comes now looks before it waits, and what it looks for was there before this
            with self._arrived:
                self._arrived.notify_all()

    # Health

    def backlog(self) -> Backlog:
        """What waits, now."""
        count, size = self._segments.unposted(self.posted)
        return Backlog(
            unposted=count,
            bytes=size,
            oldest_us=self._segments.appended_us(self.posted + 1) if count else None,
            open_intents=len(self._writer.open),
            waiting_in_memory=len(self._writer.kept),
        )

    def damage(self) -> tuple[Damage, ...]:
        """What was found damaged or missing since this process began."""
        return tuple(self._reader.damage)

    def trouble(self) -> str | None:
        """Why it takes no record now, in words; None while it does."""
        if self._closed:
            return "the spool is closed"
        if self._writer.trouble is not None:
            return self._writer.trouble
        if self._writer.stuck_s() >= self._options.patience_s:
            return self._silence()
        now = time.monotonic()
        if now - self._probed_at >= PROBE_S:
            self._probed = self._probe()
            self._probed_at = now
        return self._probed

    def _probe(self) -> str | None:
        try:
            disk = os.statvfs(self._directory.path)
        except OSError as error:
            return f"the spool {self._directory.path} cannot be reached: {error.strerror}"
        free, floor = disk.f_bavail * disk.f_frsize, self._options.min_free_bytes
        if free < floor:
            return f"the disk of the spool {self._directory.path} has {free} bytes free, less than the floor of {floor}"
        waiting, cap = self._segments.unposted(self.posted)[1], self._options.max_bytes
        if waiting >= cap:
            return (
                f"the spool {self._directory.path} holds {waiting} unposted bytes, its cap is {cap}; look at the ledger"
            )
        return None

    def check(self) -> None:
        """Raise SpoolUnwritable where a new call could not be recorded. Cheap: asks the disk at most twice a second."""
        trouble = self.trouble()
        if trouble is not None:
            raise SpoolUnwritable(trouble)

    def close(self, timeout: float = 5.0) -> None:
        """Write what is queued or kept in memory, as far as `timeout` seconds allow, and let go of the directory."""
        if self._closed:
            return
        self._closed = True
        self._notify()
        ended = self._writer.stop(timeout)
        if not ended:
            left = len(self._writer.kept)
            log.error("the spool %s was closed with %d completions not on disk", self._directory.path, left)
        self._reader.close()
        if not self._writer.is_alive():  # else its lock ends with the process: no other may write beside it
            self._directory.release()

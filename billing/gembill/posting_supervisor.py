"""The proxy's side of the posting process: started, told what is there to post, heard, and started again if it ends.

Owns: the child, its pipes, and what is known of its progress. Not here: posting (`posting_process`); nothing of the
ledger is imported. Invariant: the child has what is secret from a pipe only; it hears of new events when it asked, so
that a commit costs no message; that it ended is said loudly, and it is started again until we end ourselves.
"""

import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from gembill.config import Settings
from gembill.errors import ConfigurationError, GembillError
from gembill.posting_progress import PostingProgress, next_pause
from gembill.posting_words import More, Report, Spools, Start, line, read
from gembill.spool import Spool
from gembill.usage_counters import UsageCounters, added

_log = logging.getLogger("gembill.posting")
_COMMAND = (sys.executable, "-P", "-m", "gembill.posting_process")
_BEGINS_S = 60.0
_WELL_S = 30.0  # a child that lived so long is started again at once


class PostingSupervisor:
    """Runs posting in a process of its own. The child is started when this is made, so that it loads meanwhile."""

    def __init__(self, settings: Settings, log_level: int | None = None) -> None:
        self.progress = PostingProgress()
        self._start = line(Start(settings, log_level))
        self._before = PostingProgress()  # counts of children that have ended
        self._shown_until = 0.0  # monotonic second until which the end of a child is not forgotten
        self._spool: Spool | None = None
        self._adopted: dict[str, Spool] = {}
        self._telling = threading.Lock()
        self._asked = False
        self._named = False  # whether the child knows what it is to post
        self._told = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="gembill-posting", daemon=True)
        self._child = self._spawned()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def ready(self) -> None:
        """Wait until the child has begun. GembillError with its sentence and exit code where it cannot."""
        self._begun(self._child)

    def begin(self, spool: Spool, adopted: Sequence[Spool]) -> None:
        """Let it post these spools."""
        self._spool = spool
        self._adopted = {str(each.path): each for each in adopted}
        self._name_spools()
        spool.on_durable = self._tell
        self._thread.start()

    def adopt(self, spools: Sequence[Spool]) -> None:
        """Let it post these too; called after `begin`."""
        new = {str(each.path): each for each in spools}
        with self._telling:
            self._adopted |= new
            if self._named:  # else the child that is being started hears of them with the others
                self._say(More(self._told, {path: each.last for path, each in new.items()}))

    def end(self, timeout: float) -> None:
        """Let it post once more what is left, for at most `timeout` seconds; what is not posted stays in the spool."""
        self._ended.set()
        if self._spool is not None:
            self._say(More(self._spool.last))
        self._close_input()
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            _log.warning("posting did not end in %.0f s; what is not posted stays in the spool", timeout)
            self._child.kill()
        if self._thread.is_alive():
            self._thread.join(timeout)
        for spool in self._adopted.values():
            spool.close()

    # The child

    def _spawned(self) -> subprocess.Popen[bytes]:
        with self._telling:
            self._named = False
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GEMBILL_")}
        child = subprocess.Popen(  # noqa: S603 - our own module
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        _write(child, self._start)
        return child

    def _begun(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        ready, _, _ = select.select([child.stdout], [], [], _BEGINS_S)
        text = child.stdout.readline() if ready else b""
        if not text:
            raise GembillError("the posting process did not begin; the log says why")
        report = read(Report, text)
        if report.refused is not None:
            raise _refusal(report)

    def _name_spools(self) -> None:
        """Tell a child that has begun what it is to post."""
        assert self._spool is not None
        with self._telling:
            self._asked = False
            self._told = self._spool.last
            adopted = {path: spool.last for path, spool in self._adopted.items()}
            self._say(Spools(str(self._spool.path), self._told, adopted))
            self._named = True

    def _supervise(self) -> None:
        pause = 0.0
        while True:
            began = time.monotonic()
            if self._ended.is_set():  # while it was started again
                self._close_input()
            self._listen()
            if self._ended.is_set():
                return
            pause = 0.0 if time.monotonic() - began > _WELL_S else pause
            pause = self._start_again(pause)

    def _listen(self) -> None:
        """Hear the child until it ends."""
        assert self._child.stdout is not None
        with self._child.stdout as lines:
            for text in lines:
                try:
                    self._hear(read(Report, text))
                except msgspec.MsgspecError as error:
                    _log.warning("the posting process said what is not understood: %s", error)
        code = self._child.wait()
        self._before = replace(self.progress)
        if not self._ended.is_set():
            words = f"the posting process ended with exit code {code} and is started again; the spool keeps everything"
            self.progress.restarts += 1
            self.progress.note(words)
            self._shown_until = time.monotonic() + _WELL_S
            _log.error("%s", words)

    def _start_again(self, pause: float) -> float:
        """Start a new child, again and again until one begins; the pause that was waited last."""
        while not self._ended.wait(pause):
            self._close_input()
            self._child = self._spawned()
            pause = next_pause(pause)
            try:
                self._begun(self._child)
                self._name_spools()
            except (GembillError, msgspec.MsgspecError) as error:
                self._child.kill()
                self._child.wait()
                self.progress.note(str(error))
                _log.error("posting cannot begin again: %s", error)
            else:
                break
        return pause

    def _hear(self, report: Report) -> None:
        self._count(report)
        progress = self.progress
        if report.last_error_us is None:
            if time.monotonic() >= self._shown_until:
                progress.recover()
        elif report.last_error_us > (progress.last_error_us or 0):
            progress.last_error, progress.last_error_us = report.last_error, report.last_error_us
        progress.ledger_away, progress.stuck = report.ledger_away, report.stuck
        for path, seq in report.posted.items():
            self._note_posted(path, seq)
        if report.asks:
            self._asked = True
            self._tell()

    def _count(self, report: Report) -> None:
        progress, before = self.progress, self._before
        progress.posted, progress.buried = before.posted + report.count, before.buried + report.buried
        progress.unknown = before.unknown + report.unknown
        progress.unmetered = before.unmetered + report.unmetered
        progress.usage = UsageCounters(added(before.usage.counts, report.usage))
        if report.lag_seconds is not None:
            progress.lag_seconds = report.lag_seconds
        progress.budgets = report.budgets or progress.budgets
        progress.prices_checked_on = report.prices_checked_on or progress.prices_checked_on
        progress.wal_bytes = report.wal_bytes
        if report.dead_letters is not None:
            progress.dead_letters = report.dead_letters
        if report.gaps is not None:
            progress.gaps = report.gaps
        progress.damage = progress.damage | dict.fromkeys(report.damage)

    def _note_posted(self, path: str, seq: int) -> None:
        assert self._spool is not None
        if path == str(self._spool.path):
            self._spool.note_posted(seq)
        elif (adopted := self._adopted.get(path)) is not None:
            adopted.note_posted(seq)
            if seq >= adopted.last:
                del self._adopted[path]
                adopted.close()

    def _tell(self) -> None:
        """After a commit: tell a child that asked."""
        if not self._asked:
            return
        with self._telling:
            assert self._spool is not None
            if self._asked and self._spool.last > self._told:
                self._asked = False
                self._told = self._spool.last
                self._say(More(self._told))

    def _say(self, message: msgspec.Struct) -> None:
        _write(self._child, line(message))

    def _close_input(self) -> None:
        assert self._child.stdin is not None
        with self._telling:
            self._child.stdin.close()


def _write(child: subprocess.Popen[bytes], text: bytes) -> None:
    """Write a line at once. A child that has ended does not hear it; that is noticed where it is listened to."""
    assert child.stdin is not None
    try:
        os.write(child.stdin.fileno(), text)
    except (BrokenPipeError, ValueError):  # ended, or closed by us
        _log.debug("the posting process does not listen any more")


def _refusal(report: Report) -> GembillError:
    """The child's error, with its exit code."""
    kind = ConfigurationError if report.exit_code == ConfigurationError.exit_code else GembillError
    return kind(report.refused)

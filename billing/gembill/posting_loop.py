"""Posting again and again: the own spool as it fills, and those that dead processes left until they are empty.

Owns: when to post which spool, the pauses of one that the ledger does not take, waiting for another process that still
posts a spool, and the last round at the end. Not here: posting itself (`posting`), and where the loop
runs: in a process of its own (`posting_process`) or in a thread (`posting_thread`). Invariant: a spool is posted by one
process at a time, under a lock; whatever goes wrong with one is said and tried again, since the spool keeps everything,
and keeps no other back.
"""

import logging
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from gembill.errors import LedgerError
from gembill.ledger import LedgerUnavailable, SpoolRefused
from gembill.ledger_watch import LOOK_S
from gembill.posting import Poster
from gembill.posting_progress import LONGEST_PAUSE_S, next_pause
from gembill.spool import Spool, SpoolReader, leave

_log = logging.getLogger("gembill.posting")
LINGER_S = 0.15  # a transaction costs as much as a hundred of its records
_LOCKED_S = 0.25
_AWAY_S = 3.0  # at most between two tries of a ledger that is away: all calls wait for it, and a try costs it little
_SHARE = 10_000  # entries of one spool before the others have their turn


class News(Protocol):
    """What the loop hears of the one who fills its own spool."""

    @property
    def ended(self) -> bool:
        """Whether this is the end: what is there is posted once more."""

    def wait_for_more(self, seconds: float | None) -> None:
        """Until there may be more to post, or the end has come, or so long."""

    def pause(self, seconds: float) -> None:
        """So long, or until the end has come."""

    def settle(self) -> None:
        """At the end: all that is in the own spool may be read."""


class PostingLoop:
    """Posts until the news say that it is over. `spool` is the own one, `adopted` those of dead processes.

    `now` gives seconds of a clock that only goes forward.
    """

    def __init__(
        self,
        poster: Poster,
        spool: Spool | SpoolReader,
        adopted: Sequence[Spool | SpoolReader],
        news: News,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._poster = poster
        self._own = _Turn(spool)
        self._adopted = [_Turn(each) for each in adopted]
        self._news = news
        self._now = now

    def adopt(self, spool: Spool | SpoolReader) -> None:
        """Post this one too, from the next round on."""
        self._adopted.append(_Turn(spool))

    def run(self) -> None:
        """Post until the end, each spool with growing pauses while it is not taken; then once more, and let go."""
        while not self._news.ended:
            try:
                self._round()
            except Exception as error:  # noqa: BLE001 - no spool's affair; posting goes on whatever it was
                _log.exception("posting goes on after an error")
                self._poster.progress.note(str(error))
                self._news.pause(_LOCKED_S)
        self._end()

    def _round(self) -> None:
        self._take(self._own)
        for turn in tuple(self._adopted):
            self._take(turn)
            if turn.empty:
                self._adopted.remove(turn)
                turn.spool.close()
        if self._own.empty and not self._adopted:
            self._poster.progress.recover()
        self._wait()

    def _wait(self) -> None:
        """Until a spool is due again; where the own one is empty, also until there is more in it, or it is time to look
        whether the ledger is still the same."""
        seconds = min((turn.due for turn in (self._own, *self._adopted) if not turn.empty), default=None)
        if seconds is not None:
            seconds = max(0.0, seconds - self._now())
        if self._own.empty and seconds != 0:
            known = len(self._adopted)
            self._news.pause(LINGER_S)
            if len(self._adopted) == known:  # else one was adopted meanwhile
                self._news.wait_for_more(LOOK_S if seconds is None else min(seconds, LOOK_S))
        else:
            self._news.pause(seconds or 0.0)

    def _take(self, turn: "_Turn") -> None:
        """Post a share of a spool if it is due. Whatever goes wrong is its own affair."""
        if turn.due > self._now():
            return
        try:
            self._post(turn, _SHARE)
        except Exception as error:  # noqa: BLE001 - said loudly and tried again for ever; the spool keeps everything
            self._fail(turn, error)
            return
        turn.pause = 0.0
        self._poster.progress.resume(str(turn.spool.path))

    def _post(self, turn: "_Turn", most: int) -> None:
        """Post of a spool what can be read now; one that another process posts is looked at again soon."""
        turn.empty = False
        if not turn.locked and not turn.spool.lock_posting():
            self._say_locked(turn)
            turn.due = self._now() + _LOCKED_S
            return
        turn.locked = True
        turn.empty = self._poster.drain(turn.spool, most) < most

    def _fail(self, turn: "_Turn", error: Exception) -> None:
        """Say why a spool is not taken, and let it wait longer than the last time."""
        words, progress = f"the spool {turn.spool.path} waits: {error}", self._poster.progress
        longest = _AWAY_S if isinstance(error, LedgerUnavailable) else LONGEST_PAUSE_S
        self._say_failed(turn, words, growing=turn.pause < longest)
        if isinstance(error, LedgerError) and not isinstance(error, SpoolRefused):
            progress.fail(str(error))
        else:  # the ledger answers
            progress.note(words)
        if isinstance(error, SpoolRefused):
            leave(turn.spool.path, str(error))  # the next start gives new calls to another spool
        if not isinstance(error, LedgerUnavailable):
            progress.set_aside(str(turn.spool.path), str(error))
        turn.empty = False
        turn.pause = next_pause(turn.pause, longest)
        turn.due = self._now() + turn.pause * random.uniform(0.75, 1.25)  # noqa: S311 - only parts the processes

    def _say_failed(self, turn: "_Turn", words: str, *, growing: bool) -> None:
        """In the log, but not at every try of a long outage."""
        now = self._now()
        if growing or now - turn.said >= LONGEST_PAUSE_S:
            turn.said = now
            _log.log(logging.WARNING if turn.pause else logging.ERROR, "posting of %s", words)

    def _say_locked(self, turn: "_Turn") -> None:
        """In the log once for each: one whose ledger does not answer can take long to end."""
        words = f"the spool {turn.spool.path} is still posted by a process of an earlier start; this one waits for it"
        if not turn.awaited:
            turn.awaited = True
            _log.warning("%s", words)
        self._poster.progress.note(words)

    def _end(self) -> None:
        """What is there now is posted once; what the ledger does not take stays."""
        steps: list[Callable[[], None]] = [self._news.settle]
        steps += [partial(self._post, turn, sys.maxsize) for turn in (self._own, *self._adopted)]
        for step in steps:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - the spool keeps it for the next start
                _log.warning("what is not posted stays in the spool: %s", error)
                if isinstance(error, LedgerUnavailable):
                    break  # it is away for the others too, and the end is waited for
        self._poster.close()
        for turn in self._adopted:
            turn.spool.close()


@dataclass(slots=True, eq=False)
class _Turn:
    """A spool and when it is due: `pause` was waited last, `said` is when the log had why, `locked` its lock is held,
    `awaited` another process had it, `empty` all of it was posted."""

    spool: Spool | SpoolReader
    due: float = 0.0
    pause: float = 0.0
    said: float = 0.0
    locked: bool = False
    awaited: bool = False
    empty: bool = False

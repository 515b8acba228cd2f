"""Posting again and again: the own spool as it fills, and those that dead processes left until they are empty.

Owns: when to post, the pauses while the ledger is away, waiting for another process that still posts a spool, and the
last round at the end. Not here: posting itself (`posting`), and where the loop runs: in a process of its own
(`posting_process`) or in a thread (`posting_thread`). Invariant: a spool is posted by one process at a time, under a
lock; whatever goes wrong is said and tried again, since the spool keeps everything.
"""

import logging
import random
from collections.abc import Sequence
from typing import Protocol

from gembill.posting import Poster
from gembill.posting_progress import next_pause
from gembill.spool import Spool, SpoolReader

_log = logging.getLogger("gembill.posting")
LINGER_S = 0.15  # a transaction costs as much as a hundred of its records
_LOCKED_S = 0.25


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
    """Posts until the news say that it is over. `spool` is the own one, `adopted` those of dead processes."""

    def __init__(
        self, poster: Poster, spool: Spool | SpoolReader, adopted: Sequence[Spool | SpoolReader], news: News
    ) -> None:
        self._poster = poster
        self._spool = spool
        self._adopted = list(adopted)
        self._news = news
        self._mine: set[int] = set()  # sources whose lock is held
        self._awaited: set[int] = set()  # those whose lock another process had

    def run(self) -> None:
        """Post until the end, with growing pauses while the ledger is away; then once more, and let go."""
        pause = 0.0
        while not self._news.ended:
            try:
                self._round()
                pause = 0.0
            except Exception as error:  # noqa: BLE001 - said loudly and tried again for ever; the spool keeps everything
                _log.log(logging.WARNING if pause else logging.ERROR, "posting waits: %s", error)
                self._poster.progress.fail(str(error))
                pause = next_pause(pause) * random.uniform(0.75, 1.25)  # noqa: S311 - only parts the processes
                self._news.pause(pause)
        self._end()

    def _round(self) -> None:
        for spool in tuple(self._adopted):
            if self._drained(spool):
                self._adopted.remove(spool)
                spool.close()
        if self._drained(self._spool):
            self._news.pause(LINGER_S)
            self._news.wait_for_more(_LOCKED_S if self._adopted else None)
        else:
            self._news.pause(_LOCKED_S)

    def _drained(self, spool: Spool | SpoolReader) -> bool:
        """Post all of a spool that can be read now; False while another process posts it."""
        if spool.source_id not in self._mine:
            if not spool.lock_posting():
                self._say_locked(spool)
                return False
            self._mine.add(spool.source_id)
        self._poster.drain(spool)
        return True

    def _say_locked(self, spool: Spool | SpoolReader) -> None:
        """Once for each: one whose ledger does not answer can take long to end."""
        if spool.source_id not in self._awaited:
            self._awaited.add(spool.source_id)
            words = f"the spool {spool.path} is still posted by a process of an earlier start; this one waits for it"
            _log.warning("%s", words)
            self._poster.progress.note(words)

    def _end(self) -> None:
        """What is there now is posted once; what the ledger does not take stays."""
        try:
            self._news.settle()
            for spool in (self._spool, *self._adopted):
                self._drained(spool)
        except Exception as error:  # noqa: BLE001 - the spool keeps it for the next start
            _log.warning("what is not posted stays in the spool: %s", error)
        self._poster.close()
        for spool in self._adopted:
            spool.close()

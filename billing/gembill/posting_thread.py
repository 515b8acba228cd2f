"""Posting in a thread of this process, for programs that have the ledger loaded anyway.

Owns: the thread beside `gembill run`, the pytest plugin and the demo, and that of their budgets. Not here: posting, and
the loop (`posting_loop`), which are those of `gembill proxy` too; there they run in a process of their own
(`posting_process`). Invariant: after `end` all is posted that the ledger took.
"""

import threading
from collections.abc import Sequence

from gembill.alert.watch import Watch, WatchThread
from gembill.config import Settings
from gembill.ledger import open_ledger
from gembill.posting import Poster
from gembill.posting_loop import PostingLoop
from gembill.posting_progress import PostingProgress
from gembill.price_catalog import PricesInForce
from gembill.spool import Spool


class PostingThread:
    """Posts to the ledger of the settings, once begun. `watch` looks at budgets beside it."""

    def __init__(self, settings: Settings, watch: Watch | None = None) -> None:
        self._poster = Poster(lambda: open_ledger(settings.ledger_url), PricesInForce(settings))
        self._watch = WatchThread.of(watch, settings) if watch else None
        if watch is not None:
            watch.on_look = self._poster.progress.note_budgets
        self._thread: threading.Thread | None = None
        self._news: _SpoolNews | None = None
        self._loop: PostingLoop | None = None

    @property
    def progress(self) -> PostingProgress:
        """How it fares."""
        return self._poster.progress

    def begin(self, spool: Spool, adopted: Sequence[Spool]) -> None:
        """Begin to post these spools."""
        self._news = _SpoolNews(spool)
        self._loop = PostingLoop(self._poster, spool, adopted, self._news)
        self._thread = threading.Thread(target=self._loop.run, name="gembill-posting", daemon=True)
        self._thread.start()
        if self._watch is not None:
            self._watch.start()

    def adopt(self, spools: Sequence[Spool]) -> None:
        """Post these too, when there is something to post next, or at the end."""
        assert self._loop is not None
        for spool in spools:
            self._loop.adopt(spool)

    def end(self, timeout: float) -> None:
        """Post once more what is left, for at most `timeout` seconds."""
        if self._watch is not None:
            self._watch.end()
        if self._news is not None and self._thread is not None:
            self._news.end()
            self._thread.join(timeout)


class _SpoolNews:
    """The news of a spool in this process."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def wait_for_more(self, seconds: float | None) -> None:
        while not self._spool.wait(seconds or 0.5) and seconds is None and not self._ended.is_set():
            pass

    def pause(self, seconds: float) -> None:
        self._ended.wait(seconds)

    def settle(self) -> None:
        """A spool of this process is always read to its end."""

    def end(self) -> None:
        self._ended.set()

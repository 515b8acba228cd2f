"""The posting process: `python -m gembill.posting_process`, a child of the proxy's process (posting_supervisor).

Owns: its start, what it hears and says, its budgets, and its end. Not here: the loop and posting. Invariant: it ends
when its input does, whether its parent stopped or died: then it posts once what is there. Signals do not end it,
because they are often meant for the whole group, and the parent has still to finish.
"""

import contextlib
import gc
import logging
import os
import select
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gembill.alert.watch import WatchThread, configured_watch
from gembill.config import Settings
from gembill.errors import GembillError
from gembill.ledger import ledger_file, open_ledger
from gembill.logs import set_up
from gembill.posting import Poster
from gembill.posting_loop import PostingLoop
from gembill.posting_words import More, Report, Spools, Start, line, read
from gembill.price_catalog import PricesInForce
from gembill.spool import SpoolReader

_log = logging.getLogger("gembill.posting")
_SAID_DAMAGE = 20  # of a spool in one line, so that lines stay short
_IDLE_S = 30.0  # after it, say how the budgets are, though there is nothing to post
_NICE = 5  # callers wait for the proxy, and nobody for this
_GARBAGE = (50_000, 20, 50)  # a batch is thousands of values without cycles; looking for some cost a sixth of it


def main() -> None:
    """Read what to do from stdin and do it; the exit code is that of a refusal, else 0."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    says = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no message
    pipes = Pipes(sys.stdin.fileno(), says)
    start = pipes.next_line()
    if start is not None:
        sys.exit(_serve(read(Start, start), pipes))


def _serve(start: Start, pipes: "Pipes") -> int:
    settings = start.settings
    try:
        if start.log_level is not None:
            set_up(settings, start.log_level)
        poster = Poster(lambda: open_ledger(settings.ledger_url), PricesInForce(settings))
        poster.progress.ledger_file = ledger_file(settings.ledger_url)
        watch = configured_watch(settings)
        begin_ledger(settings)
    except GembillError as error:
        pipes.say(Report(refused=str(error), exit_code=error.exit_code))
        return error.exit_code
    pipes.say(Report(ready=True))
    gc.freeze()  # what is imported stays
    gc.set_threshold(*_GARBAGE)
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    spools = pipes.next_line()
    if spools is None:
        return 0
    thread = None
    if watch is not None:
        watch.on_look = poster.progress.note_budgets
        thread = WatchThread.of(watch, settings)
        thread.start()
    _post(poster, read(Spools, spools), pipes)
    if thread is not None:
        thread.end()
    return 0


def begin_ledger(settings: Settings) -> None:
    """Make a ledger in a file now, so that reports before the first call are empty and not an error.

    One that cannot be made stops no call: the spool keeps them, and posting says what is wrong.
    """
    file = ledger_file(settings.ledger_url)
    if file is not None and not file.exists():
        with contextlib.suppress(GembillError, OSError):
            open_ledger(settings.ledger_url).close()


def _post(poster: Poster, spools: Spools, pipes: "Pipes") -> None:
    def reader_of(path: str, upto: int) -> SpoolReader:
        reader = SpoolReader(Path(path))
        reader.upto = upto
        reader.on_posted = partial(_say_posted, pipes, poster, reader)
        return reader

    own, adopted = reader_of(spools.own, spools.upto), [reader_of(*each) for each in spools.adopted.items()]
    poster.look()
    news = _PipeNews(pipes, own, poster)
    loop = PostingLoop(poster, own, adopted, news)
    news.on_adopted = lambda path, upto: loop.adopt(reader_of(path, upto))
    loop.run()


def _say_posted(pipes: "Pipes", poster: Poster, reader: SpoolReader) -> None:
    pipes.say(_report(poster, reader))


def _report(poster: Poster, reader: SpoolReader, *, asks: bool = False) -> Report:
    progress = poster.progress
    progress.note_wal()
    return Report(
        posted={str(reader.path): reader.posted},
        count=progress.posted,
        buried=progress.buried,
        unknown=progress.unknown,
        unmetered=progress.unmetered,
        dead_letters=progress.dead_letters,
        gaps=progress.gaps,
        damage=tuple(reader.damage)[-_SAID_DAMAGE:],
        last_error=progress.last_error,
        last_error_us=progress.last_error_us,
        ledger_away=progress.ledger_away,
        stuck=progress.stuck,
        usage=progress.usage.counts,
        lag_seconds=progress.lag_seconds,
        budgets=progress.budgets,
        prices_checked_on=progress.prices_checked_on,
        wal_bytes=progress.wal_bytes,
        asks=asks,
    )


class Pipes:
    """Lines from the parent and to it."""

    def __init__(self, hears: int, says: int) -> None:
        self.ended = False  # the parent closed its side, or died
        self._hears = hears
        self._says = says
        self._text = b""

    def say(self, report: Report) -> None:
        """One line; to a parent that is gone it is not said."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._says, line(report))

    def next_line(self, timeout: float | None = None) -> bytes | None:
        """The next line; None when `timeout` seconds have passed, or at the end."""
        while b"\n" not in self._text:
            if self.ended or not select.select([self._hears], [], [], timeout)[0]:
                return None
            chunk = os.read(self._hears, 65_536)
            self._text += chunk
            self.ended = not chunk
        text, _, self._text = self._text.partition(b"\n")
        return text


class _PipeNews:
    """The news from the parent: how far the own spool may be read, and the end."""

    def __init__(self, pipes: Pipes, reader: SpoolReader, poster: Poster) -> None:
        self._pipes = pipes
        self._reader = reader
        self._poster = poster
        self._asked = False
        self.on_adopted: Callable[[str, int], None] | None = None

    @property
    def ended(self) -> bool:
        """Whether the parent closed its side, or died."""
        return self._pipes.ended

    def settle(self) -> None:
        """What it wrote and did not tell any more may be read too."""
        self._reader.settle()

    def wait_for_more(self, seconds: float | None) -> None:
        """Ask, and wait for the answer."""
        if not self._asked:
            self._pipes.say(_report(self._poster, self._reader, asks=True))
        self._asked = True
        self._hear(_IDLE_S if seconds is None else seconds)

    def pause(self, seconds: float) -> None:
        """Wait, and hear an answer that comes meanwhile."""
        self._pipes.say(_report(self._poster, self._reader))
        self._hear(seconds)

    def _hear(self, timeout: float | None) -> None:
        text = self._pipes.next_line(timeout)
        if text is not None:
            more = read(More, text)
            self._asked = False
            self._reader.upto = max(self._reader.upto, more.upto)
            for path, upto in more.adopted.items():
                if self.on_adopted is not None:
                    self.on_adopted(path, upto)


if __name__ == "__main__":
    main()

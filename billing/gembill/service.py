"""The service of `gembill proxy`: spool, proxy and posting on one data folder.

Owns: how the parts are put together, started and stopped, and the health page. Not here: the parts themselves, and
where posting runs. Invariants: what was recorded before a stop or a crash is found and finished at the next start,
before calls are taken; nothing of the ledger is imported here.
"""

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from gembill import __version__
from gembill.address import listen
from gembill.capture.doors import doors_of
from gembill.capture.fingerprint import Fingerprint, load_secret
from gembill.capture.http_server import Server
from gembill.capture.proxy import Caps, Proxy
from gembill.capture.recorder import Recorder, now_us
from gembill.capture.redaction import Redaction
from gembill.certificate import server_context
from gembill.config import Settings
from gembill.errors import ConfigurationError
from gembill.model import Api
from gembill.posting_progress import PostingProgress
from gembill.spool import Spool, SpoolOptions
from gembill.upstream import Limits, Origin, Upstream, way_out


class Posting(Protocol):
    """Who posts: `posting_supervisor` in a process of its own, `posting_thread` in this one."""

    @property
    def progress(self) -> PostingProgress:
        """How it fares."""

    def begin(self, spool: Spool, adopted: Sequence[Spool]) -> None:
        """Begin to post these spools."""

    def end(self, timeout: float) -> None:
        """Post once more what is left, for at most `timeout` seconds."""


class ProxyService:
    """All that `gembill proxy` runs. Made, then served once; `url` is where it listens, `way_out` the forward
    proxy on the way to the API, without its password, None for the straight way."""

    def __init__(self, settings: Settings, posting: Posting, redaction: Redaction | None = None) -> None:
        redaction = redaction or Redaction()
        tls = server_context(settings)
        self._listener = listen(settings.host, settings.port, backlog=2048)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{settings.host}:{self._listener.getsockname()[1]}"
        fingerprint = Fingerprint(load_secret(settings.fingerprint_secret, settings.data_folder), settings.keys)
        self._spool, self._adopted = _spools(settings)
        self._recorder = Recorder(
            self._spool,
            fingerprint,
            open_on_failure=settings.on_record_failure == "open",
            remember=redaction.remember,
        )
        self._posting = posting
        caps = Caps(seconds=float(settings.pump_seconds), size=settings.pump_bytes, calls=settings.pump_calls)
        upstreams = _upstreams(settings)
        forward = upstreams[Api.GEMINI].proxy
        self.way_out = forward.shown if forward else None
        doors = doors_of(settings.host, settings.hosts, settings.origins)
        self._server = Server(Proxy(upstreams, self._recorder, self.health, caps, scheme=scheme), tls, doors)

    def label(self, labels: Mapping[str, str]) -> None:
        """Give every call from now on these labels, and no longer those given before."""
        self._recorder.labels = dict(labels)

    @property
    def unposted(self) -> int:
        """Calls that are under way or not in the ledger yet. After the end: those that stay in the spool."""
        backlog = self._spool.backlog()
        return backlog.unposted + backlog.open_intents

    def serve(self) -> None:
        """Serve until SIGTERM or SIGINT; then finish what is under way, post once more and close."""
        self._posting.begin(self._spool, self._adopted)
        self._install_signal_handlers()
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._listener.close()
            self._posting.end(timeout=10.0)
            self._spool.close(10.0)

    def _install_signal_handlers(self) -> None:
        """End the server at a signal."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: setattr(self._server, "should_exit", True))

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve in a thread for the time of a `with` block; gives the address. All is posted when it ends."""
        thread = threading.Thread(target=self.serve, name="gembill-proxy")
        thread.start()
        try:
            _wait_started(self._server, thread)
            yield self.url
        finally:
            self._server.should_exit = True
            thread.join()

    def health(self) -> dict[str, Any]:
        """What `GET /_gembill/health` answers (contract.md, Commands)."""
        backlog, errors, progress = self._spool.backlog(), self._recorder.errors, self._posting.progress
        trouble = self._spool.trouble()
        oldest = backlog.oldest_us
        return {
            "version": __version__,
            "recording": trouble is None,
            "unposted": {
                "records": backlog.unposted,
                "oldest_age_seconds": None if oldest is None else round(max(0, now_us() - oldest) / 1e6, 3),
            },
            "last_error": trouble or _latest(errors, progress),
            "ledger_available": not progress.ledger_away,
            "calls_under_way": backlog.open_intents,
            "refused_calls": errors.refused,
            "unrecorded_calls": errors.unrecorded,
            "late_records": errors.late,
            "dead_letters": progress.buried,
            "stuck_spools": progress.shown_stuck(),
        }


def _upstreams(settings: Settings) -> dict[Api, Upstream]:
    """The upstream of each family of endpoints; one for both where no other is named for Vertex."""
    upstream = _upstream(settings, settings.upstream)
    vertex = settings.vertex_upstream
    return {Api.GEMINI: upstream, Api.VERTEX: _upstream(settings, vertex) if vertex else upstream}


def _upstream(settings: Settings, address: str) -> Upstream:
    origin = Origin.parse(address)
    return Upstream(
        origin,
        Limits(answer_s=float(settings.answer_seconds)),
        ca_file=settings.upstream_ca,
        proxy=way_out(origin.scheme, origin.host, origin.port, os.environ, settings.upstream_proxy),
    )


def _spools(settings: Settings) -> tuple[Spool, list[Spool]]:
    """Our spool and those that dead processes left; calls that never ended are closed as lost."""
    options = SpoolOptions(min_free_bytes=settings.spool_min_free_bytes)
    spool = Spool.claim(settings.spool_dir, options)
    adopted = Spool.adopt(settings.spool_dir, options)
    for each in (spool, *adopted):
        for lost in each.lost:
            each.append_wait(lost.event_id, lost.body)
    return spool, adopted


def _latest(*sides: Any) -> str | None:  # noqa: ANN401
    """The newest of the errors that the parts remember."""
    errors = [(side.last_error_us, side.last_error) for side in sides if side.last_error is not None]
    return max(errors)[1] if errors else None


def _wait_started(running: Server, thread: threading.Thread) -> None:
    while not running.started:
        thread.join(0.01)
        if not thread.is_alive():
            raise ConfigurationError("the proxy ended while it was starting; its log says why")

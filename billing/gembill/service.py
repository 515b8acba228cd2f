"""The service of `gembill proxy`: spool, proxy and posting on one data folder.

Owns: how the parts are put together, started and stopped, and gathering the numbers of health. Not here: the parts
themselves, and where posting runs. Invariants: what was recorded before a stop or a crash is found and finished at the
next start, before calls are taken; nothing of the ledger is imported here.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from gembill.address import listen, loopback, url_of
from gembill.capture.caller_token import CallerToken, caller_token
from gembill.capture.crowd import Room, possible_connections
from gembill.capture.doors import doors_of
from gembill.capture.fingerprint import Fingerprint, load_secret
from gembill.capture.http_server import Server
from gembill.capture.proxy import Caps, Proxy
from gembill.capture.recorder import Recorder, RecorderErrors, now_us
from gembill.capture.redaction import Redaction
from gembill.certificate import server_context
from gembill.clock import ClockWatch
from gembill.config import Settings
from gembill.errors import ConfigurationError
from gembill.handover import Offer, TakenOver
from gembill.health import HealthReport
from gembill.logs import AccessLog
from gembill.model import Api
from gembill.posting_progress import PostingProgress
from gembill.spool import Damage, Spool, SpoolOptions
from gembill.upstream import Limits, Origin, Upstream, way_out


class Posting(Protocol):
    """Who posts: `posting_supervisor` in a process of its own, `posting_thread` in this one."""

    @property
    def progress(self) -> PostingProgress:
        """How it fares."""

    def begin(self, spool: Spool, adopted: Sequence[Spool]) -> None:
        """Begin to post these spools."""

    def adopt(self, spools: Sequence[Spool]) -> None:
        """Post these too."""

    def end(self, timeout: float) -> None:
        """Post once more what is left, for at most `timeout` seconds."""


class ProxyService:
    """All that `gembill proxy` runs. Made, then served once; `url` is where it listens, `way_out` the forward
    proxy on the way to the API, without its password, None for the straight way. `made_token` is the token of callers
    where it was made just now. With `taken` it serves on the socket of another proxy, which then ends."""

    def __init__(
        self,
        settings: Settings,
        posting: Posting,
        redaction: Redaction | None = None,
        access_log: AccessLog | None = None,
        taken: TakenOver | None = None,
    ) -> None:
        redaction = redaction or Redaction()
        tls = server_context(settings)
        self._settings = settings
        self._taken = taken
        self._listener = listen(settings.host, settings.port, backlog=2048) if taken is None else taken.listener
        scheme = "http" if tls is None else "https"
        self.url = url_of(scheme, settings.host, self._listener.getsockname()[1])
        fingerprint = Fingerprint(load_secret(settings.fingerprint_secret, settings.data_folder), settings.keys)
        self._root = settings.spool_dir
        self._spool, self._adopted = _spools(settings)
        self._recorder = Recorder(
            self._spool,
            fingerprint,
            open_on_failure=settings.on_record_failure == "open",
            remember=redaction.remember,
        )
        self._posting = posting
        self._clock = ClockWatch()
        caps = Caps(seconds=float(settings.pump_seconds), size=settings.pump_bytes, calls=settings.pump_calls)
        upstreams = _upstreams(settings)
        forward = upstreams[Api.GEMINI].proxy
        self.way_out = forward.shown if forward else None
        token, self.made_token = _caller_token(settings)
        doors = doors_of(settings.host, settings.hosts, settings.origins, token)
        proxy = Proxy(upstreams, self._recorder, self.health, caps, scheme=scheme)
        handler = proxy if access_log is None else access_log.around(proxy)
        room = Room(possible_connections(settings.connections), settings.connections_per_address)
        self._server = Server(handler, tls, doors, float(settings.stop_seconds), room)

    def label(self, labels: Mapping[str, str]) -> None:
        """Give every call from now on these labels, and no longer those given before."""
        self._recorder.labels = dict(labels)

    @property
    def unread_batches(self) -> tuple[str, ...]:
        """The batches that were made here and whose results did not pass. Ask after the end."""
        return self._recorder.unread_batches

    @property
    def unposted(self) -> int:
        """Calls that are under way or not in the ledger yet. After the end: those that stay in the spool."""
        backlog = self._spool.backlog()
        return backlog.unposted + backlog.open_intents

    def serve(self, *, replaceable: bool = False) -> None:
        """Serve until SIGTERM or SIGINT; then finish what is under way, post once more and close. At a second one of
        them, end at once: what is under way is recorded as broken off, what is not posted stays in the spool.

        If `replaceable`, another proxy can take over the port, and then this one ends."""
        offer = Offer(self._settings.data_folder, self._listener, self._server.retire)
        self._posting.begin(self._spool, self._adopted)
        if replaceable or self._taken is not None:
            threading.Thread(target=self._take_place, args=(offer,), name="gembill-handover", daemon=True).start()
        self._clock.begin()
        self._install_signal_handlers()
        try:
            self._server.run(sockets=[self._listener])
        finally:
            offer.close()
            self._clock.end()
            self._listener.close()
            self._posting.end(timeout=1.0 if self._server.hurried else 10.0)
            self._spool.close(10.0)

    def _take_place(self, offer: Offer) -> None:
        """Once calls are served: let the proxy before end, post what it leaves, and be there for the next one."""
        while not self._server.started:
            time.sleep(0.01)
            if self._server.should_exit:
                return
        if self._taken is not None:
            self._taken.serving()
            self._taken.when_ended(self._adopt_left)
        offer.open()

    def _adopt_left(self) -> None:
        left = _adopted(self._settings)
        self._adopted += left
        self._posting.adopt(left)

    def _install_signal_handlers(self) -> None:
        """End the server at a signal. SIGHUP ends nothing: log files that were moved are made again by themselves."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._end())
            if hasattr(signal, "SIGHUP"):
                signal.signal(signal.SIGHUP, lambda *_: None)

    def _end(self) -> None:
        if self._server.should_exit:
            self._server.hurry()
        self._server.should_exit = True

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

    def health(self) -> HealthReport:
        """How everything is now, for the three pages of the proxy (contract.md, Commands)."""
        errors, progress, trouble = self._recorder.errors, self._posting.progress, self._spool.trouble()
        backlogs = [each.backlog() for each in (self._spool, *self._adopted)]
        since = [each.oldest_us for each in backlogs if each.oldest_us is not None]
        text, at_us = self._last_error(trouble, late=backlogs[0].waiting_in_memory > 0)
        damage = self._damage()
        return HealthReport(
            trouble=trouble,
            unposted=sum(each.unposted for each in backlogs),
            oldest_age_seconds=round(max(0, now_us() - min(since)) / 1e6, 3) if since else None,
            limit_seconds=float(self._settings.ready_seconds),
            last_error=text,
            last_error_us=at_us,
            ledger_available=not progress.ledger_away,
            calls_under_way=backlogs[0].open_intents,
            refused_calls=errors.refused,
            unrecorded_calls=errors.unrecorded,
            late_records=errors.late,
            posted=progress.posted,
            unknown_records=progress.unknown,
            unmetered_records=progress.unmetered,
            posting_restarts=progress.restarts,
            dead_letters=progress.dead_letters,
            gaps=progress.gaps,
            stuck_spools=(*progress.shown_stuck(), *self._left(progress)),
            damage=tuple(each.reason for each in damage),
            missing=sum(each.missing for each in damage),
            free_bytes=_free_bytes(self._spool),
            lag_seconds=progress.lag_seconds,
            clock_jumps=self._clock.jumps,
            clock_jump=self._clock.last,
            usage=progress.usage.counts,
            budgets=progress.budgets,
            prices_age_seconds=_age(progress.prices_checked_on),
            wal_bytes=progress.wal_bytes,
        )

    def _last_error(self, trouble: str | None, *, late: bool) -> tuple[str | None, int | None]:
        """What is wrong now: no record can be taken, or one waits for the disk (`late`), or posting fails."""
        if trouble is not None:
            return trouble, now_us()
        sides = (self._recorder.errors, self._posting.progress) if late else (self._posting.progress,)
        return _latest(*sides)

    def _left(self, progress: PostingProgress) -> Iterator[dict[str, str | None]]:
        """The spools that nobody posts until someone decides."""
        try:
            left = Spool.left_alone(self._root)
        except OSError as error:
            left = {str(self._root): f"the folder of the spools cannot be read: {error.strerror}; see `gembill doctor`"}
        for path, reason in left.items():
            if path not in progress.stuck:
                yield {"spool": path, "reason": reason, "since": None}

    def _damage(self) -> tuple[Damage, ...]:
        """What was found by us and by posting, each once."""
        ours = [damage for each in (self._spool, *self._adopted) for damage in each.damage()]
        return tuple(dict.fromkeys([*self._posting.progress.damage, *ours]))


def _caller_token(settings: Settings) -> tuple[CallerToken | None, str | None]:
    """The token to ask for where other machines can reach the proxy, and the same if it was made now."""
    if loopback(settings.host):
        return None, None
    return caller_token(settings.caller_token, settings.data_folder)


def _age(day: str | None) -> float | None:
    """Seconds since a day began in UTC."""
    if day is None:
        return None
    return round(now_us() / 1e6 - datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp(), 3)


def _free_bytes(spool: Spool) -> int | None:
    try:
        disk = os.statvfs(spool.path)
    except OSError:  # `trouble` says it
        return None
    return disk.f_bavail * disk.f_frsize


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
    """Our spool and those that dead processes left."""
    spool = Spool.claim(settings.spool_dir, _spool_options(settings))
    _close_lost(spool)
    return spool, _adopted(settings)


def _adopted(settings: Settings) -> list[Spool]:
    """The spools that dead processes left with something to post."""
    spools = Spool.adopt(settings.spool_dir, _spool_options(settings))
    for spool in spools:
        _close_lost(spool)
    return spools


def _spool_options(settings: Settings) -> SpoolOptions:
    return SpoolOptions(min_free_bytes=settings.spool_min_free_bytes, keep_hours=float(settings.spool_keep_hours))


def _close_lost(spool: Spool) -> None:
    """Close the calls that never ended as lost."""
    for lost in spool.lost:
        spool.append_wait(lost.event_id, lost.body)


def _latest(*sides: RecorderErrors | PostingProgress) -> tuple[str | None, int | None]:
    """The newest of the errors that the parts remember, and its time."""
    errors = [(us, text) for side in sides if (text := side.last_error) and (us := side.last_error_us)]
    at_us, text = max(errors, default=(None, None))
    return text, at_us


def _wait_started(running: Server, thread: threading.Thread) -> None:
    while not running.started:
        thread.join(0.01)
        if not thread.is_alive():
            raise ConfigurationError("the proxy ended while it was starting; its log says why")

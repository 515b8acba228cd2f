"""How the proxy is, at one moment: what health, readiness and metrics say.

Owns: the value, its JSON, its readiness and its text for Prometheus. Not here: where the numbers come from (`service`)
and HTTP (`capture.proxy`). Invariant: nothing in it is secret, and no metric has a label whose values are not listed
here or bounded by `usage_counters`, the version apart.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gembill import __version__, budget_gauges
from gembill.budget_gauges import BudgetGauge
from gembill.exposition import head
from gembill.usage_counters import Counts, lines

JSON_TYPE = b"application/json; charset=utf-8"
METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
SHOWN_DAMAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """The numbers of a running proxy. Counts ending in `_calls` or `_records`, and `posted`, are since its start.

    `trouble` says why no call can be recorded now. `dead_letters` are those of the ledger, None until asked.
    `limit_seconds` is how old the oldest unposted record may be while the proxy is ready. `lag_seconds` is how long the
    newest posted event had waited, `missing` how many of the spools' records are known to be lost. `gaps` counts places
    of all spools, whoever posts them, that the ledger lacks though it has later ones, None until it was asked.
    """

    trouble: str | None
    unposted: int
    oldest_age_seconds: float | None
    limit_seconds: float
    last_error: str | None
    last_error_us: int | None
    ledger_available: bool
    calls_under_way: int
    refused_calls: int
    unrecorded_calls: int
    late_records: int
    posted: int
    unknown_records: int
    unmetered_records: int
    posting_restarts: int
    dead_letters: int | None
    stuck_spools: tuple[dict[str, str | None], ...]
    damage: tuple[str, ...]
    free_bytes: int | None
    missing: int = 0
    gaps: int | None = None
    lag_seconds: float | None = None
    clock_jumps: int = 0
    clock_jump: str | None = None
    usage: Counts = field(default_factory=dict)
    budgets: tuple[BudgetGauge, ...] = ()
    prices_age_seconds: float | None = None
    wal_bytes: int | None = None

    @property
    def ready(self) -> bool:
        """Whether calls can be recorded and get to the ledger in time."""
        return self.trouble is None and (
            self.oldest_age_seconds is None or self.oldest_age_seconds < self.limit_seconds
        )

    def json(self) -> bytes:
        """What health and readiness answer (docs/contract.md)."""
        return json.dumps(self._members()).encode()

    def _members(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "recording": self.trouble is None,
            "ready": self.ready,
            "unposted": {"records": self.unposted, "oldest_age_seconds": self.oldest_age_seconds},
            "last_error": self.last_error,
            "last_error_at": None if self.last_error_us is None else _instant(self.last_error_us),
            "ledger_available": self.ledger_available,
            "calls_under_way": self.calls_under_way,
            "refused_calls": self.refused_calls,
            "unrecorded_calls": self.unrecorded_calls,
            "late_records": self.late_records,
            "unknown_records": self.unknown_records,
            "unmetered_records": self.unmetered_records,
            "posting_restarts": self.posting_restarts,
            "dead_letters": self.dead_letters,
            "ledger_gaps": self.gaps,
            "stuck_spools": list(self.stuck_spools),
            "spool_damage": {
                "count": len(self.damage),
                "missing_records": self.missing,
                "last": list(self.damage[-SHOWN_DAMAGE:]),
            },
            "spool_free_bytes": self.free_bytes,
            "posting_lag_seconds": self.lag_seconds,
            "ledger_wal_bytes": self.wal_bytes,
            "clock_jumps": {"count": self.clock_jumps, "last": self.clock_jump},
        }

    def metrics(self) -> bytes:
        """The text that Prometheus reads, format 0.0.4; a number that is not known is left out."""
        text: list[str] = []
        for name, kind, words, value in self._gauges_and_counters():
            if value is not None:
                text += [*head(name, kind, words), f"gembill_{name} {value}"]
        text += [*self._labelled(), *lines(self.usage), *budget_gauges.lines(self.budgets)]
        return ("\n".join(text) + "\n").encode()

    def _gauges_and_counters(self) -> Iterator[tuple[str, str, str, float | None]]:
        at = self.last_error_us
        yield "recording", "gauge", "1 while calls can be recorded.", int(self.trouble is None)
        yield "ready", "gauge", "1 while the readiness page answers 200.", int(self.ready)
        yield "queue_depth", "gauge", "Records in the spools that are not in the ledger yet.", self.unposted
        yield "oldest_unposted_age_seconds", "gauge", "Age of the oldest of them.", self.oldest_age_seconds or 0
        yield "open_intents", "gauge", "Calls under way.", self.calls_under_way
        yield "ledger_available", "gauge", "0 after the ledger did not take a batch.", int(self.ledger_available)
        yield "dead_letters", "gauge", "Events in the ledger that could not become records.", self.dead_letters
        yield "ledger_gaps", "gauge", "Places of all spools that it lacks before later ones.", self.gaps
        yield "stuck_spools", "gauge", "Spools that the ledger refuses.", len(self.stuck_spools)
        yield "spool_damage", "gauge", "Damaged or missing stretches found in the spools.", len(self.damage)
        yield "spool_missing_records", "gauge", "Records of the spools that are known to be lost.", self.missing
        yield "posting_lag_seconds", "gauge", "How long the newest posted event had waited.", self.lag_seconds
        yield "ledger_wal_bytes", "gauge", "Size of the WAL of a SQLite ledger.", self.wal_bytes
        yield "price_table_age_seconds", "gauge", "Since a price was checked last.", self.prices_age_seconds
        yield "clock_jumps_total", "counter", "Times the clock was set by more than five minutes.", self.clock_jumps
        yield "spool_free_bytes", "gauge", "Bytes free on the disk of the spool.", self.free_bytes
        yield "last_error_timestamp_seconds", "gauge", "When the present error was seen last.", at and at / 1e6
        yield "posted_total", "counter", "Events posted to the ledger.", self.posted
        yield "unknown_records_total", "counter", "Records whose usage is not known.", self.unknown_records
        yield "unmetered_records_total", "counter", "Records of paid calls nobody can count.", self.unmetered_records
        yield "posting_restarts_total", "counter", "Times the posting process ended.", self.posting_restarts

    def _labelled(self) -> list[str]:
        errors = {"refused": self.refused_calls, "unrecorded": self.unrecorded_calls, "late": self.late_records}
        return [
            *head("record_errors_total", "counter", "Calls refused, served without a record, or answered before it."),
            *(f'gembill_record_errors_total{{kind="{kind}"}} {count}' for kind, count in errors.items()),
            *head("build_info", "gauge", "The version, as a label."),
            f'gembill_build_info{{version="{__version__}"}} 1',
        ]

    def page(self, path: bytes) -> "Page | None":
        """The answer to GET of a path; None where it is not a page of ours."""
        if path == b"/_gembill/health":
            return Page(200, JSON_TYPE, self.json())
        if path == b"/_gembill/ready":
            return Page(200 if self.ready else 503, JSON_TYPE, self.json())
        return Page(200, METRICS_TYPE, self.metrics()) if path == b"/_gembill/metrics" else None


@dataclass(frozen=True, slots=True)
class Page:
    """A status, a content type and a body."""

    status: int
    content_type: bytes
    body: bytes


def _instant(us: int) -> str:
    seconds, rest = divmod(us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06}Z"

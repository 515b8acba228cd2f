"""One run of a program whose Gemini calls are recorded and counted together.

Owns: the run's id and labels, the service that records it, the variables by which a program finds it, and what the run
cost. Not here: processes and display. Invariant: every call of the run has the label `run` with its id, whatever its
caller says, so that the ledger can find them; what it cost is only reported when all of them are in the ledger.
"""

import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from gembill.address import masked
from gembill.budget_status import RUN, evaluate_budgets
from gembill.capture.attribution import MAX_NAME, MAX_VALUE
from gembill.capture.redaction import Redaction
from gembill.config import Settings
from gembill.errors import ConfigurationError, LedgerError
from gembill.ledger import Ledger, Selection, open_ledger
from gembill.period import zone
from gembill.posting_thread import PostingThread
from gembill.rules.budgets import Budget, BudgetPeriod, BudgetStatus
from gembill.service import ProxyService

SETTLE_SECONDS = 15.0
_NAMED = 3
_BASE_URLS = (
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_VERTEX_BASE_URL",
)  # google-genai of Python, JavaScript and Go read these
NOT_REACHED = (
    f"No paid Gemini call reached the proxy. {' and '.join(_BASE_URLS)} were set to its address; a client that reads "
    "neither needs that address as its base URL, with /v1beta behind it for LiteLLM and the Vercel AI SDK, with "
    "/v1beta/openai for OpenAI's clients."
)
"""What is said of a run without a call: its program may have gone past the proxy."""


def unread(batches: Sequence[str]) -> list[str]:
    """The sentence about batches whose results a run did not read, if there are any."""
    if not batches:
        return []
    made = "A batch was" if len(batches) == 1 else f"{len(batches):,} batches were"
    more = ", ..." if len(batches) > _NAMED else ""
    sentence = (
        f"{made} made whose results were not read here ({', '.join(batches[:_NAMED])}{more}): what that costs is in no "
        "sum, and comes into the ledger when the results are read through a proxy."
    )
    return [sentence]


def new_id() -> str:
    """An id for a run; ids sort by the time they were made."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(3)}"


def limit(pico: int, name: str = "run") -> Budget:
    """A budget in dollars for one run."""
    return Budget(name=name, limit_pico=pico, span=BudgetPeriod.RUN, zone=zone())


def environment(url: str, run: str, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a program whose calls go to `url`, past any proxy that it names for others."""
    variables = {**base, **dict.fromkeys(_BASE_URLS, url), "GEMBILL_RUN": run}
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in base.get(name, "").split(",") if host]
        variables[name] = ",".join([*hosts, "127.0.0.1"])
    return variables


def replaced_addresses(settings: Settings, base: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each address that a program was to call and that a run replaces, where calls then go elsewhere."""
    upstreams = (settings.upstream, settings.vertex_upstream or settings.upstream)
    around = " It is that of a run around this one, which sees none of these calls." if "GEMBILL_RUN" in base else ""
    return [
        f"{name} was {masked(base[name])} and is replaced: calls of this run go to {upstream}, unless the setting "
        f"upstream (GEMBILL_UPSTREAM) names another place.{around}"
        for name, upstream in zip(_BASE_URLS, upstreams, strict=True)
        if base.get(name) and base[name].rstrip("/").lower() != upstream.rstrip("/").lower()
    ]


class Run:
    """A run on a free port of this machine. ConfigurationError for labels no call can carry."""

    def __init__(self, settings: Settings, labels: Mapping[str, str], run: str | None = None) -> None:
        for name, value in labels.items():
            _check_label(name, value)
        self.id = run or new_id()
        self._labels = {**labels, RUN: self.id}
        self._settings = replace(settings, host="127.0.0.1", port=0, tls=None, tls_cert=None, tls_key=None)
        self._service: ProxyService | None = None

    @contextmanager
    def recording(self, redaction: Redaction | None = None) -> Iterator[str]:
        """Record for the time of a `with` block; gives the address. LedgerError if there is no ledger to use."""
        self.ledger(read_only=False).close()  # before money is spent: without it nobody would know what the run cost
        self._service = ProxyService(self._settings, PostingThread(self._settings), redaction)
        self.label({})
        with self._service.running() as url:
            yield url

    def label(self, labels: Mapping[str, str]) -> None:
        """Give the calls from now on these labels beside those of the run."""
        assert self._service is not None
        self._service.label({**labels, **self._labels})

    def settle(self, seconds: float | None = None) -> None:
        """Wait until all calls are in the ledger, at most `seconds`, else `SETTLE_SECONDS`; LedgerError if not."""
        assert self._service is not None
        until = time.monotonic() + (SETTLE_SECONDS if seconds is None else seconds)
        while left := self._service.unposted:
            if time.monotonic() > until:
                calls = "call is" if left == 1 else "calls are"
                raise LedgerError(f"{left} {calls} not in the ledger yet: what the run cost is not known")
            time.sleep(0.01)

    @property
    def unread_batches(self) -> tuple[str, ...]:
        """The batches that were made in this run and whose results it did not read. Ask after the end of recording."""
        return () if self._service is None else self._service.unread_batches

    def budget_statuses(self, budgets: Sequence[Budget], ledger: Ledger) -> list[BudgetStatus]:
        """The state of budgets in this run."""
        return evaluate_budgets(ledger, budgets, time.time_ns() // 1000, run=self.id)

    def selection(self, labels: Mapping[str, str] | None = None) -> Selection:
        """The calls of the run, or those that have these labels as well."""
        return Selection(labels={**(labels or {}), RUN: self.id})

    def ledger(self, *, read_only: bool = True) -> Ledger:
        """The ledger the run is in."""
        return open_ledger(self._settings.ledger_url, read_only=read_only)


def _check_label(name: str, value: str) -> None:
    if name == RUN:
        raise ConfigurationError("the label 'run' is the run's own; choose another name")
    if not name or len(name) > MAX_NAME or len(value) > MAX_VALUE or "\0" in name + value:
        raise ConfigurationError(
            f"the label {name!r} is too long: names have at most {MAX_NAME} characters, values {MAX_VALUE}"
        )

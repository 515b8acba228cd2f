"""Counts of calls, tokens and cost by model, as Prometheus reads them.

Owns: which families there are, their labels, and their text. Not here: when a call counts (`posting`) and the numbers
of the proxy itself (`health`). Invariant: a family has no label that a caller can fill at will: after `MODELS` names of
models all others are `other`, and keys, labels of callers and ids are in none. Money is whole pico-dollars until it is
written, so that nothing is lost in adding.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gembill.model import Meter, Rating, Record

MODELS = 50
BUCKETS_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
_OTHER = "other"
_KINDS = {Meter.INPUT: "prompt", Meter.CACHED_INPUT: "cached"}  # the names that readers of metrics expect
_UNFIT = re.compile(r'[\\"\n]')
_HELP = {
    "requests_total": "Calls posted to the ledger.",
    "tokens_total": "Tokens of these calls; the kinds do not overlap.",
    "cost_usd_total": "Their cost in US dollars where it is known; the ledger has the exact sum.",
    "code_executions_total": "Runs of generated code.",
    "failed_execution_cost_usd_total": "Share of the intermediate cost that failed runs had, rounded down by call.",
    "unpriced_requests_total": "Calls without a price.",
    "request_duration_seconds": "From the request to the end of the answer.",
}

Counts = dict[str, dict[str, int]]
"""By family, then by labels in the form of the exposition text. Money in pico-dollars, time in microseconds."""


@dataclass(slots=True)
class UsageCounters:
    """Counts since the start. Of the histogram there are `_bucket`, `_sum` and `_count`."""

    counts: Counts = field(default_factory=dict)
    _models: set[str] = field(default_factory=set)

    def add_call(self, record: Record, rating: Rating) -> None:
        """A call that is new in the ledger."""
        model = self._model(record)
        self._add("requests_total", f'{model},api="{record.api.value}",status="{record.status.value}"', 1)
        if rating.unpriced_reason is not None:
            self._add("unpriced_requests_total", model, 1)
        if record.ended_us is not None:
            self._time(f'{model},stream="{str(record.streamed).lower()}"', record.ended_us - record.occurred_us)
        self.add_usage(record, rating)

    def add_usage(self, record: Record, rating: Rating) -> None:
        """What a call used, where it was counted before it was known."""
        model = self._model(record)
        for kind, count in _tokens(record):
            self._add("tokens_total", f'{model},kind="{kind}"', count)
        for run in record.executions:
            self._add("code_executions_total", f'{model},outcome="{run.outcome.value}"', 1)
        intermediate = 0
        for charge in rating.charges if rating.is_costed else ():
            kind = _KINDS.get(charge.meter, charge.meter.value)
            self._add("cost_usd_total", f'{model},kind="{kind}"', charge.cost_pico)
            intermediate += charge.cost_pico if charge.meter is Meter.INTERMEDIATE else 0
        if record.failed:
            share = intermediate * record.failed // len(record.executions)
            self._add("failed_execution_cost_usd_total", model, share)

    def _time(self, labels: str, duration_us: int) -> None:
        for limit in BUCKETS_S:
            self._add("request_duration_seconds_bucket", f'{labels},le="{limit:g}"', int(duration_us <= limit * 1e6))
        self._add("request_duration_seconds_bucket", f'{labels},le="+Inf"', 1)
        self._add("request_duration_seconds_sum", labels, max(0, duration_us))
        self._add("request_duration_seconds_count", labels, 1)

    def _add(self, family: str, labels: str, count: int) -> None:
        values = self.counts.setdefault(family, {})
        values[labels] = values.get(labels, 0) + count

    def _model(self, record: Record) -> str:
        name = record.model or "unknown"
        if name not in self._models:
            if len(self._models) >= MODELS:
                return f'model="{_OTHER}"'
            self._models.add(name)
        return f'model="{_UNFIT.sub("_", name)}"'


def added(one: Counts, other: Counts) -> Counts:
    """The sums of two, such as those of a process that has ended and of the one after it."""
    sums = {family: dict(values) for family, values in one.items()}
    for family, values in other.items():
        target = sums.setdefault(family, {})
        for labels, count in values.items():
            target[labels] = target.get(labels, 0) + count
    return sums


def lines(counts: Counts) -> Iterator[str]:
    """The families in the text form of Prometheus, each with its head; one without a count is left out."""
    for family, words in _HELP.items():
        histogram = family == "request_duration_seconds"
        names = [f"{family}{part}" for part in ("_bucket", "_sum", "_count")] if histogram else [family]
        if not any(counts.get(name) for name in names):
            continue
        yield f"# HELP gembill_{family} {words}"
        yield f"# TYPE gembill_{family} {'histogram' if histogram else 'counter'}"
        for name in names:
            yield from _samples(name, counts.get(name, {}))


def _samples(name: str, values: Mapping[str, int]) -> Iterator[str]:
    decimals = 12 if name.endswith("_usd_total") else 6 if name.endswith("_sum") else 0
    for labels, count in tuple(values.items()):  # another thread may add while it is read
        yield f"gembill_{name}{{{labels}}} {_decimal(count, decimals)}"


def _decimal(count: int, decimals: int) -> str:
    if not decimals:
        return str(count)
    whole, rest = divmod(count, 10**decimals)
    return f"{whole}.{rest:0{decimals}}"


def _tokens(record: Record) -> Iterator[tuple[str, int]]:
    """The tokens of a record by kinds that do not overlap; none that is zero or not known."""
    tokens = record.tokens
    cached, thinking = tokens.cached or 0, tokens.thinking or 0
    kinds = {
        "prompt": (tokens.input or 0) - cached,
        "intermediate": tokens.intermediate or 0,
        "cached": cached,
        "output": (tokens.output or 0) - thinking,
        "thinking": thinking,
    }
    return ((kind, count) for kind, count in kinds.items() if count > 0)

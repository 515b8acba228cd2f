"""Counts of calls, tokens and cost by model, as Prometheus reads them.

Owns: which families there are, their labels, and their text. Not here: when a call counts (`posting`) and the numbers
of the proxy itself (`health`). Invariant: a family has no label that a caller can fill at will: after `MODELS` names of
models all others are `other`, and keys, labels of callers and ids are in none. Money is whole pico-dollars until it is
written, so that nothing is lost in adding.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from gembill.exposition import head, label_value
from gembill.model import Api, Meter, Outcome, Rating, Record, Status, Tokens

MODELS = 50
BUCKETS_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
_BUCKETS_US = [limit * 1e6 for limit in BUCKETS_S]
_OTHER = "other"
_KINDS = {Meter.INPUT: "prompt", Meter.CACHED_INPUT: "cached"}  # the names that readers of metrics expect
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


class UsageCounters:
    """Counts since the start, added to those that were there `before`."""

    def __init__(self, before: Counts | None = None) -> None:
        self._before: Counts = before or {}
        self._models: dict[str, _Sums] = {}

    @property
    def counts(self) -> Counts:
        """All of them by now. Of the histogram there are `_bucket`, `_sum` and `_count`."""
        counts = {family: dict(values) for family, values in self._before.items()}
        for name, sums in tuple(self._models.items()):  # another thread may add while it is read
            for family, labels, count in sums.samples(f'model="{label_value(name)}"'):
                values = counts.setdefault(family, {})
                values[labels] = values.get(labels, 0) + count
        return counts

    def add_call(self, record: Record, rating: Rating) -> None:
        """A call that is new in the ledger."""
        sums, kind = self._of(record), (record.api, record.status)
        sums.requests[kind] = sums.requests.get(kind, 0) + 1
        sums.unpriced += rating.unpriced_reason is not None
        if record.ended_us is not None:
            sums.add_time(record.streamed, record.ended_us - record.occurred_us)
        sums.add_usage(record, rating)

    def add_usage(self, record: Record, rating: Rating) -> None:
        """What a call used, where it was counted before it was known."""
        self._of(record).add_usage(record, rating)

    def _of(self, record: Record) -> "_Sums":
        name = record.model or "unknown"
        sums = self._models.get(name)
        if sums is None:
            sums = self._models.setdefault(name if len(self._models) < MODELS else _OTHER, _Sums())
        return sums


@dataclass(slots=True)
class _Sums:
    """Counts of one model. What makes a call cheap to count: no text is made before somebody reads.

    `times` are, of calls that were streamed and of others, how many fell into each bucket, and microseconds together.
    """

    requests: dict[tuple[Api, Status], int] = field(default_factory=dict)
    unpriced: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    runs: dict[Outcome, int] = field(default_factory=dict)
    costs: dict[Meter, int] = field(default_factory=dict)
    failed: int | None = None
    times: dict[bool, tuple[list[int], list[int]]] = field(default_factory=dict)

    def add_usage(self, record: Record, rating: Rating) -> None:
        """Tokens, runs and money of a call."""
        for kind, count in _tokens(record.tokens):
            if count > 0:
                self.tokens[kind] = self.tokens.get(kind, 0) + count
        for run in record.executions:
            self.runs[run.outcome] = self.runs.get(run.outcome, 0) + 1
        intermediate = 0
        for charge in rating.charges if rating.is_costed else ():
            meter, cost = charge.meter, charge.quantity * charge.unit_pico
            self.costs[meter] = self.costs.get(meter, 0) + cost
            intermediate += cost if meter is Meter.INTERMEDIATE else 0
        if failed := record.failed:
            self.failed = (self.failed or 0) + intermediate * failed // len(record.executions)

    def add_time(self, streamed: bool, duration_us: int) -> None:
        """How long a call took; one that ended before it began, by its clocks, took no time."""
        times = self.times.get(streamed)
        if times is None:
            times = self.times[streamed] = [0] * (len(BUCKETS_S) + 1), [0]
        times[0][bisect_left(_BUCKETS_US, duration_us)] += 1
        times[1][0] += max(0, duration_us)

    def samples(self, model: str) -> Iterator[tuple[str, str, int]]:
        """Family, labels and count of each; `model` is its label."""
        for (api, status), count in tuple(self.requests.items()):
            yield "requests_total", f'{model},api="{api.value}",status="{status.value}"', count
        if self.unpriced:
            yield "unpriced_requests_total", model, self.unpriced
        for streamed, (buckets, total) in tuple(self.times.items()):
            yield from _histogram(f'{model},stream="{str(streamed).lower()}"', tuple(buckets), total[0])
        for kind, count in tuple(self.tokens.items()):
            yield "tokens_total", f'{model},kind="{kind}"', count
        for outcome, count in tuple(self.runs.items()):
            yield "code_executions_total", f'{model},outcome="{outcome.value}"', count
        for meter, cost in tuple(self.costs.items()):
            yield "cost_usd_total", f'{model},kind="{_KINDS.get(meter, meter.value)}"', cost
        if self.failed is not None:
            yield "failed_execution_cost_usd_total", model, self.failed


def _histogram(labels: str, buckets: Sequence[int], total_us: int) -> Iterator[tuple[str, str, int]]:
    """The samples of a histogram, whose buckets count all that fell into smaller ones too."""
    for limit, count in zip((*(f"{limit:g}" for limit in BUCKETS_S), "+Inf"), accumulate(buckets), strict=True):
        yield "request_duration_seconds_bucket", f'{labels},le="{limit}"', count
    yield "request_duration_seconds_sum", labels, total_us
    yield "request_duration_seconds_count", labels, sum(buckets)


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
        yield from head(family, "histogram" if histogram else "counter", words)
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


def _tokens(tokens: Tokens) -> tuple[tuple[str, int], ...]:
    """The tokens of a record by kinds that do not overlap."""
    cached, thinking = tokens.cached or 0, tokens.thinking or 0
    return (
        ("prompt", (tokens.input or 0) - cached),
        ("intermediate", tokens.intermediate or 0),
        ("cached", cached),
        ("output", (tokens.output or 0) - thinking),
        ("thinking", thinking),
    )

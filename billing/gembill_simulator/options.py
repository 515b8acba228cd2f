"""How a simulator is set, as a whole and for one request.

Owns: options and control headers with their meaning and checks. Not here: behaviour. Invariant: an `Options` or
`Control` that exists can be obeyed; otherwise ConfigurationError (options) or Refusal 400 (headers) was raised.

Control headers, for tests; each overrides the option of the same meaning for one request: `x-simulator-fault`,
`x-simulator-latency-ms`, `x-simulator-chunk-ms`, `x-simulator-runs` (comma list of `ok`, `failed`,
`deadline_exceeded`, `plot`, `search`, `call`, or `none`), `x-simulator-cached` (tokens), `x-simulator-filling` (bytes
that the file of each plot has more than it needs), `x-simulator-tier` (the tier served, whatever was asked),
`x-simulator-framing: sized` (a Content-Length in place of chunks, unary answers only), `x-simulator-polls` (of a
background interaction or a batch until it is done), `x-simulator-hops` (requests that an answer takes, by continuation
tokens), `x-simulator-schema: old` (an interaction in the schema of before June 2026).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gembill.errors import ConfigurationError, Refusal
from gembill_simulator import faults
from gembill_simulator.answer import NO_OVERRIDES, Overrides
from gembill_simulator.faults import InjectedFault

_RUNS = frozenset(("ok", "failed", "deadline_exceeded", "plot", "search", "call"))
_PREFIX = "x-simulator-"
_LONGEST_WAIT_MS = 600_000
_MOST_POLLS = 1_000_000
_MOST_HOPS = 100
_LARGEST_FILLING = 32 << 20
_MOST_TOKENS = 1 << 40


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a whole simulator.

    Without a `seed` the answers are those of seed 0, and the names of what is made are new with each start; with one
    they repeat, for tests whose records must have the same ids each time.

    `latency_ms` passes before an answer begins, `chunk_ms` between the chunks of a stream. `faults` come over requests
    by rate; `script` comes first and names the faults of the first generation requests by arrival (`ok` for none). A
    background interaction or a batch is done after `polls` polls that found it pending and `pending_ms`. `require_key`
    answers 403 to a request without a key. `keep_served` bounds the log of what was served.
    """

    seed: int | None = None
    latency_ms: float = 0
    chunk_ms: float = 0
    faults: tuple[InjectedFault, ...] = ()
    script: tuple[str, ...] = ()
    polls: int = 2
    pending_ms: float = 0
    require_key: bool = False
    keep_served: int = 100_000

    def __post_init__(self) -> None:
        waits = {"latency": self.latency_ms, "time between chunks": self.chunk_ms, "time pending": self.pending_ms}
        for name, wait in waits.items():
            if not 0 <= wait <= _LONGEST_WAIT_MS:
                raise ConfigurationError(f"The {name} must be from 0 to {_LONGEST_WAIT_MS} ms, not {wait}.")
        if not 0 <= self.polls <= _MOST_POLLS:
            raise ConfigurationError(f"The number of polls must be from 0 to {_MOST_POLLS}, not {self.polls}.")
        if sum(fault.rate for fault in self.faults) > 1.000001:
            raise ConfigurationError("The rates of all faults together must not be over 1.")
        if unknown := [name for name in self.script if not faults.known(name)]:
            raise ConfigurationError(f"The script names {unknown[0]!r}, which is not a fault.")


@dataclass(frozen=True, slots=True)
class Control:
    """Settings of one request; None leaves the matter to the options."""

    fault: str | None = None
    latency_ms: float | None = None
    chunk_ms: float | None = None
    overrides: Overrides = NO_OVERRIDES
    tier: str | None = None
    sized: bool = False
    polls: int | None = None
    old_schema: bool = False


_PLAIN = Control()


def control(headers: Mapping[str, str]) -> Control:
    """Read the control headers (names in lower case); raises `Refusal` (400) for one that cannot be obeyed."""
    settings = {name[len(_PREFIX) :]: value.strip() for name, value in headers.items() if name.startswith(_PREFIX)}
    if not settings:
        return _PLAIN
    fault = settings.get("fault")
    if fault is not None and not faults.known(fault):
        _refuse("fault", fault)
    return Control(
        fault=fault,
        latency_ms=_number(settings, "latency-ms", _LONGEST_WAIT_MS),
        chunk_ms=_number(settings, "chunk-ms", _LONGEST_WAIT_MS),
        overrides=Overrides(
            runs=_runs(settings.get("runs")),
            cached=_number(settings, "cached", _MOST_TOKENS),
            hops=_number(settings, "hops", _MOST_HOPS),
            filling=_number(settings, "filling", _LARGEST_FILLING),
        ),
        tier=settings.get("tier"),
        sized=settings.get("framing") == "sized",
        polls=_number(settings, "polls", _MOST_POLLS),
        old_schema=settings.get("schema") == "old",
    )


def _runs(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = () if text == "none" else tuple(name.strip() for name in text.split(","))
    if not _RUNS.issuperset(names) or len(names) > 50:
        _refuse("runs", text)
    return names


def _number(settings: Mapping[str, str], name: str, most: int) -> int | None:
    text = settings.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) <= most):
        _refuse(name, text)
    return int(text)


def _refuse(name: str, value: str) -> None:
    raise Refusal(400, "INVALID_ARGUMENT", f"The control header {_PREFIX}{name} cannot be {value!r}.")

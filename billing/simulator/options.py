"""How a simulator is set, as a whole and for one request.

Owns: options and control headers with their meaning and checks. Owns no behaviour. Invariant: an `Options` or
`Control` that exists can be obeyed; otherwise ConfigurationError (options) or Refusal 400 (headers) was raised.

Control headers, for tests; each overrides the option of the same meaning for one request: `x-simulator-fault`,
`x-simulator-latency-ms`, `x-simulator-chunk-ms`, `x-simulator-runs` (comma list of `ok`, `failed`,
`deadline_exceeded`, `plot`, or `none`), `x-simulator-cached` (tokens), `x-simulator-tier` (the tier served,
whatever was asked), `x-simulator-framing: sized` (a Content-Length in place of chunks, unary answers only).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from billing.errors import ConfigurationError, Refusal
from billing.simulator import faults
from billing.simulator.answer import NO_WISHES, Wishes
from billing.simulator.faults import Fault

_RUNS = frozenset(("ok", "failed", "deadline_exceeded", "plot"))
_PREFIX = "x-simulator-"
_LONGEST_WAIT_MS = 600_000
_MOST_TOKENS = 1 << 40


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a whole simulator.

    `latency_ms` passes before an answer begins, `chunk_ms` between the chunks of a stream. `faults` befall requests by
    rate; `script` comes first and names the faults of the first generation requests by arrival (`ok` for none).
    `require_key` answers 403 to a request without a key. `keep_served` bounds the log of what was served.
    """

    seed: int = 0
    latency_ms: float = 0
    chunk_ms: float = 0
    faults: tuple[Fault, ...] = ()
    script: tuple[str, ...] = ()
    require_key: bool = False
    keep_served: int = 100_000

    def __post_init__(self) -> None:
        for name, wait in (("latency", self.latency_ms), ("time between chunks", self.chunk_ms)):
            if not 0 <= wait <= _LONGEST_WAIT_MS:
                raise ConfigurationError(f"The {name} must be from 0 to {_LONGEST_WAIT_MS} ms, not {wait}.")
        if sum(fault.rate for fault in self.faults) > 1.000001:
            raise ConfigurationError("The rates of all faults together must not be over 1.")
        if unknown := [name for name in self.script if not faults.known(name)]:
            raise ConfigurationError(f"The script names {unknown[0]!r}, which is no fault.")


@dataclass(frozen=True, slots=True)
class Control:
    """Settings of one request; None leaves the matter to the options."""

    fault: str | None = None
    latency_ms: float | None = None
    chunk_ms: float | None = None
    wishes: Wishes = NO_WISHES
    tier: str | None = None
    sized: bool = False


_PLAIN = Control()


def control(headers: Mapping[str, str]) -> Control:
    """Read the control headers (names in lower case); raises `Refusal` (400) for one that cannot be obeyed."""
    told = {name[len(_PREFIX) :]: value.strip() for name, value in headers.items() if name.startswith(_PREFIX)}
    if not told:
        return _PLAIN
    fault = told.get("fault")
    if fault is not None and not faults.known(fault):
        _refuse("fault", fault)
    return Control(
        fault=fault,
        latency_ms=_number(told, "latency-ms", _LONGEST_WAIT_MS),
        chunk_ms=_number(told, "chunk-ms", _LONGEST_WAIT_MS),
        wishes=Wishes(runs=_runs(told.get("runs")), cached=_number(told, "cached", _MOST_TOKENS)),
        tier=told.get("tier"),
        sized=told.get("framing") == "sized",
    )


def _runs(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = () if text == "none" else tuple(name.strip() for name in text.split(","))
    if not _RUNS.issuperset(names) or len(names) > 50:
        _refuse("runs", text)
    return names


def _number(told: Mapping[str, str], name: str, most: int) -> int | None:
    text = told.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) <= most):
        _refuse(name, text)
    return int(text)


def _refuse(name: str, value: str) -> None:
    raise Refusal(400, "INVALID_ARGUMENT", f"The control header {_PREFIX}{name} cannot be {value!r}.")

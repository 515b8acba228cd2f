"""The table of `make bench`: medians, ratios and ranges of its samples, as Markdown between two marks of a document.

Owns: which rows there are and how a figure is written. Not here: measuring. Invariant: a ratio is the median of ratios
of the same round, nginx being 1; what was not measured is a dash.
"""

import os
import platform
import statistics
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.processes import can_pin

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"
YARDSTICK, DIRECT = "nginx", "direct"
Samples = list[dict[str, Any]]


def conditions(seed: int, rounds: int, seconds: float, versions: dict[str, str], took: float) -> str:
    """One paragraph: when, on what, with what."""
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    apart = "" if can_pin() else " Nothing was pinned: there is one core, or no taskset."
    apart += " It ran before other work of the machine (BENCH_FIRST)." if os.environ.get("BENCH_FIRST") else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_processor()}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}; {named}. {rounds} rounds of {seconds:g} s in random order (seed {seed}), "
        f"{took:.0f} s in all, load average at the end {os.getloadavg()[0]:.1f}.{apart}"
    )


def line(scenario: str, samples: Samples) -> str:
    """One line of progress for a scenario."""
    cells = [f"{name} {_cpu(scenario, name, samples, 'cpu')}" for name in _names(samples) if name != DIRECT]
    return f"{scenario}: " + ", ".join(cells)


def markdown(result: dict[str, Any]) -> str:
    """The whole block."""
    samples, kills = result["samples"], result["kills"]
    names = list(result["recording"])
    rows = [["recording", *result["recording"].values()]]
    scenarios = list(dict.fromkeys(one["scenario"] for one in samples))
    upstream = _median(one["upstream"] for one in samples if one["contestant"] == YARDSTICK)
    for name in scenarios:
        rows += _rows(name, samples, names)
    rows.append(["PSS, MiB (of it the proxy process)", *(_memory(samples, name) for name in names)])
    counts = {name: f"{found:,} / {served:,}" for name, (found, served) in result["counts"].items()}
    rows.append(["calls in the store / calls served in all of these runs", *(counts.get(name, "-") for name in names)])
    rows.append(
        ["calls found in the store / calls answered, after `kill -9`", *(_kills(kills, name) for name in names)]
    )
    head = ["", *names]
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return f"{result['conditions']} Behind {YARDSTICK} the upstream spent {upstream:.1f} us a call, on the other core.\n\n{table}\n"


def write(text: str, document: Path = DOCUMENT) -> None:
    """Put the block between the marks. ValueError if they are not there."""
    before, _, rest = document.read_text("utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{document.name} has no marks for the table")
    document.write_text(f"{before}{BEGIN}\n{text}{END}{after}", "utf-8")


def _rows(scenario: str, samples: Samples, names: list[str]) -> list[list[str]]:
    if "calls a second" in scenario:
        return [[f"{scenario}: added p50 / p99, us", *(_added(scenario, name, samples) for name in names)]]
    rows = [[f"{scenario}: CPU us a call (nginx = 1)", *(_cpu(scenario, name, samples, "cpu") for name in names)]]
    if any(each["alone"] < 0.95 * each["cpu"] for each in _of(scenario, "gembill", samples)):
        alone = (_cpu(scenario, name, samples, "alone") if name == "gembill" else "" for name in names)
        rows.append(["&nbsp; of it the proxy process", *alone])
    if "apart" in scenario:
        rows.append(
            ["&nbsp; first event after, us, median", *(_middle(scenario, name, samples, "first_p50") for name in names)]
        )
    elif "JSON" in scenario and "TLS" not in scenario:
        rows.append(["&nbsp; p50; p99, ms, median and range", *(_tail(scenario, name, samples) for name in names)])
    return rows


def _names(samples: Samples) -> list[str]:
    return list(dict.fromkeys(one["contestant"] for one in samples))


def _of(scenario: str, contestant: str, samples: Samples) -> Samples:
    chosen = (one for one in samples if one["scenario"] == scenario and one["contestant"] == contestant)
    return sorted(chosen, key=lambda one: int(one["round"]))


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))


def _middle(scenario: str, name: str, samples: Samples, what: str) -> str:
    own = _of(scenario, name, samples)
    return f"{_median(one[what] for one in own):,.0f}" if own else "-"


def _cpu(scenario: str, name: str, samples: Samples, what: str) -> str:
    own, theirs = _of(scenario, name, samples), _of(scenario, YARDSTICK, samples)
    if not own:
        return "-"
    middle = _median(one[what] for one in own)
    text = f"{middle:,.1f}" if middle < 100 else f"{middle:,.0f}"
    if not theirs:
        return text
    ratio = _median(one[what] / other["cpu"] for one, other in zip(own, theirs, strict=True))
    return text if name == YARDSTICK else f"{text} ({ratio:.2f})" if ratio < 10 else f"{text} ({ratio:.0f})"


def _tail(scenario: str, name: str, samples: Samples) -> str:
    own = _of(scenario, name, samples)
    if not own:
        return "-"
    p50, tails = _median(one["p50"] for one in own), [one["p99"] / 1000 for one in own]
    return f"{p50 / 1000:.2f}; {_median(tails):.1f} ({min(tails):.1f} to {max(tails):.1f})"


def _added(scenario: str, name: str, samples: Samples) -> str:
    own, direct = _of(scenario, name, samples), _of(scenario, DIRECT, samples)
    if not own or not direct:
        return "-"
    differences = [
        _median(one[what] - other[what] for one, other in zip(own, direct, strict=True)) for what in ("p50", "p99")
    ]
    return " / ".join(f"{each:,.0f}" for each in differences)


def _memory(samples: Samples, name: str) -> str:
    own = [one for one in samples if one["contestant"] == name and one["pss"]]
    if not own:
        return "-"
    last = own[-1]
    return f"{last['pss']:.0f} ({last['pss_alone']:.0f})" if name == "gembill" else f"{last['pss']:.0f}"


def _kills(kills: list[dict[str, Any]], name: str) -> str:
    own = [one for one in kills if one["contestant"] == name]
    if not own:
        return "-"
    answered = sum(one["answered"] for one in own)
    if own[0]["found"] is None:
        return f"none / {answered:,}"
    doubled = sum(one["doubled"] for one in own)
    return f"{sum(one['found'] for one in own):,} / {answered:,}" + (f", {doubled:,} of them twice" if doubled else "")


def _processor() -> str:
    for text in Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith("model name"):
            return text.partition(":")[2].strip()
    return platform.machine()

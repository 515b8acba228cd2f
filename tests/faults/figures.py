"""What the fault suite found: a figure for each row of reliability.md 2 and 3.

Owns: the registry of scenarios, their seeds, and the table. Not here: the scenarios. Invariant: a scenario draws all its
chance from a generator made of the seed and its name, so that one of them alone runs as it did among the others.
"""

import os
import platform
import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

NUMBERS = (*(f"R{number}" for number in range(1, 28)), *(f"S{number}" for number in range(1, 13)))
BEGIN, END = "<!-- results of make faults -->", "<!-- end of the results -->"


@dataclass(frozen=True)
class Figure:
    """What came out: `held` is None where it was not tried, and then the text says why."""

    text: str
    held: bool | None = True


@dataclass(frozen=True)
class Plan:
    """How hard to try: `rounds` of kills, cuts and the like, and the chance that they have."""

    dice: random.Random
    rounds: int
    seconds: float  # of load in a round

    def pause(self) -> float:
        """A random moment within a round."""
        return self.dice.uniform(0.4, 1.0) * self.seconds


Scenario = Callable[..., Figure]
SCENARIOS: dict[str, tuple[Scenario, int]] = {}


def scenario(number: str, rounds: int = 1) -> Callable[[Scenario], Scenario]:
    """Register the scenario of a row; `rounds` is how many it has unless others are asked for."""

    def register(function: Scenario) -> Scenario:
        assert number not in SCENARIOS, number
        SCENARIOS[number] = function, rounds
        return function

    return register


def plan_of(number: str, seed: int, rounds: int | None = None, seconds: float | None = None) -> Plan:
    """The plan of a scenario under a seed."""
    return Plan(random.Random(f"{seed} {number}"), rounds or SCENARIOS[number][1], seconds or 1.0)


def row(number: str, figure: Figure) -> str:
    """A line of the table."""
    word = {True: "held", False: "**not held**", None: "not tried"}[figure.held]
    return f"| {number} | {word} | {figure.text} |"


def machine() -> str:
    """What the run was made on, in a few words."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    cores = text.count("processor\t") or 1
    model = re.search(r"model name\s*: (.+)", text)
    return f"{cores} cores ({model[1].strip() if model else platform.machine()}), Python {platform.python_version()}"


def write(document: Path, results: dict[str, Figure], command: str) -> None:
    """Put the rows into the document, over those of an earlier run; rows that were not run again stay."""
    text = document.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, behind = rest.partition(END)
    rows = {line.split("|")[1].strip(): line for line in old.splitlines() if re.match(r"\| [RS]\d", line)}
    at = time.strftime("%Y-%m-%d", time.gmtime())
    load = f"load {os.getloadavg()[0]:.0f}"  # a figure of a busy machine is a figure of that
    rows |= {number: f"{row(number, figure)} {at}, {load}, `{command}` |" for number, figure in results.items()}
    document.write_text(f"{before}{BEGIN}\n{_table(rows, sorted(rows, key=_place))}{END}{behind}", "utf-8")


def _place(number: str) -> int:
    return NUMBERS.index(number)


def _table(rows: dict[str, str], order: Iterable[str]) -> str:
    head = f"\nLast machine: {machine()}.\n\n| | result | figure | run |\n|---|---|---|---|\n"
    return head + "".join(f"{rows[number]}\n" for number in order)

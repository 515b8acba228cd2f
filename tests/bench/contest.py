"""`make bench`: what a call costs through nginx, an aiohttp relay, gembill and, by option, other gateways.

Owns: the plan of a run, the samples, and the test with `kill -9`. Not here: the table (`table.py`), the contestants, the
stage they are on. Invariant: each round visits all in an order drawn from the printed seed; the clock of a contestant
stops only when what it owes for its calls is done; an answer of the wrong length stops the run.

    python -m tests.bench.contest [--with litellm,mitmproxy] [--quick] [--seed N] [--raw FILE] [--write] [--only TEXT]
"""

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench import answers, table
from tests.bench.contestants import OPTIONAL, USUAL, Contestant
from tests.bench.processes import cpu_us, go_first, pss_mib, tree
from tests.bench.stage import UPLOAD, Scenario, Stage, compiler, stage

DIRECT = "direct"
SCENARIOS = (
    Scenario("JSON, 1 at once", connections=1),
    Scenario("JSON, 16 at once", connections=16),
    Scenario("JSON, 32 at once"),
    Scenario("JSON, 128 at once", connections=128),
    Scenario("SSE in one write, 32 at once", answers.STREAM),
    Scenario("SSE, events 5 ms apart, 20 at once", answers.GAPS, connections=20),
    Scenario("upload of 2 MB, 4 at once", body=UPLOAD, connections=4),
    Scenario("JSON, TLS upstream, 32 at once", tls=True),
    Scenario("100 calls a second", connections=16, rate=100),
    Scenario("200 calls a second", connections=16, rate=200),
)
MEMORY = "JSON, 32 at once"  # after it, memory is read


@dataclass(frozen=True)
class Sample:
    """One contestant in one round of a scenario. Times in microseconds, memory in MiB; `alone` is its first process."""

    scenario: str
    contestant: str
    round: int
    answered: int
    calls_a_second: float
    cpu: float
    alone: float
    p50: int
    p99: int
    first_p50: int
    upstream: float  # CPU of the upstream for a call
    pss: float = 0.0
    pss_alone: float = 0.0


@dataclass(frozen=True)
class Kill:
    """What a kill -9 of the whole tree left: calls answered in full, and how many of them are in the store."""

    contestant: str
    answered: int
    found: int | None  # None without a store
    doubled: int = 0


@dataclass(frozen=True)
class Plan:
    """How long and how often."""

    rounds: int
    seconds: float
    kills: int
    dice: random.Random


class Run:
    """One benchmark: the stage, those who take part, and the samples so far."""

    def __init__(self, on: Stage, classes: list[type[Contestant]], plan: Plan) -> None:
        self.stage, self.plan = on, plan
        self.samples: list[Sample] = []
        self.plain = [each(on.folder / f"plain-{each.name}", on.url) for each in classes]
        self.tls = [
            each(on.folder / f"tls-{each.name}", on.tls_url, on.certificate)
            for each in classes
            if each.name != "LiteLLM"
        ]
        self.kills: list[Kill] = []
        self.served: Counter[int] = Counter()  # by port, in all runs of the load
        self.counts: dict[str, tuple[int, int]] = {}  # calls in the store and calls served, without a kill

    def measure(self, scenario: Scenario) -> None:
        """All rounds of a scenario."""
        present: list[Contestant | None] = [*(self.tls if scenario.tls else self.plain)]
        if scenario.rate or scenario.connections == 1:
            present.append(None)  # the upstream itself
        for number in range(-1, self.plan.rounds):  # the first is to warm up
            for each in self.plan.dice.sample(present, len(present)):
                seconds = self.plan.seconds if number >= 0 else self.plan.seconds / 4
                sample = self._sample(scenario, each, number, seconds)
                if number >= 0:
                    self.samples.append(sample)
        say(table.line(scenario.name, [asdict(each) for each in self.samples]))

    def _sample(self, scenario: Scenario, each: Contestant | None, number: int, seconds: float) -> Sample:
        before, upstream = each.cpu_us() if each else (0.0, 0.0), cpu_us([self.stage.pid])
        prefix, port = (each.path_prefix, each.port) if each else ("", self.stage.port)
        result = self.stage.load(scenario, port, seconds, prefix=prefix)
        upstream = cpu_us([self.stage.pid]) - upstream
        if each:
            each.settle()
        after = each.cpu_us() if each else (0.0, 0.0)
        name = each.name if each else DIRECT
        calls = result["answered"]
        self.served[port] += calls
        if not calls or result["errors"] > calls / 1000:
            raise SystemExit(f"{name}, {scenario.name}: {result}")
        sample = Sample(
            scenario.name,
            name,
            number,
            calls,
            round(calls / result["seconds"], 1),
            round((after[0] - before[0]) / calls, 2),
            round((after[1] - before[1]) / calls, 2),
            result["p50"],
            result["p99"],
            result["first_p50"],
            round(upstream / calls, 2),
        )
        return _with_memory(sample, each) if each and scenario.name == MEMORY else sample

    def kill(self, each: Contestant) -> Kill:
        """Kill a contestant of its own at a random moment under load, start it again, and look for the calls."""
        lost = replace(each, folder=each.folder.with_name(f"kill-{each.name}-{len(self.kills)}"), leader=0)
        ids = self.stage.folder / "ids"
        lost.start()
        try:
            lost.settle()  # until it answers: it may listen before it does
            load = self.stage.begin_load(Scenario(MEMORY), lost.port, 60, prefix=lost.path_prefix, ids=ids)
            time.sleep(self.plan.dice.uniform(0.7, 2.5))
            lost.kill()
            load.communicate(timeout=60)
            answered = ids.read_text().split()
            if not lost.store:
                return Kill(lost.name, len(answered), None)
            lost.start()
            lost.settle()
            stored = list(lost.stored())
        finally:
            lost.kill()
        present = set(stored)
        return Kill(lost.name, len(answered), sum(one in present for one in answered), len(stored) - len(present))

    def _count(self, each: Contestant) -> None:
        count = each.count() if self.served[each.port] else None
        if count is not None:
            before = self.counts.get(each.name, (0, 0))
            self.counts[each.name] = (before[0] + count, before[1] + self.served[each.port])

    @contextlib.contextmanager
    def running(self, contestants: list[Contestant]) -> Iterator[None]:
        """All of these, started, and killed at the end."""
        begun = []
        try:
            for each in contestants:
                each.start()
                begun.append(each)
            yield
        finally:
            for each in begun:
                each.kill()

    def all(self, scenarios: list[Scenario]) -> None:
        """The whole plan: the kills, because they are quick to fail, what goes to the plain upstream, and what to TLS."""
        for _ in range(self.plan.kills):
            for each in self.plain:
                self.kills.append(self.kill(each))
                say(f"kill -9: {self.kills[-1]}")
        for tls, contestants in ((False, self.plain), (True, self.tls)):
            with self.running(contestants):
                for scenario in scenarios:
                    if scenario.tls == tls:
                        self.measure(scenario)
                for each in contestants:
                    self._count(each)


def _with_memory(sample: Sample, each: Contestant) -> Sample:
    return replace(sample, pss=round(pss_mib(tree(each.leader)), 1), pss_alone=round(pss_mib([each.leader]), 1))


def say(text: str) -> None:
    """A line of progress."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with", dest="more", default=os.environ.get("BENCH_WITH", ""), help="litellm, mitmproxy")
    parser.add_argument("--quick", action="store_true", default=bool(os.environ.get("BENCH_QUICK")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("BENCH_SEED", "0")) or None)
    parser.add_argument("--raw", type=Path, default=os.environ.get("BENCH_RAW"), help="a file for all samples as JSON")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--only", default=os.environ.get("BENCH_ONLY", ""), help="only scenarios whose name has this")
    parser.add_argument("--kills", type=int, help="how many times each is killed")
    return parser.parse_args()


def main() -> None:
    """Measure, print the table, and write it where that was asked for."""
    given = _arguments()
    if compiler() is None:
        say("make bench: no C compiler (cc, gcc or clang) is here: nothing was measured")
        return
    seed = given.seed or random.SystemRandom().randrange(1, 1_000_000)
    kills = given.kills if given.kills is not None else (1 if given.quick else 3)
    plan = Plan(2 if given.quick else 5, 0.5 if given.quick else 2.0, kills, random.Random(seed))
    classes = [*USUAL, *(OPTIONAL[name] for name in given.more.replace(",", " ").split())]
    versions = {each.name: each.install() for each in classes}
    scenarios = [one for one in SCENARIOS if given.only in one.name]
    say(f"seed {seed}; {plan.rounds} rounds of {plan.seconds} s; {versions}")
    began = time.monotonic()
    go_first()
    try:
        with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as on:
            run = Run(on, classes, plan)
            run.all(scenarios)
    finally:
        go_first(nice=0)
    result: dict[str, Any] = {
        "conditions": table.conditions(seed, plan.rounds, plan.seconds, versions, time.monotonic() - began),
        "recording": {each.name: each.recording for each in classes},
        "samples": [asdict(each) for each in run.samples],
        "kills": [asdict(each) for each in run.kills],
        "counts": run.counts,
    }
    if given.raw:
        Path(given.raw).write_text(json.dumps(result, indent=1))
    text = table.markdown(result)
    sys.stdout.write(text)
    if given.write:
        table.write(text)


if __name__ == "__main__":
    main()

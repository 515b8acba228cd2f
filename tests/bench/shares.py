"""Where the CPU of the proxy process goes: shares of its main thread by module and by function.

Run by hand: `python -m tests.bench.shares [SCENARIO] [SECONDS]`, part of a scenario's name as in `contest.py`. While
the load lasts a timer of the kernel that counts CPU interrupts the proxy at each of its ticks, and whatever function the
main thread is in is noted; calls into C (sockets, parsers, SQLite) count for the function that makes them.
"""

import atexit
import json
import os
import runpy
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import FrameType

SAMPLES, EVERY_S = "GEMBILL_BENCH_SAMPLES", 0.001
COUNTED: Counter[str] = Counter()


def _note(_: int, frame: FrameType | None) -> None:
    if frame is not None:
        COUNTED[f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}"] += 1


def _switch(*_: object) -> None:
    """Begin to note, or stop."""
    every = 0.0 if signal.getitimer(signal.ITIMER_PROF)[1] else EVERY_S
    signal.setitimer(signal.ITIMER_PROF, every, every)


def _watched(parent: int) -> None:
    """Run `gembill` with the arguments of this process, and write what was noted when it ends."""

    def write() -> None:
        if os.getpid() == parent:  # not a child of it
            Path(os.environ[SAMPLES]).write_text(json.dumps(COUNTED))

    atexit.register(write)
    signal.signal(signal.SIGPROF, _note)
    signal.siginterrupt(signal.SIGPROF, False)
    signal.signal(signal.SIGUSR1, _switch)
    runpy.run_module("gembill", run_name="__main__")


def main() -> None:
    """Load a proxy that is watched, and print the shares."""
    from tests.bench import contest, processes
    from tests.bench.contestants import Gembill
    from tests.bench.stage import stage

    wanted, seconds = [*sys.argv[1:], *("JSON, 32", "5")[len(sys.argv) - 1 :]][:2]
    scenario = next(one for one in contest.SCENARIOS if wanted in one.name)

    class Watched(Gembill):
        def command(self) -> list[str]:
            python, _, _, *flags = super().command()
            return [python, "-m", "tests.bench.shares", *flags]

        def environment(self) -> dict[str, str]:
            return super().environment() | {SAMPLES: str(self.folder / "samples")}

    with tempfile.TemporaryDirectory() as name, stage(Path(name)) as on:
        proxy = Watched(Path(name) / "gembill", on.url)
        proxy.start()
        try:
            before = proxy.cpu_us()
            os.kill(proxy.leader, signal.SIGUSR1)
            result = on.load(scenario, proxy.port, float(seconds))
            os.kill(proxy.leader, signal.SIGUSR1)
            proxy.settle()
            whole, alone = (after - earlier for earlier, after in zip(before, proxy.cpu_us(), strict=True))
        finally:
            processes.kill(proxy.leader, signal.SIGTERM)
        counted = Counter(json.loads((proxy.folder / "samples").read_text()))
    calls = result["answered"]
    print(f"{scenario.name}: {calls} calls, {whole / calls:.0f} us each, the proxy process {alone / calls:.0f}")
    modules: Counter[str] = Counter()
    for place, count in counted.items():
        modules[place.partition(":")[0]] += count
    for title, counts in (("module", modules), ("function", counted)):
        print(f"\n| {title} | share of the main thread |\n|---|---|")
        for place, count in counts.most_common(25):
            print(f"| `{place}` | {100 * count / counted.total():.1f} % |")


if __name__ == "__main__":
    if SAMPLES in os.environ:
        _watched(os.getpid())
    else:
        main()

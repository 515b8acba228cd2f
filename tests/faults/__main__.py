"""`make faults`: every row of the list in reliability.md tried, and what came out written there.

    python -m tests.faults [--seed N] [--rounds N] [--seconds N] [--only R1,R2] [--write]

Owns: the command. Not here: the scenarios. Invariant: a run says its seed, and the same seed draws the same chance.
"""

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults import scenarios
from tests.faults.figures import NUMBERS, SCENARIOS, Figure, plan_of, row, write
from tests.faults.ground import ground
from tests.faults.soak import CALLS

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"


def main() -> int:
    """The exit code is 1 where a figure was not reached."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    numbers = [each for each in chosen.only.split(",") if each] or [each for each in NUMBERS if each in SCENARIOS]
    print(f"seed {chosen.seed}", flush=True)
    results: dict[str, Figure] = {}
    for number in numbers:
        began = time.monotonic()
        results[number] = tried(number, chosen)
        print(f"{row(number, results[number])} {time.monotonic() - began:.0f} s", flush=True)
        if chosen.write:
            write(DOCUMENT, {number: results[number]}, command(number, chosen))
    return int(any(figure.held is False for figure in results.values()))


def command(number: str, chosen: argparse.Namespace) -> str:
    """What to say to try this row again."""
    words = ["make faults", f"SEED={chosen.seed}"]
    words += [f"ROUNDS={chosen.rounds}"] * bool(chosen.rounds) + [f"SECONDS={chosen.seconds or 0:g}"] * bool(
        chosen.seconds
    )
    return " ".join([*words, *([f"FAULTS_CALLS={CALLS}"] if number == "R27" else []), f"ONLY={number}"])


def tried(number: str, chosen: argparse.Namespace) -> Figure:
    """The figure of a row; what breaks on the way is one too."""
    with tempfile.TemporaryDirectory(prefix="gembill-faults-", ignore_cleanup_errors=True) as folder:
        try:
            with ground(Path(folder)) as here:
                return SCENARIOS[number][0](here, plan_of(number, chosen.seed, chosen.rounds, chosen.seconds))
        except Exception as error:
            traceback.print_exc()
            return Figure(f"the trial broke: {type(error).__name__}: {str(error)[:200]}".replace("|", "/"), held=False)


assert scenarios.LOADED
sys.exit(main())

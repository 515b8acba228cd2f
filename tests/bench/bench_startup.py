"""CPU of whole commands as ratios to a bare interpreter in the same run: what starting and importing cost.

Run by hand: `python -m tests.bench.bench_startup [ROUNDS]`. The ledger is a small one with the calls of a month; the
median of ratios of the same round is what to read. Which modules a command may import is held by tests/test_startup.py.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gembill.ledger import open_ledger
from tests.gembill.ledger.making import SPOOL, append, posting

DAY_US = 86_400_000_000
GEMBILL = Path(sys.executable).with_name("gembill")
BUDGETS = "".join(
    f'[[budget]]\nname = "b{number}"\nlimit_usd = "100"\nperiod = "month"\nforecast_at = 1.0\n{more}\n'
    for number, more in enumerate(("", 'models = ["gemini*"]', 'labels = {team = "t"}'))
)
COMMANDS = {
    "python -c pass": None,
    "gembill --version": ("--version",),
    "gembill --help": ("--help",),
    "gembill budget check": ("budget", "check"),
    "gembill budget check, JSON": ("budget", "check", "--format", "json"),
    "gembill report monthly, last month": ("report", "monthly", "--period", "last-month"),
    "gembill report monthly, last month, JSON": ("report", "monthly", "--period", "last-month", "--format", "json"),
    "gembill report monthly, with its forecast": ("report", "monthly"),
    "gembill records, JSON": ("records", "--format", "json"),
    "import sqlalchemy": None,
}


def prepare(folder: Path) -> dict[str, str]:
    """A ledger of 60 days and a file of budgets; the environment that finds them."""
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    now = time.time_ns() // 1000
    append(ledger, SPOOL, [posting(n + 1, occurred_us=now - n * DAY_US, labels={"team": "t"}) for n in range(60)])
    ledger.close()
    (folder / "gembill.toml").write_text(BUDGETS)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**environment, "GEMBILL_DATA_DIR": str(folder), "HOME": str(folder)}


def cpu_ms(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """CPU milliseconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000


def main() -> None:
    """Measure all in turn, round by round, and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = prepare(folder)
        for number in range(-1, rounds):  # the first one compiles
            for title, flags in COMMANDS.items():
                bare = title.removeprefix("python -c ")
                command = [str(GEMBILL), *flags] if flags else [sys.executable, "-c", bare]
                took = cpu_ms(command, folder, environment)
                if number >= 0:
                    times[title].append(took)
    print("| command | CPU, ms: min | median | times a bare interpreter |\n|---|---|---|---|")
    for title, took in times.items():
        ratio = statistics.median(one / bare for one, bare in zip(took, times["python -c pass"], strict=True))
        print(f"| `{title}` | {min(took):.0f} | {statistics.median(took):.0f} | {ratio:.1f} |")


if __name__ == "__main__":
    main()

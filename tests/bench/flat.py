"""Whether gembill's memory stays flat: its PSS while many calls pass, and how fast they are recorded and posted.

Run by hand: `python -m tests.bench.flat [CALLS]`; a million take some minutes and 2 GB of disk. Each line is a tenth of
the calls, 32 at once, posted before the next tenth begins.
"""

import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.contest import MEMORY, SCENARIOS
from tests.bench.contestants import Gembill
from tests.bench.processes import kill, pss_mib, tree
from tests.bench.stage import stage

SLICE_S = 5.0


def main() -> None:
    """Print a table of memory and speed."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    scenario = next(one for one in SCENARIOS if one.name == MEMORY)
    with tempfile.TemporaryDirectory() as name, stage(Path(name)) as on:
        gembill = Gembill(Path(name) / "gembill", on.url)
        gembill.start()
        try:
            print(
                "| calls | PSS of the proxy process, MiB | of both | calls a second | posted a second |\n|---|---|---|---|---|"
            )
            total, shown, began, loaded = 0, 0, time.monotonic(), 0.0
            while total < most:
                result = on.load(scenario, gembill.port, SLICE_S)
                total, loaded = total + result["answered"], loaded + result["seconds"]
                if total * 10 // most > shown:
                    shown = total * 10 // most
                    gembill.settle()
                    pids = tree(gembill.leader)
                    speeds = f"{total / loaded:,.0f} | {total / (time.monotonic() - began):,.0f}"
                    print(
                        f"| {total:,} | {pss_mib([gembill.leader]):.1f} | {pss_mib(pids):.1f} | {speeds} |", flush=True
                    )
            print(f"{gembill.count():,} calls are in the ledger of {total:,}")
        finally:
            kill(gembill.leader, signal.SIGTERM)


if __name__ == "__main__":
    main()

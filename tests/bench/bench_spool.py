"""How quick the spool is beside bare SQLite on the same disk in the same run.

Run: `python tests/bench/bench_spool.py [SECONDS]`. Each round measures the bare commit (one row, WAL,
`synchronous=FULL`) and then the spool's appends at 1, 16, 32 and 128 concurrent coroutines; rounds alternate, so that a
busy disk meets both. The last table repeats 16 and 128 with a thread that burns Python all the while, as a loaded
proxy does: it shows what the writer pays for the GIL.
"""

import asyncio
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from gembill.spool import Spool
from gembill.sqlite import driver, version

BODY = b"x" * 700
ROUNDS = 3

Measured = tuple[float, float, float, float]  # a second, p50 and p99 in milliseconds, CPU microseconds each


def _figures(times: list[float], elapsed: float, cpu: float) -> Measured:
    parts = statistics.quantiles(times, n=100)
    return len(times) / elapsed, parts[49] * 1e3, parts[98] * 1e3, cpu / len(times) * 1e6


def bare(seconds: float, folder: Path) -> Measured:
    """Single-row commits on a connection of the driver's own."""
    connection = driver.connect(str(folder / "bare.db"), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE final (seq INTEGER PRIMARY KEY, event_id TEXT, body BLOB)")
    times = []
    began, cpu = time.perf_counter(), time.process_time()
    while (start := time.perf_counter()) - began < seconds:
        connection.execute("INSERT INTO final (event_id, body) VALUES (?, ?)", ("e" * 36, BODY))
        times.append(time.perf_counter() - start)
    connection.close()
    return _figures(times, time.perf_counter() - began, time.process_time() - cpu)


def spool(seconds: float, folder: Path, clients: int) -> Measured:
    """Appends by N coroutines of one loop."""
    queue = Spool.claim(folder)
    times: list[float] = []

    async def client(number: int, until: float) -> None:
        turn = 0
        while (start := time.perf_counter()) < until:
            await queue.append(f"{number:08d}-{turn:027d}", BODY)
            times.append(time.perf_counter() - start)
            turn += 1

    async def main() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(client(n, began + seconds) for n in range(clients)))
        return time.perf_counter() - began

    cpu = time.process_time()
    elapsed = asyncio.run(main())
    cpu = time.process_time() - cpu
    queue.close(10.0)
    return _figures(times, elapsed, cpu)


def _say(name: str, rounds: list[Measured], single: float) -> None:
    rate, p50, p99, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"{name:28} {rate:9,.0f}/s   {rate / single:6.2f} x bare   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   {cpu:6.1f} us of CPU"
    )


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    names = {"bare commit per row": 0, "spool, 1": 1, "spool, 16": 16, "spool, 32": 32, "spool, 128": 128}
    measured: dict[str, list[Measured]] = {name: [] for name in names}
    print(f"SQLite {'.'.join(map(str, version))}, {ROUNDS} rounds of {seconds} s, bodies of {len(BODY)} bytes")
    for _ in range(ROUNDS):
        for name, clients in names.items():
            with tempfile.TemporaryDirectory() as folder:
                done = spool(seconds, Path(folder), clients) if clients else bare(seconds, Path(folder))
                measured[name].append(done)
    single = statistics.median(rate for rate, *_ in measured["bare commit per row"])
    for name, rounds in measured.items():
        _say(name, rounds, single)
    _under_load(seconds, single)


def _under_load(seconds: float, single: float) -> None:
    idle = threading.Event()

    def burn() -> None:
        while not idle.is_set():
            sum(range(1000))

    burner = threading.Thread(target=burn)
    burner.start()
    for clients in (16, 128):
        with tempfile.TemporaryDirectory() as folder:
            _say(f"spool, {clients}, GIL contended", [spool(seconds, Path(folder), clients)], single)
    idle.set()
    burner.join()


if __name__ == "__main__":
    main()

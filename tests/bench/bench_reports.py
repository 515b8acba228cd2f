"""How long reports take on a ledger of a million calls, and whether ten times as many make them slower.

Run by hand: `python tests/bench/bench_reports.py [--records 1000000] [--times 10]`. The ledgers are made in SQL: a year
of calls spread over 5 models, 8 teams, 4 keys and 3 states, then the rollups as sums over the records. The larger one
takes some minutes and 7 GB; `--times 1` leaves it out.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from sqlalchemy import Insert, Table, func, insert, select

from gembill.ledger import (
    Ledger,
    Selection,
    measures,
    open_ledger,
    read_conversations,
    read_quality,
    read_totals,
    rollup,
    schema,
)
from gembill.ledger.engine import writing
from gembill.ledger.mapping import labels_hash
from gembill.period import HOUR_US, parse

YEAR_US = 365 * 86_400_000_000
START_US = 1_767_254_400_000_000  # 2026-01-01 in US Pacific
MONTH = parse(month="2026-10")
ROUNDS = 7
_RUN = "'[[\"{}\",null,null,null,null,0]]'"
_LABELS = [f'{{"team":"team-{n}"}}' for n in range(8)]


def fill(ledger: Ledger, records: int) -> None:
    """The records and what follows from them."""
    with writing(ledger.engine) as connection:
        run = connection.exec_driver_sql
        run("INSERT INTO source VALUES (1, 'spool', 'bench', 0, 0, 0)")
        for text in _LABELS:
            run("INSERT INTO label_set VALUES (1, ?, ?)", (labels_hash(text), text))
        run("CREATE TEMP TABLE team (number INTEGER PRIMARY KEY, text TEXT, hash BLOB)")
        run("INSERT INTO team VALUES (?, ?, ?)", [(n, text, labels_hash(text)) for n, text in enumerate(_LABELS)])
        connection.execute(insert(schema.template), _templates())
        run(_records(records))
        for table in schema.ROLLUPS:
            connection.execute(_rolled(table))
        run("ANALYZE")


def _templates() -> list[dict[str, object]]:
    """What calls have alike, under numbers that the statement of `_records` works out again."""
    plain = dict.fromkeys(schema.WORDS) | {
        "reason": "posted",
        "api": "gemini",
        "operation": "generate_content",
        "service_tier": "standard",
        "flags": "[]",
        "anomalies": "[]",
        "priced": 1,
    }
    return [
        plain
        | {"source_id": 1, "number": streamed + 2 * model + 10 * key + 40 * place, "streamed": streamed}
        | {"model": f"gemini-3.{model}-flash-preview", "key": f"k_{key}", "status": status}
        for streamed in range(2)
        for model in range(5)
        for key in range(4)
        for place, status in enumerate(("partial", "error", "complete"))
    ]


def _records(count: int) -> str:
    """Made-up calls in one statement; `h` is scattered by Knuth's multiplier, so that neighbours differ."""
    values = {
        "source_id": "1",
        "id": "unhex(printf('%032x', n))" if _has_unhex() else "CAST(printf('%016d', n) AS BLOB)",
        "revision": "0",
        "template": "h % 2 + 2 * (h % 5) + 10 * (h / 7 % 4) + 40 * min(h / 11 % 100, 2)",
        "posted_us": "at",
        "occurred_us": "at",
        "conversation": "'c_' || (n / 3)",
        "turns": "1 + n % 3",
        **{f"tokens_{field}": f"100 + h / 13 % {50 + size * 700}" for size, field in enumerate(schema.TOKEN_FIELDS)},
        "executions": f"CASE WHEN h % 12 = 1 THEN {_RUN.format('failed')} WHEN h % 3 THEN {_RUN.format('ok')} END",
        "executions_count": "h % 3 > 0",
        "executions_failed": "h % 12 = 1",
        "labels_hash": "team.hash",
        **{cost: f"1000000 * (1 + h % {3 + size})" for size, cost in enumerate(schema.COSTS)},
    }
    numbers = f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count})"
    made = f"(SELECT n, n * 2654435761 % 4294967296 AS h, {START_US} + n * ({YEAR_US} / {count}) AS at FROM c)"
    return f"{numbers} INSERT INTO entry ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {made} JOIN team ON team.number = h / 17 % 8"


def _has_unhex() -> bool:
    from gembill import sqlite

    return tuple(map(int, sqlite.driver.sqlite_version.split("."))) >= (3, 41)


def _rolled(table: Table) -> Insert:
    key = [column.name for column in table.primary_key]
    keys = [rollup.KEYED[name] for name in key]
    sums = [func.sum(rollup.MEASURED[name]) for name in measures.MEASURES]
    return insert(table).from_select(
        [*key, *measures.MEASURES], select(*keys, *sums).select_from(schema.record).group_by(*keys)
    )


def timed(title: str, work: Callable[[], object], goal: str = "") -> float:
    """Several runs, printed in milliseconds, and the least CPU time of this process, which others cannot lengthen."""
    work()
    times, used = [], []
    for _ in range(ROUNDS):
        began, before = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - began) * 1000)
        used.append((time.process_time() - before) * 1000)
    wall = f"{min(times):8.1f} {statistics.median(times):8.1f} {max(times):8.1f}"
    print(f"{title:52} {wall} {min(used):8.1f}  {goal}", flush=True)
    return min(used)


def command(url: str, *words: str) -> Callable[[], object]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    line = [sys.executable, "-m", "gembill", *words, "--database-url", url]
    return lambda: subprocess.run(line, env=environment, capture_output=True, check=True)


def pages(url: str, folder: Path) -> None:
    """The dashboard's pages over HTTP."""
    line = [sys.executable, "-m", "gembill", "dashboard", "--port", "0", "--database-url", url]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, cwd=folder) as child:
        assert child.stderr is not None
        address = child.stderr.readline().split(" on ")[1].split()[0]
        for path, goal in (
            ("/", "goal 1,000"),
            ("/labels", ""),
            ("/executions", "goal 300"),
            ("/keys", ""),
            ("/changes", "goal 300"),
            ("/calls", ""),
            ("/calls?sort=cost", ""),
            ("/conversations", ""),
            ("/quality", ""),
        ):
            joined = f"{address}{path}{'&' if '?' in path else '?'}month=2026-10"
            timed(f"page {path}", lambda at=joined: urlopen(at).read(), goal)  # type: ignore[misc]
        child.terminate()


def main() -> None:
    """Make a ledger, measure, print; then one of `--times` as many calls, to compare."""
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--times", type=int, default=10)
    given = options.parse_args()
    once = measured(given.records)
    if given.times > 1:
        more = measured(given.records * given.times)
        print(f"{given.times} times the calls: the month by model takes {more / once:.2f} times as long")


def measured(records: int) -> float:
    """All figures of a ledger of `records` calls; gives the month's by model."""
    with tempfile.TemporaryDirectory() as scratch:
        url = f"sqlite:///{Path(scratch) / 'bench.db'}"
        ledger = open_ledger(url)
        began = time.perf_counter()
        fill(ledger, records)
        print(f"\n{records:,} calls made in {time.perf_counter() - began:.0f} s")
        try:
            return measure(ledger, url, Path(scratch))
        finally:
            ledger.close()


def cells(ledger: Ledger) -> None:
    """How many rows of each rollup the month has."""
    with ledger.engine.connect() as connection:
        for table in schema.ROLLUPS:
            unit_us, at = (86_400_000_000, table.c.day_utc) if "day_utc" in table.c else (HOUR_US, table.c.hour_utc)
            inside = at.between(MONTH.start_us // unit_us, MONTH.end_us // unit_us - 1)
            cell_count = connection.scalar(select(func.count()).select_from(table).where(inside))
            print(f"{table.name}: {cell_count:,} cells in the month")


def measure(ledger: Ledger, url: str, folder: Path) -> float:
    """All figures, minimum, median and maximum; gives the month's by model."""
    month = Selection(start_us=MONTH.start_us, end_us=MONTH.end_us)
    cells(ledger)
    print(f"{'milliseconds':52} {'min':>8} {'median':>8} {'max':>8} {'CPU':>8}")
    by_model = timed("ledger: month by model", lambda: read_totals(ledger, month, ("model",)), "goal 20")
    timed("ledger: month by hour", lambda: read_totals(ledger, month, ("hour",)))
    timed("ledger: month by label", lambda: read_totals(ledger, month, ("label.team",)), "goal 200")
    timed("ledger: month by key", lambda: read_totals(ledger, month, ("key",)), "goal 200")
    timed("ledger: year by model", lambda: read_totals(ledger, Selection(), ("model",)))
    timed("ledger: quality of the month", lambda: read_quality(ledger, month))
    timed("ledger: conversations of the month", lambda: read_conversations(ledger, month, 51))
    timed("command: report monthly --by model", command(url, "report", "monthly", "--month", "2026-10"), "goal 1,000")
    timed(
        "command: report monthly --by label.team",
        command(url, "report", "monthly", "--month", "2026-10", "--by", "label.team"),
    )
    pages(url, folder)
    return by_model


if __name__ == "__main__":
    main()

"""How long a large bill takes against a large ledger, with the memory it needs.

Run by hand: `python -m tests.bench.bench_reconcile [--lines 1000000] [--calls 1000000]`. The ledger is made in SQL: a
month of calls over 5 models and 2 tiers, whose charges have 5 lines each. The bill is a BigQuery export with a row for
each hour, SKU and project. The comparison is run twice, because the first one makes the sums of days that the second
one reads. Each step is a process of its own, with its CPU time and its largest memory.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import insert

from gembill.ledger import open_ledger, schema
from gembill.ledger.engine import writing
from gembill.ledger.mapping import labels_hash
from gembill.model import Meter
from gembill.period import midnight, zone
from gembill.reconcile.numerals import date_of, month_days

MONTH = "2026-10"
MODELS = (
    *("gemini-3-flash-preview", "gemini-3.1-pro-preview", "gemini-3.5-flash", "gemini-3.7-flash"),
    "gemini-3.1-flash-lite",
)
METERS = (Meter.INPUT, Meter.CACHED_INPUT, Meter.INTERMEDIATE, Meter.OUTPUT, Meter.THINKING)
_UNIT_PICO = 500_000
_WORDS = {
    "gemini-3-flash-preview": "gemini 3 flash",
    "gemini-3.1-pro-preview": "gemini 3 pro short",
    "gemini-3.5-flash": "gemini 3.5 flash",
    "gemini-3.7-flash": "gemini 3.7 flash",
    "gemini-3.1-flash-lite": "gemini 3.1 flash lite",
}


def fill(url: str, calls: int) -> None:
    """A ledger with so many calls, evenly over the month."""
    first, last = month_days(MONTH)
    start, end = midnight(date_of(first), zone()), midnight(date_of(last + 1), zone())
    ledger = open_ledger(url)
    with writing(ledger.engine) as connection:
        connection.execute(insert(schema.label_set), {"source_id": 1, "labels_hash": labels_hash("{}"), "labels": "{}"})
        connection.execute(insert(schema.template), list(_templates()))
        connection.execute(insert(schema.template_line), list(_lines()))
        connection.exec_driver_sql("INSERT INTO source VALUES (1, 'spool', 'bench', 0, 0, 0)")
        connection.exec_driver_sql(_entries(calls, start, (end - start) // calls), (labels_hash("{}"),))
        connection.exec_driver_sql("ANALYZE")
    ledger.close()


def _templates() -> Iterator[dict[str, object]]:
    plain = dict.fromkeys(schema.WORDS) | {
        "reason": "posted",
        "api": "gemini",
        "operation": "generate_content",
        "streamed": 0,
        "status": "complete",
        "flags": "[]",
        "anomalies": "[]",
        "priced": 1,
        "key": "k_1",
    }
    for number, model in enumerate(MODELS):
        for batch in range(2):
            tier = "batch" if batch else "standard"
            yield plain | {"source_id": 1, "number": 2 * number + batch, "model": model, "service_tier": tier}


def _lines() -> Iterator[dict[str, object]]:
    for number in range(2 * len(MODELS)):
        for line, meter in enumerate(METERS):
            row = {"source_id": 1, "number": number, "line": line, "meter": meter.value, "modality": "text"}
            yield row | {"unit_pico": _UNIT_PICO, "price_id": f"bench/{meter.value}"}


def _entries(count: int, start: int, step: int) -> str:
    values = {
        "source_id": "1",
        "id": "CAST(printf('%016d', n) AS BLOB)",
        "revision": "0",
        "template": f"h % {2 * len(MODELS)}",
        "posted_us": "at",
        "occurred_us": "at",
        "tokens_input": "1000 + h % 977",
        "tokens_intermediate": "300 + h % 31",
        "executions_count": "0",
        "executions_failed": "0",
        "labels_hash": "?",
        "quantities": "printf('[%d,%d,%d,%d,%d]', 900 + h % 977, 100, 300 + h % 31, 200 + h % 501, 50 + h % 7)",
    }
    numbers = f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count})"
    made = f"(SELECT n, n * 2654435761 % 4294967296 AS h, {start} + n * {step} AS at FROM c)"
    return f"{numbers} INSERT INTO entry ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {made}"


def write_bill(path: Path, lines: int) -> None:
    """A bill with so many rows; its amounts are made up, so most of it has no match."""
    first, last = month_days(MONTH)
    skus = [
        f"Generate content {words} token count {_WORDS[model]} text{tier}"
        for model in MODELS
        for words in ("input", "output")
        for tier in ("", " batch")
    ]
    hours = (last - first + 1) * 24
    with path.open("w") as stream:
        for number in range(lines):
            hour = number * hours // lines
            day = date_of(first + hour // 24).isoformat()
            stream.write(_row(number, f"{day} {hour % 24:02d}", skus[number % len(skus)]))


def _row(number: int, hour: str, sku: str) -> str:
    row = {
        "service": {"id": "AEFD-7695-64FA", "description": "Gemini API"},
        "sku": {"id": "0000-0000-0000", "description": sku},
        "usage_start_time": f"{hour}:00:00 UTC",
        "usage_end_time": f"{hour}:59:59 UTC",
        "project": {"id": f"project-{number % 200}"},
        "location": {"location": "global", "region": None},
        "cost": f"{number % 9973}.{number % 977:03d}",
        "currency": "USD",
        "currency_conversion_rate": "1",
        "usage": {"amount": str(1000 + number % 99_991), "unit": "count"},
        "credits": [],
        "invoice": {"month": MONTH.replace("-", "")},
        "cost_type": "regular",
        "export_time": f"{hour}:59:{number % 60:02d}.{number % 1000:03d} UTC",
    }
    return json.dumps(row) + "\n"


def step(title: str, *words: str) -> None:
    """Run the command line once; print how long it took, its CPU time, and the largest memory of any step so far."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    line = [sys.executable, "-m", "gembill", *words]
    ran = subprocess.run(line, check=False, capture_output=True, text=True, env=os.environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.perf_counter() - began
    print(f"{title:44} {wall:8.1f} s {used:8.1f} s CPU {after.ru_maxrss // 1024:6} MiB  exit {ran.returncode}")
    for line in ran.stderr.splitlines()[-3:]:
        print(f"    {line[:110]}")


def main() -> None:
    """Make both sides, and compare them twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or Path(made)
        url, bill = f"sqlite:///{folder}/ledger.db", folder / "bill.jsonl"
        if not bill.exists():
            fill(url, given.calls)
            write_bill(bill, given.lines)
        shared = ("--month", MONTH, "--as-of", "2026-12-01", "--format", "json", "--database-url", url)
        print(f"{given.lines:,} lines of a bill, {given.calls:,} calls")
        step("taken in and compared, nothing summed yet", "reconcile", str(bill), *shared)
        step("compared again", "reconcile", *shared)


if __name__ == "__main__":
    main()

"""How long `gembill budget check` takes on a ledger of 1,000,000 calls, beside a bare interpreter that imports SQLAlchemy.

Owns: the made-up ledger (30 days, 4 models, 20 label sets, 3 keys), written by SQL from one real record.
Measured on 2 cores: see docs/ci.md.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, insert, select

from gembill.ledger import Ledger, measures, open_ledger, rollup, schema
from gembill.ledger import engine as engines
from gembill.ledger.store import _now_us
from tests.gembill.ledger.making import SPOOL, append, posting

CALLS = int(os.environ.get("CALLS", "1000000"))
BUDGETS = "".join(
    f'[[budget]]\nname = "b{n}"\nlimit_usd = "{n + 1}00"\nperiod = "month"\nwarn_at = [0.5]\nforecast_at = 1.0\n{more}\n'
    for n, more in enumerate(["", 'models = ["gemini-3*"]', 'labels = {team = "t7"}', 'keys = ["k1"]'])
)
HOUR = 3_600_000_000


def fill(ledger: Ledger) -> None:
    """A month of calls up to now: copies of one record at other times, with other models, labels and keys."""
    start = (_now_us() - 30 * 24 * HOUR) // HOUR * HOUR
    append(ledger, SPOOL, [posting(1, occurred_us=start)])
    changed = {
        "id": "CAST(printf('%016d', n) AS BLOB)",
        "template": "n % 12",
        "occurred_us": f"{start} + n * {30 * 24 * HOUR // CALLS}",
        "labels_hash": "CAST(printf('%016d', n % 20) AS BLOB)",
    }
    names = list(schema.entry.columns.keys())
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    words = ", ".join(
        {"model": "'gemini-3-model-' || (n % 4)", "key": "'k' || (n % 3)"}.get(name, name) for name in schema.WORDS
    )
    counted = "WITH RECURSIVE numbers(n) AS (SELECT {} UNION ALL SELECT n + 1 FROM numbers WHERE n < {})".format
    with engines.writing(ledger.engine) as connection:
        run = connection.exec_driver_sql
        one = "(SELECT * FROM template LIMIT 1)"
        run(f"INSERT INTO template {counted(0, 11)} SELECT source_id, n, {words} FROM numbers, {one}")
        columns = ", ".join(f'"{name}"' for name in names)
        one = "(SELECT * FROM entry LIMIT 1)"
        run(f"INSERT INTO entry ({columns}) {counted(2, CALLS)} SELECT {values} FROM numbers, {one}")
        labels = """'{"team":"t' || n || '"}'"""
        run(
            f"INSERT INTO label_set {counted(0, 19)} SELECT {SPOOL}, CAST(printf('%016d', n) AS BLOB), {labels} FROM numbers"
        )
        for table, key in ((schema.rollup_narrow, schema.NARROW_KEY), (schema.rollup_wide, schema.WIDE_KEY)):
            connection.execute(table.delete())
            keys = [rollup.KEYED[name] for name in key]
            sums = [func.sum(rollup.MEASURED[name]) for name in measures.MEASURES]
            connection.execute(
                insert(table).from_select([*key, *measures.MEASURES], select(*keys, *sums).group_by(*keys))
            )


def fastest(command: list[str], folder: Path, tries: int = 10) -> float:
    times = []
    for _ in range(tries):
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.environ.get("KEEP", name))
        url = f"sqlite:///{folder / 'ledger.db'}"
        began = time.perf_counter()
        if not (folder / "ledger.db").exists():
            ledger = open_ledger(url)
            fill(ledger)
            with engines.snapshot(ledger.engine) as connection:
                for table in (schema.entry, schema.rollup_narrow, schema.rollup_wide):
                    print(f"{table.name}: {connection.scalar(select(func.count()).select_from(table)):,} rows")
            ledger.close()
            print(f"filled in {time.perf_counter() - began:.0f} s")
        (folder / "gembill.toml").write_text(BUDGETS)
        check = [sys.executable, "-m", "gembill", "budget", "check", "--database-url", url]
        print(f"sqlalchemy alone  {fastest([sys.executable, '-c', 'import sqlalchemy'], folder):.3f} s")
        print(f"check of 1 budget {fastest([*check, 'b0'], folder):.3f} s")
        print(f"check of 4        {fastest(check, folder):.3f} s")


if __name__ == "__main__":
    main()

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

from sqlalchemy import func, insert, select, text

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
        "occurred_us": f"{start} + n * {30 * 24 * HOUR // CALLS}",
        "hour_utc": f"({start} + n * {30 * 24 * HOUR // CALLS}) / {HOUR}",
        "model": "'gemini-3-model-' || (n % 4)",
        "key": "'k' || (n % 3)",
        "labels": "'{\"team\":\"t' || (n % 20) || '\"}'",
        "labels_hash": "CAST(printf('%016d', n % 20) AS BLOB)",
    }
    names = list(schema.record.columns.keys())
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    many = f"WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {CALLS})"
    with engines.writing(ledger.engine) as connection:
        columns = ", ".join(f'"{name}"' for name in names)
        one = "(SELECT * FROM record LIMIT 1)"
        connection.execute(
            text(f"INSERT INTO record ({columns}) {many} SELECT {values} FROM numbers, {one}".replace(":", "\\:"))
        )
        connection.execute(
            text("INSERT OR IGNORE INTO label_set SELECT DISTINCT source_id, labels_hash, labels FROM record")
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
                for table in (schema.record, schema.rollup_narrow, schema.rollup_wide):
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

"""The demo's month has the same numbers everywhere, and they are the sum over its records."""

import csv
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gembill.config import Settings
from gembill.demo.month import MONTH
from gembill.ledger import open_ledger
from gembill.money import display, parse_usd
from gembill_reports.dashboard.app import Dashboard
from tests.gembill_reports.dashboard.asking import ask
from tests.gembill_reports.making import us

COUNTED = ("input", "intermediate", "output", "total", "cached", "thinking")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `gembill demo` has run."""
    folder = tmp_path_factory.mktemp("demo")
    run(folder, "demo")
    return folder


def run(folder: Path, *words: str) -> str:
    environment = {**os.environ, "GEMBILL_DATA_DIR": str(folder), "COLUMNS": "200", "GEMBILL_DATABASE_URL": url(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "gembill", *words],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    return done.stdout


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'demo' / 'ledger.db'}"


def summed(records: list[dict[str, Any]]) -> dict[str | None, dict[str, Any]]:
    """What a report by model has to say, worked out from the records one by one."""
    sums: dict[str | None, dict[str, Any]] = defaultdict(
        lambda: {
            **dict.fromkeys(COUNTED, 0),
            "calls": 0,
            "executions": 0,
            "executions_failed": 0,
            "unpriced_calls": 0,
            "incomplete_calls": 0,
            "cost_usd": Decimal(0),
        }
    )
    for record in records:
        row = sums[record["model"]]
        row["calls"] += 1
        for part in COUNTED:
            row[part] += record["tokens"][part] or 0
        row["executions"] += record["code_execution"]["executions"]
        row["executions_failed"] += record["code_execution"]["failed"]
        row["unpriced_calls"] += not record["priced"]
        row["incomplete_calls"] += record["status"] in ("partial", "unknown")
        row["cost_usd"] += Decimal(record["cost_usd"] or 0)
    return sums


def test_table_json_csv_html_and_dashboard_equal_the_records(demo: Path) -> None:
    records = json.loads(run(demo, "records", "--month", MONTH, "--format", "json"))["records"]
    wanted = summed(records)
    named = ("--month", MONTH, "--by", "model")
    shape = json.loads(run(demo, "report", "monthly", *named, "--format", "json"))
    rows = {row["model"]: row for row in shape["rows"]}
    assert rows.keys() == wanted.keys()
    for model, row in wanted.items():
        got = rows[model]
        assert {part: got["tokens"][part] or 0 for part in COUNTED} == {part: row[part] for part in COUNTED}
        assert {
            key: got[key] for key in ("calls", "executions", "executions_failed", "unpriced_calls", "incomplete_calls")
        } == {
            key: row[key] for key in ("calls", "executions", "executions_failed", "unpriced_calls", "incomplete_calls")
        }
        assert Decimal(got["cost_usd"] or 0) == row["cost_usd"]
    cost = sum(row["cost_usd"] for row in wanted.values())
    assert Decimal(shape["total"]["cost_usd"]) == cost
    lines = csv.DictReader(StringIO(run(demo, "report", "monthly", *named, "--format", "csv")))
    assert {line["model"]: line["cost_usd"] for line in lines} == {
        model: row["cost_usd"] or "" for model, row in rows.items()
    }
    check_pages(demo, rows, display(parse_usd(shape["total"]["cost_usd"])), shape)
    exported = csv.DictReader(StringIO(run(demo, "export", "--format", "focus", "--month", MONTH)))
    assert sum(Decimal(line["BilledCost"]) for line in exported) == cost


def check_pages(demo: Path, rows: dict[str, Any], total: str, shape: dict[str, Any]) -> None:
    """Everything for eyes shows the counts and amounts of the JSON."""
    ledger = open_ledger(url(demo), read_only=True)
    app = Dashboard(ledger, Settings(data_dir=demo), lambda: us("2026-11-21T09:00:00+00:00")).app()
    page = ask(app, f"/?month={MONTH}").text
    data = json.loads(ask(app, f"/overview.json?month={MONTH}").text)
    ledger.close()
    assert {key: data[key] for key in shape} == shape
    table = run(demo, "report", "monthly", "--month", MONTH, "--by", "model")
    html = run(demo, "report", "monthly", "--month", MONTH, "--format", "html")
    for text in (page, html, table):
        assert "DEMO DATA" in text
        assert total in text
        for model, row in rows.items():
            cells = [f"{row['tokens'][part]:,}" for part in ("input", "intermediate", "output")]
            assert re.search(rf"{re.escape(model)}.*?" + r"\D+".join(map(re.escape, cells)), text, re.DOTALL), model


def test_a_year_in_three_zones_is_the_same_year_of_calls(demo: Path) -> None:
    """Months of different calendars cut differently and add up to the same."""
    sums = set()
    for zone in ("America/Los_Angeles", "UTC", "Asia/Kolkata"):
        flags = ("--since", "2026-01-01", "--until", "2027-12-31", "--tz", zone, "--format", "json")
        for span, by in (("monthly", "month"), ("daily", "day"), ("weekly", "week")):
            shape = json.loads(run(demo, "report", span, *flags, "--by", by))
            assert sum(row["calls"] for row in shape["rows"]) == shape["total"]["calls"]
            sums.add((shape["total"]["calls"], shape["total"]["cost_usd"], shape["total"]["tokens"]["intermediate"]))
    assert len(sums) == 1

"""`gembill audit` on a real ledger."""

import sqlite3
from pathlib import Path

from click.testing import CliRunner

from gembill.cli import gembill
from gembill.ledger import open_ledger
from tests.gembill_reports.making import call, put


def test_books_that_balance_exit_0_and_others_1(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = open_ledger(f"sqlite:///{path}")
    put(ledger, call("2026-11-05T10:00:00+00:00", (147, 360, 276)))
    ledger.close()
    good = CliRunner().invoke(gembill, ["audit", "--database-url", f"sqlite:///{path}"])
    assert (good.exit_code, good.stdout, good.stderr) == (0, "", "The books balance.\n")

    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entry SET cost_pico = cost_pico + 1")
    connection.close()
    bad = CliRunner().invoke(gembill, ["audit", "--database-url", f"sqlite:///{path}"])
    assert bad.exit_code == 1
    assert bad.stdout.count("\n") >= 1
    assert "findings: " in bad.stderr

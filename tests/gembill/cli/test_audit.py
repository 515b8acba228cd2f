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


def test_a_dead_letter_is_a_finding_until_it_is_a_record(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url)
    ledger.add_dead_letter(5, 1, "poison", b"{", "no reason")
    ledger.close()
    result = CliRunner().invoke(gembill, ["audit", "--database-url", url])
    assert result.exit_code == 1
    assert "dead letters: 1 calls are not records;" in result.stdout
    assert "gembill replay --dead-letters" in result.stdout

from pathlib import Path

import pytest
from click.testing import CliRunner

from billing.cli.db import db
from billing.errors import LedgerError, SchemaError


def test_upgrade_says_from_where_to_where_and_check_agrees(empty_ledger_url: str) -> None:
    run = CliRunner().invoke
    assert (
        run(db, ["upgrade", "--database-url", empty_ledger_url]).output
        == "The ledger went from nothing to revision 0001.\n"
    )
    assert (
        run(db, ["upgrade", "--database-url", empty_ledger_url]).output == "The ledger is at revision 0001 already.\n"
    )
    checked = run(db, ["check", "--database-url", empty_ledger_url])
    assert (checked.exit_code, checked.output) == (
        0,
        "The ledger is at revision 0001, the one this gembill works with.\n",
    )


def test_check_fails_where_nothing_was_made(empty_postgres_url: str, tmp_path: Path) -> None:
    empty = CliRunner().invoke(db, ["check", "--database-url", empty_postgres_url])
    assert (empty.exit_code, type(empty.exception)) == (1, SchemaError)
    missing = CliRunner().invoke(db, ["check", "--database-url", f"sqlite:///{tmp_path}/none.db"])
    assert (missing.exit_code, type(missing.exception)) == (1, LedgerError)
    with pytest.raises(FileNotFoundError):
        (tmp_path / "none.db").stat()

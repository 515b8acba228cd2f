from pathlib import Path

import pytest
from click.testing import CliRunner

from gembill.cli.db import db
from gembill.errors import LedgerError, SchemaError
from gembill.ledger import SCHEMA_REVISION, open_ledger, price_lists
from gembill.rules.prices import bundled


def test_upgrade_says_from_where_to_where_and_check_agrees(empty_ledger_url: str) -> None:
    run = CliRunner().invoke
    assert (
        run(db, ["upgrade", "--database-url", empty_ledger_url]).output
        == f"The ledger went from nothing to revision {SCHEMA_REVISION}.\n"
    )
    assert (
        run(db, ["upgrade", "--database-url", empty_ledger_url]).output
        == f"The ledger is at revision {SCHEMA_REVISION} already.\n"
    )
    checked = run(db, ["check", "--database-url", empty_ledger_url])
    assert (checked.exit_code, checked.output) == (
        0,
        f"The ledger is at revision {SCHEMA_REVISION}, the one this gembill works with.\n",
    )


def test_upgrading_keeps_the_price_rows_of_this_version_once(empty_ledger_url: str) -> None:
    for _ in range(2):
        CliRunner().invoke(db, ["upgrade", "--database-url", empty_ledger_url])
    ledger = open_ledger(empty_ledger_url, read_only=True)
    assert [(one.origin, one.digest) for one in price_lists.lists(ledger)] == [
        (price_lists.Origin.BUNDLED, bundled().digest)
    ]
    ledger.close()


def test_check_fails_where_nothing_was_made(empty_postgres_url: str, tmp_path: Path) -> None:
    empty = CliRunner().invoke(db, ["check", "--database-url", empty_postgres_url])
    assert (empty.exit_code, type(empty.exception)) == (1, SchemaError)
    missing = CliRunner().invoke(db, ["check", "--database-url", f"sqlite:///{tmp_path}/none.db"])
    assert (missing.exit_code, type(missing.exception)) == (1, LedgerError)
    with pytest.raises(FileNotFoundError):
        (tmp_path / "none.db").stat()

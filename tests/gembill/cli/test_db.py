from pathlib import Path

import pytest
from click.testing import CliRunner

from gembill.cli.db import db
from gembill.errors import ConfigurationError, LedgerError, SchemaError
from gembill.ledger import SCHEMA_REVISION, count_events, open_ledger, price_lists
from gembill.rules.prices import bundled
from tests.gembill.ledger.making import SPOOL, append, posting


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


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ledger of a data folder, with two events."""
    monkeypatch.setenv("GEMBILL_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("GEMBILL_DATABASE_URL", raising=False)
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    append(ledger, SPOOL, [posting(1), posting(2)])
    ledger.close()
    return tmp_path / "ledger.db"


def events(file: Path) -> int | None:
    return count_events(f"sqlite:///{file}")


def test_a_backup_goes_to_the_data_folder_and_is_restored_only_where_that_is_meant(kept: Path) -> None:
    run = CliRunner().invoke
    assert ": 2 events at revision" in run(db, ["backup"]).output
    (path,) = (kept.parent / "backups").glob("ledger-*.db.gz")
    assert "is whole: 2 events" in run(db, ["restore", str(path), "--dry-run"]).stderr
    ledger = open_ledger(f"sqlite:///{kept}")
    append(ledger, SPOOL, [posting(3)])
    ledger.close()
    refused = run(db, ["restore", str(path)])
    assert isinstance(refused.exception, ConfigurationError)
    assert (str(refused.exception).startswith("the ledger has 3 events"), events(kept)) == (True, 3)
    done = run(db, ["restore", str(path), "--replace"])
    assert (done.exit_code, events(kept)) == (0, 2)
    assert "its books balance" in done.stderr
    assert "`gembill replay`" in done.stdout


def test_a_ledger_that_cannot_be_read_is_kept_beside_the_restored_one(kept: Path) -> None:
    path = kept.parent / "b.gz"
    run = CliRunner().invoke
    run(db, ["backup", str(path)])
    kept.write_bytes(b"no database" * 1000)
    refused = run(db, ["restore", str(path)])
    assert isinstance(refused.exception, ConfigurationError)
    done = run(db, ["restore", str(path), "--replace"])
    assert (done.exit_code, events(kept)) == (0, 2)
    (moved,) = kept.parent.glob("ledger.db.damaged-*")
    assert moved.read_bytes().startswith(b"no database")


def test_a_damaged_backup_touches_nothing(kept: Path) -> None:
    path = kept.parent / "b.gz"
    run = CliRunner().invoke
    run(db, ["backup", str(path)])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    before = kept.read_bytes()
    result = run(db, ["restore", str(path), "--replace"])
    assert isinstance(result.exception, LedgerError)
    assert "damaged" in str(result.exception)
    assert kept.read_bytes() == before

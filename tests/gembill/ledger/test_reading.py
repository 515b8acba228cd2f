"""A snapshot reads the same by SQLAlchemy and without it, and can do nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from gembill import mounts, sqlite
from gembill.errors import LedgerError, SchemaError
from gembill.ledger import Ledger, LedgerUnavailable, open_ledger, reading
from tests.gembill.ledger.making import SPOOL, append, posting

HOW_MANY = "SELECT count(*), max(source_id) FROM record WHERE status = ?"


def test_a_snapshot_sees_what_was_written_before_it_and_nothing_later(ledger: Ledger, ledger_url: str) -> None:
    append(ledger, SPOOL, [posting(1)])
    reader = open_ledger(ledger_url, read_only=True)
    with reader.reading() as snapshot:
        assert [tuple(row) for row in snapshot.rows(HOW_MANY, ("complete",))] == [(1, SPOOL)]
        append(ledger, SPOOL, [posting(2)])
        assert snapshot.rows(HOW_MANY, ("complete",))[0][0] == 1
    with reader.reading() as snapshot:
        assert snapshot.rows(HOW_MANY, ("complete",))[0][0] == 2
    reader.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}").close()
    return tmp_path / "ledger.db"


def test_a_file_is_read_without_sqlalchemy_until_its_engine_is_asked_for(file: Path) -> None:
    code = f"""
import sys
from gembill.ledger import holds_demo_data, open_ledger
ledger = open_ledger("sqlite:///{file}", read_only=True)
print(holds_demo_data(ledger), "sqlalchemy" in sys.modules)
print(ledger.engine.dialect.name, "sqlalchemy" in sys.modules, holds_demo_data(ledger))
ledger.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "sqlite", "True", "False"]


def test_a_snapshot_of_a_file_cannot_write(file: Path) -> None:
    with reading.file_snapshot(file) as snapshot, pytest.raises(sqlite.driver.OperationalError, match="readonly"):
        snapshot.rows("DELETE FROM source")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////data/ledger.db", "/data/ledger.db"),
        ("sqlite:///ledger.db", "ledger.db"),
        ("sqlite:///a@b:c/#[x].db", "a@b:c/#[x].db"),
        ("sqlite:///ledger.db?timeout=1", None),  # the others have parts that SQLAlchemy's parser knows
        ("sqlite:///a%20b.db", None),
        ("sqlite:///:memory:", None),
        ("sqlite:///", None),
        ("sqlite+pysqlite:///ledger.db", None),
        ("postgresql:///ledger", None),
    ],
)
def test_only_a_plain_path_is_opened_without_sqlalchemy(url: str, file: str | None) -> None:
    from sqlalchemy import make_url

    assert reading.plain_file(url) == (file and Path(file))
    assert file is None or make_url(url).database == file


def test_a_file_that_no_ledger_is_in_is_refused_in_the_words_of_any_ledger(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    (tmp_path / "ledger.db").write_bytes(b"no database" * 100)
    with pytest.raises(LedgerError, match=f"be opened at {url}: file is not a database"):
        open_ledger(url, read_only=True)
    (tmp_path / "ledger.db").write_bytes(b"")
    with pytest.raises(SchemaError, match="the ledger is empty"):
        open_ledger(url, read_only=True)
    (tmp_path / "ledger.db").unlink()
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(LedgerUnavailable, match="now: unable to open database file"):
        open_ledger(url, read_only=True)


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "network_mount", lambda path: mounts.Mount(Path("/net"), "nfs4"))
    with pytest.raises(LedgerError, match="lies on /net, a file system of kind nfs4; keep the ledger on a local disk"):
        reading.refuse_network_file(tmp_path / "ledger.db")

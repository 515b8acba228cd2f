from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from gembill import sqlite
from gembill.errors import ConfigurationError, LedgerError
from gembill.ledger import Ledger, LedgerUnavailable, open_ledger, upgrade_ledger
from gembill.ledger import engine as engines
from tests.gembill.ledger.making import SPOOL, append, posting


@pytest.mark.parametrize("url", ["", "no address", "sqlite://", "sqlite:///:memory:", "mysql://h/d", "oracle+x://h"])
def test_an_address_that_is_not_a_ledger_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite:///path"):
        engines.parse(url)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("sqlite://data/ledger.db", "has a host.*sqlite:////path, which begins at the root"),
        ("sqlite://me:secret@data/ledger.db", "has a host"),
        ("sqlite:///a?b/ledger.db", "%3F for a '\\?' in the path"),
        ("sqlite:///ledger.db?mode=ro", "SQLite has no options"),
    ],
)
def test_what_sqlite_would_leave_out_of_an_address_is_refused(url: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=hint) as caught:
        engines.parse(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgres+psycopg"])
def test_all_postgresql_schemes_mean_psycopg(scheme: str) -> None:
    assert engines.parse(f"{scheme}://u:secret@h/d").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("u:p@a:1,b/d", {"host": "a,b", "port": "1,", "user": "u", "password": "p", "dbname": "d"}),
        ("a,b,c:7/d?target_session_attrs=read-write", {"host": "a,b,c", "port": ",,7", "dbname": "d"}),
        ("[::1]:5,h:6/d", {"host": "::1,h", "port": "5,6", "dbname": "d"}),
        ("u:x,y@a,b", {"host": "a,b", "user": "u", "password": "x,y"}),
        ("%2Fvar%2Frun/d", {"host": "/var/run", "dbname": "d"}),
        ("u:x,y@h/d", {"host": "h", "user": "u", "password": "x,y", "dbname": "d"}),
    ],
)
def test_several_hosts_and_a_socket_s_folder_reach_libpq(address: str, expected: dict[str, str]) -> None:
    url = engines.parse(f"postgres://{address}")
    options = engines.create(url).dialect.create_connect_args(url)[1]
    assert {key: options[key] for key in expected} == expected
    assert ("target_session_attrs" in options) is ("target_session_attrs" in address)


def test_the_first_host_that_answers_is_taken(empty_postgres_url: str, tmp_path: Path) -> None:
    folder = empty_postgres_url.rpartition("host=")[2]
    name = empty_postgres_url.partition("?")[0].rpartition("/")[2]
    hosts = ",".join(quote(str(each), safe="") for each in (tmp_path, folder))
    url = f"postgres://postgres@{hosts}/{name}?target_session_attrs=read-write"
    upgrade_ledger(url)
    open_ledger(url, read_only=True).close()


def test_a_server_keeps_nothing_of_ours_between_two_transactions(empty_postgres_url: str) -> None:
    upgrade_ledger(empty_postgres_url)
    engine = open_ledger(empty_postgres_url).engine
    for _ in range(20):
        with engines.writing(engine) as connection:
            connection.exec_driver_sql("SELECT 1 WHERE 1 = %s", (1,))
        with engines.snapshot(engine) as connection:
            connection.exec_driver_sql("SELECT 1 WHERE 1 = %s", (1,))
    with engine.connect() as connection:
        kept = "SELECT name FROM pg_prepared_statements UNION SELECT name FROM pg_settings WHERE source = 'session' AND name NOT LIKE 'transaction%%'"
        assert connection.exec_driver_sql(kept).scalars().all() == []
        assert connection.exec_driver_sql("SHOW default_transaction_isolation").scalar() == "read committed"
    engine.dispose()


def test_who_writes_sees_what_was_written_while_it_waited_whatever_the_server_s_default(
    empty_postgres_url: str,
) -> None:
    engine = engines.create(engines.parse(empty_postgres_url))
    with engines.writing(engine) as connection:
        connection.exec_driver_sql(
            f"ALTER DATABASE {engine.url.database} SET default_transaction_isolation = 'repeatable read'"
        )
    engine.dispose()
    for doing, level in ((engines.writing, "read committed"), (engines.snapshot, "repeatable read")) * 2:
        with doing(engine) as connection:
            assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == level
    engine.dispose()


def test_a_server_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable) as caught:
        open_ledger(f"postgresql://me:secret@/db?host={tmp_path}")
    assert "secret" not in str(caught.value)
    assert "cannot be opened at postgresql+psycopg://me:***@" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "me:canary@127.0.0.1:1/d",
        "me:a@canary@127.0.0.1:1/d",
        "me:a@canary/b@127.0.0.1:1/d",
        "127.0.0.1:1/d?password=a@canary",
        "127.0.0.1:1/d?user=me&password=canary",
        "me@127.0.0.1:1/d?sslpassword=canary",
        "127.0.0.1:1/d?passwrd=canary",
        "127.0.0.1:1/d?port=canary",
        "me:canary",
        "me:1,canary?x@a,b/d",
        "me:canary@127.0.0.1:1,127.0.0.1:2/d",
    ],
)
def test_no_message_about_a_server_has_a_part_of_its_password(address: str) -> None:
    with pytest.raises((ConfigurationError, LedgerError)) as caught:
        open_ledger(f"postgresql://{address}", read_only=True)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("address", ["me@corp:secret@h/d", "me:se/c?ret@h/d", "h/d?user=me@corp", "me:a%40b@h/d"])
def test_an_unusual_address_that_can_be_read_one_way_only_is_taken(address: str) -> None:
    assert engines.parse(f"postgresql://{address}").host == "h"


def test_sqlite_commits_are_synced_and_wal_is_used_only_where_it_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'deep' / 'ledger.db'}"
    for safe, mode in ((True, "wal"), (False, "delete"), (True, "wal")):
        monkeypatch.setattr(sqlite, "wal_is_safe", lambda _, safe=safe: safe)
        ledger = open_ledger(url)
        with ledger.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == mode
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
        ledger.close()


def test_a_ledger_opened_for_reading_cannot_be_written(ledger_url: str) -> None:
    open_ledger(ledger_url).close()
    ledger = open_ledger(ledger_url, read_only=True)
    with pytest.raises(LedgerError):
        append(ledger, SPOOL, [posting(1)])
    ledger.close()


def test_reading_creates_no_file(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger at"):
        open_ledger(f"sqlite:///{tmp_path / 'none.db'}", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_a_database_is_refused_as_such(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database" * 100)
    with pytest.raises(LedgerError, match="not a database"):
        open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


def test_values_never_appear_in_error_texts(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT * FROM nowhere WHERE x = :value"), {"value": "canary"})
    assert "nowhere" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_connection_uses_the_memory_it_is_given(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        plain = _pages(connection)
        engines.use_memory(connection, 12_345)
        wide = _pages(connection)
        engines.use_memory(connection)
        assert (plain, wide, _pages(connection)) in ((-2_000, -12_345, -2_000), (None, None, None))


def _pages(connection: Connection) -> int | None:
    if connection.dialect.name == "postgresql":
        return None
    return int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one())

"""Databases for tests: a fresh ledger address on either engine.

Owns: the PostgreSQL server of a test process and the fixtures that hand out databases. Not here: data.
Invariant: nothing outlives the run; each test has a database of its own; one server for each xdist worker.
"""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.recording import recording  # noqa: F401 - a fixture
from tests.surroundings import postgres_servers

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # a busy machine is not a failure: hypothesis allows 200 ms an example otherwise

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real PostgreSQL on a Unix socket, of this process alone, with the database left open: `{}`."""
    folder = Path(tempfile.mkdtemp(prefix="gembill-pg-"))  # short: a socket's path has at most 107 bytes
    server = postgres_servers().get_server(folder, cleanup_mode="stop")
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # no test cuts the power
        _run(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
    _run(server.get_uri(), "SELECT pg_reload_conf()")
    try:
        yield server.get_uri(database="{}")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str) -> str:
    """The server's maintenance database, where databases can be created."""
    return postgres_server.format("postgres")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, postgres_url: str) -> str:
    """The name of an empty, migrated database that others are copied from."""
    from gembill.ledger import engine as engines
    from gembill.ledger import migration

    _create(postgres_url, "migrated", "template0")
    engine = engines.create(engines.parse(postgres_server.format("migrated")))
    migration.upgrade(engine)
    engine.dispose()
    return "migrated"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated file that others are copied from: a twentieth of the work of a dozen migrations."""
    from gembill.ledger import open_ledger

    path = tmp_path_factory.mktemp("template") / "ledger.db"
    open_ledger(f"sqlite:///{path}").close()
    assert [beside.name for beside in path.parent.iterdir() if beside.name.endswith("-wal")] == []
    return path


@pytest.fixture
def empty_postgres_url(postgres_server: str, postgres_url: str) -> str:
    """A database of this test's own, with nothing in it."""
    name = f"empty{next(_numbers)}"
    _create(postgres_url, name, "template0")
    return postgres_server.format(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address at which no ledger was created yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address of a fresh, migrated ledger on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), tmp_path / 'ledger.db')}"
    url: str = request.getfixturevalue("postgres_ledger_url")
    return url


@pytest.fixture
def postgres_ledger_url(postgres_server: str, postgres_url: str, postgres_template: str) -> str:
    """A fresh, migrated ledger in PostgreSQL, whose owner we are."""
    name = f"ledger{next(_numbers)}"
    _create(postgres_url, name, postgres_template)
    return postgres_server.format(name)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[object]:
    """An opened, empty ledger on each engine."""
    from gembill.ledger import open_ledger

    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def _create(url: str, name: str, template: str) -> None:
    _run(url, f"CREATE DATABASE {name} TEMPLATE {template}")


def _run(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())

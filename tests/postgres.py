"""A PostgreSQL server of a test's own, which can be stopped, started again and crashed.

Owns: the server's folder and its life. Invariant: it ends with the test, and nothing of it is left.
"""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gembill.ledger import engine as engines
from gembill.ledger import migration
from tests.surroundings import postgres_servers


class Server:
    """A PostgreSQL server with its own settings for safety, which can be crashed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.start()
        self.url = self._server.get_uri()

    def start(self) -> None:
        self._server = postgres_servers().get_server(self._folder, cleanup_mode="stop")

    def stop(self) -> None:
        self._server.cleanup()

    def crash(self) -> None:
        """End it as `pg_ctl stop -m immediate` does: no checkpoint, recovery from its WAL at the next start."""
        import psutil

        process = psutil.Process(self._server.get_pid())
        process.send_signal(signal.SIGQUIT)
        process.wait(60)
        self._server.cleanup()


@contextmanager
def database() -> Iterator[Server]:
    """A server with an empty ledger."""
    folder = Path(tempfile.mkdtemp(prefix="gembill-pg-"))  # short: a socket's path has at most 107 bytes
    server = Server(folder)
    try:
        engine = engines.create(engines.parse(server.url))
        migration.upgrade(engine)
        engine.dispose()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)

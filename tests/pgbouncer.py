"""PgBouncer in front of a test's PostgreSQL.

Owns: its configuration and its process. Not here: the server behind it. Invariant: it pools by transaction with fewer
connections to the server than a test has clients, so that two transactions of a client seldom meet the same one.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER_CONNECTIONS = 2


def program() -> str:
    """Where PgBouncer is; the test is skipped, aloud, where it is not installed."""
    path = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip("PgBouncer is not installed: the ledger behind it is NOT tested here")
    return path


@contextlib.contextmanager
def pgbouncer(socket_folder: Path) -> Iterator[str]:
    """Its address, `127.0.0.1:port`, in front of the server whose socket is in that folder."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="gembill-pgb-"))
    folder.chmod(0o755)
    (folder / "pgbouncer.ini").write_text(f"""[databases]
* = host={socket_folder} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {SERVER_CONNECTIONS}
max_client_conn = 100
""")
    command = [program(), str(folder / "pgbouncer.ini")]
    if os.getuid() == 0:  # it refuses to run as root; the server behind it runs as the owner of its folder
        command[1:1] = ["-u", socket_folder.owner()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(log.read_text())
        time.sleep(0.02)

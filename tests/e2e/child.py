"""`gembill proxy` as a process of its own, to be killed."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


class Child:
    def __init__(self, folder: Path, upstream: str, database_url: str, *more: str, **variables: str) -> None:
        self.log = folder / "proxy.log"
        self._command = [
            sys.executable,
            "-m",
            "gembill",
            "proxy",
            "--port",
            "0",
            "--upstream",
            upstream,
            "--database-url",
            database_url,
            *more,
        ]
        self._environment = {**os.environ, "GEMBILL_DATA_DIR": str(folder / "data"), "HOME": str(folder), **variables}
        self.port = 0

    @contextlib.contextmanager
    def running(self) -> Iterator["Child"]:
        offset = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=out, stderr=out)
        try:
            self.port = self._wait_for_port(offset)
            yield self
        finally:
            if self.process.poll() is None:
                self.process.terminate()
            self.process.wait(40)

    def kill(self, *, proxy: bool = True, posting: bool = False) -> None:
        """`kill -9` of the proxy's process, of its posting process, or of both."""
        if posting:
            for pid in self.posting_pids():
                with contextlib.suppress(ProcessLookupError):  # between two of them
                    os.kill(pid, signal.SIGKILL)
        if proxy:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def posting_pids(self) -> list[int]:
        """The posting process; none while it is being started again."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    def post(self, path: str, label: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, b'{"contents": []}', {"x-gembill-label-case": label})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def health(self) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/_gembill/health")
            return connection.getresponse().read()
        finally:
            connection.close()

    def _wait_for_port(self, offset: int) -> int:
        for _ in range(1200):
            for line in self.log.read_bytes()[offset:].decode().splitlines():
                if "GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:" in line:
                    port = int(line.rsplit(":", 1)[1])
                    with contextlib.suppress(OSError):
                        self.port = port
                        self.health()
                        return port
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

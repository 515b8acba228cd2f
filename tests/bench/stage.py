"""What stands around the contestants: the upstream, the same behind TLS, and the load, on a core of their own.

Owns: compiling and starting the two C programs, the files they read, and one run of the load. Not here: the contestants.
Invariant: nothing is left running after the `with` block, whatever happened in it.
"""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import answers
from tests.bench.contestants import NGINX_RELAY, nginx_configuration, nginx_program
from tests.bench.processes import LOAD_CORE, free_port, kill, pinned, start

HERE = Path(__file__).parent
UPLOAD, SMALL = "upload", "request"


@dataclass(frozen=True)
class Scenario:
    """One kind of load: `connections` that call again at once, or `rate` calls a second by the clock."""

    name: str
    path: str = answers.GENERATE
    body: str = SMALL
    connections: int = 32
    rate: int = 0
    tls: bool = False

    @property
    def length(self) -> int:
        """Bytes of content in each answer."""
        return len(answers.answer() if self.path == answers.GENERATE else answers.events())


@dataclass(frozen=True)
class Stage:
    """Where the upstream listens, with and without TLS, and how to make load."""

    folder: Path
    port: int
    tls_port: int
    pid: int

    @property
    def url(self) -> str:
        """The upstream's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """The address of the same upstream behind TLS."""
        return f"https://localhost:{self.tls_port}"

    @property
    def certificate(self) -> Path:
        """What signs the TLS address."""
        return self.folder / "certificate.pem"

    def begin_load(
        self, scenario: Scenario, port: int, seconds: float, *, prefix: str = "", ids: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start the load against a port; it ends by itself, or soon after the port is closed."""
        command = [str(self.folder / "load"), str(port), prefix + scenario.path, str(self.folder / scenario.body)]
        numbers = (scenario.length, scenario.connections, seconds, scenario.rate)
        command += [*map(str, numbers), *([str(ids)] if ids else [])]
        return subprocess.Popen(pinned(LOAD_CORE, command), stdout=subprocess.PIPE, text=True)

    def load(self, scenario: Scenario, port: int, seconds: float, *, prefix: str = "") -> dict[str, Any]:
        """One run of the load: its counts and times in microseconds."""
        text, _ = self.begin_load(scenario, port, seconds, prefix=prefix).communicate(timeout=seconds + 60)
        result: dict[str, Any] = json.loads(text)
        return result


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Compile, start and stop all of it. SystemExit with a sentence where a program is missing."""
    _compile(folder)
    write_files(folder)
    port, tls_port = free_port(), free_port()
    (folder / "tls").mkdir()
    (folder / "tls" / "nginx.conf").write_text(_tls_front(folder, port, tls_port))
    files = [str(folder / "answer"), str(folder / "events")]
    leaders = []
    try:
        leaders.append(start(LOAD_CORE, [str(folder / "upstream"), str(port), *files], port, folder / "log", {}))
        front = [nginx_program(), "-p", str(folder / "tls"), "-c", "nginx.conf", "-e", "stderr"]
        leaders.append(start(LOAD_CORE, front, tls_port, folder / "log", {}))
        yield Stage(folder, port, tls_port, leaders[0])
    finally:
        for leader in leaders:
            kill(leader)


def compiler() -> str | None:
    """A C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def _compile(folder: Path) -> None:
    for name in ("upstream", "load"):
        subprocess.run([compiler() or "cc", "-O2", "-o", folder / name, HERE / f"{name}.c"], check=True)


def write_files(folder: Path) -> None:
    """What the two programs read, and a certificate for the TLS address."""
    contents = {
        "answer": answers.answer(),
        "events": answers.events(),
        SMALL: answers.request(),
        UPLOAD: answers.upload(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    if shutil.which("openssl") is None:
        raise SystemExit("make bench needs openssl, for the certificate of its TLS upstream")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([*command.split(), *files], check=True, stderr=subprocess.DEVNULL)


def _tls_front(folder: Path, port: int, tls_port: int) -> str:
    return nginx_configuration(
        f"""upstream api {{ server 127.0.0.1:{port}; keepalive 256; keepalive_requests 1000000000; }}
        server {{ listen 127.0.0.1:{tls_port} ssl; ssl_certificate {folder}/certificate.pem;
          ssl_certificate_key {folder}/key.pem; location / {{ proxy_pass http://api; {NGINX_RELAY} }} }}"""
    )

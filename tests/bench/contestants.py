"""Who takes part in `make bench`: how each is started, whether it records, and what its store holds.

Owns: the commands and settings of nginx, an aiohttp relay, gembill, LiteLLM and mitmproxy. Not here: measuring.
Invariant: each one runs in one process tree on one core with kept-alive connections to the upstream, without access log,
and records wherever it can do so by itself; what `recording` says is what was running.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.bench.processes import CONTESTANT_CORE, cpu_us, free_port, kill, start, tree

ROOT = Path(__file__).parents[2]


@dataclass
class Contestant:
    """One that was started: `url` is its upstream, `folder` is its own; `leader` its first process."""

    folder: Path
    url: str
    certificate: Path | None = None
    port: int = field(default_factory=free_port)
    leader: int = 0

    name = ""
    recording = "off"
    store = False  # whether it keeps calls where they can be looked for
    path_prefix = ""
    package: str | None = None  # what pip installs into an environment of its own

    def start(self) -> None:
        """Start it, again after a kill too."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {"HOME": str(self.folder), **self.environment()}
        if self.certificate:
            environment["SSL_CERT_FILE"] = str(self.certificate)
        self.leader = start(CONTESTANT_CORE, self.command(), self.port, self.folder / "log", environment)

    def command(self) -> list[str]:
        """What to run."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """What it needs in its environment."""
        return {}

    def settle(self) -> None:
        """Wait until all that it owes for the calls so far is done."""

    def stored(self) -> Iterator[str]:
        """`responseId` of each call in its store, after a new start."""
        return iter(())

    def count(self) -> int | None:
        """How many calls are in its store; None if it cannot say so quickly."""
        return None

    def cpu_us(self) -> tuple[float, float]:
        """CPU microseconds until now: of the whole tree, and of its first process alone."""
        return cpu_us(tree(self.leader)), cpu_us([self.leader])

    def kill(self) -> None:
        """End all of its processes with SIGKILL."""
        kill(self.leader)

    @classmethod
    def program(cls, name: str) -> str:
        """A program of the environment that `install` made."""
        return str(ROOT / f".venv-bench-{cls.name.lower()}" / "bin" / name)

    @classmethod
    def install(cls) -> str:
        """Make the environment of the package unless it is there; its version. CalledProcessError if pip fails."""
        if cls.package is None:
            return cls.version(sys.executable)
        python = Path(cls.program("python"))
        done = python.parents[1] / ".installed"
        if not done.exists():
            subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", cls.package], check=True, stderr=subprocess.DEVNULL)
            done.touch()
        return cls.version(str(python))

    @classmethod
    def version(cls, python: str) -> str:
        """The version of the package that this Python has."""
        code = f"from importlib.metadata import version; print(version({cls.name.split()[0].lower()!r}))"
        return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


class Nginx(Contestant):
    """The yardstick: `proxy_pass` of one worker, unbuffered."""

    name = "nginx"

    def command(self) -> list[str]:
        (self.folder / "nginx.conf").write_text(self._configuration())
        return [nginx_program(), "-p", str(self.folder), "-c", "nginx.conf", "-e", "stderr"]

    @classmethod
    def version(cls, python: str) -> str:
        words = subprocess.run([nginx_program(), "-v"], check=True, capture_output=True, text=True).stderr
        return words.strip().rpartition("/")[2]

    def _configuration(self) -> str:
        scheme, _, address = self.url.partition("://")
        trusted = f"proxy_ssl_trusted_certificate {self.certificate}; proxy_ssl_verify on; proxy_ssl_name localhost;"
        return nginx_configuration(
            f"""upstream api {{ server {address.replace("localhost", "127.0.0.1")}; keepalive 256; keepalive_requests 1000000000; }}
            server {{ listen 127.0.0.1:{self.port}; location / {{
              proxy_pass {scheme}://api; {trusted if self.certificate else ""} {NGINX_RELAY} }} }}"""
        )


class AiohttpRelay(Contestant):
    """What a few lines on a well-known library cost."""

    name = "aiohttp relay"

    def command(self) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("aiohttp_relay.py")), self.url, str(self.port)]


class Gembill(Contestant):
    """Ours, as `gembill proxy` runs: two durable commits a call, metered, rated, posted to a SQLite ledger."""

    name = "gembill"
    recording = "on: durable before the answer ends, rated, in a ledger"
    store = True

    def command(self) -> list[str]:
        return [sys.executable, "-m", "gembill", "proxy", "--port", str(self.port), "--upstream", self.url]

    def environment(self) -> dict[str, str]:
        return {"GEMBILL_DATA_DIR": str(self.folder / "data"), "XDG_CONFIG_HOME": str(self.folder)}

    def settle(self) -> None:
        """Until health says that no call is under way and all are posted. SystemExit after two minutes."""
        for _ in range(1200):
            with urlopen(f"http://127.0.0.1:{self.port}/_gembill/health", timeout=30) as page:
                health = json.load(page)
            if health["unposted"]["records"] == 0 and health["calls_under_way"] == 0:
                return
            time.sleep(0.1)
        raise SystemExit(f"gembill did not post its backlog: {health}")

    def stored(self) -> Iterator[str]:
        records = self._said("records")["records"]
        return (record["response_id"] for record in records if record["status"] == "complete")

    def count(self) -> int:
        """The calls of its report since ever."""
        return int(self._said("report", "monthly", "--since", "2020-01-01")["total"]["calls"])

    def _said(self, *flags: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "gembill", *flags, "--format", "json"]
        done = subprocess.run(command, check=False, capture_output=True, env={**os.environ, **self.environment()})
        if done.returncode:
            raise SystemExit(f"{' '.join(command[2:])}: {done.stderr.decode()}")
        said: dict[str, Any] = json.loads(done.stdout)
        return said


class LiteLLM(Contestant):
    """Its pass-through of Gemini's API, one worker, no key check, no database."""

    name = "LiteLLM"
    recording = "off: its store is a PostgreSQL of its own"
    path_prefix = "/gemini"
    package = "litellm[proxy]"

    def command(self) -> list[str]:
        (self.folder / "config.yaml").write_text("model_list: []\n")
        return [
            *(self.program("litellm"), "--config", str(self.folder / "config.yaml")),
            *("--host", "127.0.0.1", "--port", str(self.port), "--num_workers", "1"),
        ]

    def environment(self) -> dict[str, str]:
        return {
            "GEMINI_API_BASE": self.url,
            "GEMINI_API_KEY": "bench",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",  # no key check is its best case
            "LITELLM_LOG": "ERROR",
            "LITELLM_TELEMETRY": "False",
        }


class Mitmproxy(Contestant):
    """`mitmdump` as a reverse proxy that writes each exchange to a file of flows."""

    name = "mitmproxy"
    recording = "on: a file of exchanges, not synced"
    store = True
    package = "mitmproxy"

    def command(self) -> list[str]:
        options = ["-q", "--set", f"confdir={self.folder / 'conf'}", "-w", f"+{self.folder / 'flows'}"]
        listen = ["--listen-host", "127.0.0.1", "-p", str(self.port)]
        return [self.program("mitmdump"), "--mode", f"reverse:{self.url}", *listen, *options]

    def stored(self) -> Iterator[str]:
        code = (
            "import sys, json\nfrom mitmproxy.io import FlowReader\n"
            "try:\n for flow in FlowReader(open(sys.argv[1], 'rb')).stream():\n"
            "  if flow.response and flow.response.content: print(json.loads(flow.response.content)['responseId'])\n"
            "except Exception as error: print(error, file=sys.stderr)\n"
        )
        command = [self.program("python"), "-c", code, str(self.folder / "flows")]
        return iter(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


USUAL: tuple[type[Contestant], ...] = (Nginx, AiohttpRelay, Gembill)
OPTIONAL: dict[str, type[Contestant]] = {"litellm": LiteLLM, "mitmproxy": Mitmproxy}

NGINX_RELAY = (
    """proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_request_buffering off;"""
)


def nginx_program() -> str:
    """Where nginx is; on Debian it is not on the path of an ordinary user. SystemExit if it is nowhere."""
    import shutil

    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SystemExit(
            "make bench needs nginx, its yardstick: install it, for example with `apt install nginx-light`"
        )
    return program


def nginx_configuration(http: str) -> str:
    """A configuration of one worker whose files are all in the folder it is started in."""
    folders = "".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""daemon off; worker_processes 1; pid pid; error_log stderr error;
        events {{ worker_connections 4096; }}
        http {{ access_log off; client_max_body_size 0; {folders}
          keepalive_requests 1000000000; keepalive_timeout 1h; {http} }}"""

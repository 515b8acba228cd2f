"""The ground that faults are tried on: an upstream that counts, callers, a proxy to be harmed, and the comparison.

Owns: compiling and starting the C programs of the benchmark and the shim, and the three sets of every run: what the
upstream served, what callers had in full, what the ledger has. Not here: faults. Invariant: everything is on loopback
and below one folder, and nothing is left running.
"""

import collections
import contextlib
import http.client
import json
import os
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gembill.ledger import Selection, audit_ledger, open_ledger, read_records
from gembill.model import Status
from tests.bench import answers
from tests.bench.processes import free_port
from tests.bench.stage import HERE, compiler
from tests.e2e.child import Child

LENGTH = len(answers.answer())


@dataclass
class Ground:
    """An upstream on a port, and where things are. `had` has the ids of all answers that callers had in full."""

    folder: Path
    port: int
    had: set[str] = field(default_factory=set)
    errors: int = 0
    _asked: int = 0

    @property
    def url(self) -> str:
        """The upstream's address."""
        return f"http://127.0.0.1:{self.port}"

    def served(self) -> int:
        """How many calls the upstream has answered; it numbers them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", answers.GENERATE, b"{}", {"content-type": "application/json"})
        number = int(json.loads(connection.getresponse().read())["responseId"])
        connection.close()
        self._asked += 1
        return number - self._asked

    def wait_served(self, count: int) -> None:
        """Until so many more calls were answered."""
        until, goal = time.monotonic() + 60, self.served() + count
        while self.served() < goal:
            assert time.monotonic() < until, "nobody is answered"
            time.sleep(0.02)

    def proxy(self, name: str, ledger_url: str | None = None, **environment: str) -> Child:
        """A proxy with a data folder of its own under this name, the same one each time."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        child = Child(folder, self.url, ledger_url or f"sqlite:///{folder}/data/ledger.db")
        child._environment |= {"GEMBILL_SPOOL_MIN_FREE_BYTES": "1", **environment}
        return child

    @contextlib.contextmanager
    def load(self, child: Child, seconds: float, connections: int = 32, rate: int = 0) -> Iterator["Load"]:
        """Callers for so long, or until the block ends and they have noticed; what they had is added to `had`."""
        ids = self.folder / f"ids-{time.monotonic_ns()}"
        command = [str(self.folder / "load"), str(child.port), answers.GENERATE, str(self.folder / "request")]
        command += [str(each) for each in (LENGTH, connections, seconds, rate, ids)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        load = Load(process)
        try:
            yield load
        finally:
            text, _ = process.communicate(timeout=seconds + 60)
            load.result = json.loads(text)
            load.ids = set(ids.read_text().split())
            ids.unlink()
            self.had |= load.ids
            self.errors += load.result["errors"]


@dataclass
class Load:
    """Callers: what they say at their end, times in microseconds, and the ids of what they had in full."""

    process: subprocess.Popen[str]
    result: dict[str, Any] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)


@contextlib.contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Compile and start what is needed; RuntimeError without a C compiler."""
    program = compiler()
    if program is None:
        raise RuntimeError("the fault suite needs a C compiler (cc, gcc or clang)")
    for name in ("upstream", "load"):
        subprocess.run([program, "-O2", "-o", folder / name, HERE / f"{name}.c"], check=True)
    shim = ["-shared", "-fPIC", "-O2", "-o", folder / "shim.so", Path(__file__).with_name("shim.c"), "-ldl"]
    subprocess.run([program, *shim], check=True)
    for name, content in (("answer", answers.answer()), ("events", answers.events()), ("request", answers.request())):
        (folder / name).write_bytes(content)
    port = free_port()
    command = [str(folder / "upstream"), str(port), str(folder / "answer"), str(folder / "events")]
    leader = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _wait_listening(port)
        yield Ground(folder, port)
    finally:
        leader.kill()
        leader.wait()


def _wait_listening(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return


def preload(folder: Path, **names: str) -> dict[str, str]:
    """The environment of a program that the shim lies to."""
    return {"LD_PRELOAD": str(folder / "shim.so"), **{f"SHIM_{name.upper()}": value for name, value in names.items()}}


def set_clock(file: Path, seconds: int) -> None:
    """By how much the shim's wall clock is wrong from now on."""
    with file.open("r+b" if file.exists() else "w+b") as handle:
        handle.write(struct.pack("=q", seconds))


def health(child: Child) -> dict[str, Any]:
    """What the proxy says of itself."""
    said: dict[str, Any] = json.loads(child.health())
    return said


def wait_until(condition: Callable[[], object]) -> None:
    """Until it is so; AssertionError after a minute."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def settle(child: Child, seconds: float = 120.0) -> dict[str, Any]:
    """Wait until everything recorded is posted; what health says then. AssertionError if it is not in that time."""
    until = time.monotonic() + seconds
    while True:
        said = health(child)
        if said["unposted"]["records"] == 0 and said["calls_under_way"] == 0:
            return said
        assert time.monotonic() < until, said
        time.sleep(0.05)


@dataclass(frozen=True)
class Balance:
    """The three sets compared. `lost_ids` were had and are not recorded, `doubled` are recorded more than once, `missing`
    is how many more calls were served than there are records, `differences` is what `gembill audit` says."""

    had: int
    records: int
    unknown: int
    lost_ids: frozenset[str]
    doubled: int
    missing: int
    differences: list[str]

    @property
    def lost(self) -> int:
        """How many callers had and the ledger has not."""
        return len(self.lost_ids)

    @property
    def held(self) -> bool:
        """Whether nothing differs."""
        return not (self.lost or self.doubled or self.missing or self.differences)

    def __str__(self) -> str:
        words = f"{self.had:,} answered in full, {self.lost} lost, {self.doubled} doubled"
        words += (
            f", {self.records:,} records ({self.unknown} unknown), {len(self.differences)} differences in the audit"
        )
        return words + (f", {self.missing} calls served without a record" if self.missing else "")


def compare(ledger_url: str, had: set[str], served: int) -> Balance:
    """Hold what callers had and what the upstream served against the ledger."""
    ledger = open_ledger(ledger_url)
    seen: collections.Counter[str] = collections.Counter()
    records = unknown = 0
    for stored in read_records(ledger, Selection()):
        records += 1
        unknown += stored.record.status is Status.UNKNOWN
        if stored.record.response_id:
            seen[stored.record.response_id] += 1
    differences = audit_ledger(ledger)
    ledger.close()
    return Balance(
        had=len(had),
        records=records,
        unknown=unknown,
        lost_ids=frozenset(had - seen.keys()),
        doubled=sum(count - 1 for count in seen.values()),
        missing=max(0, served - records),
        differences=differences,
    )


def stop(child: Child, number: signal.Signals = signal.SIGTERM, seconds: float = 60.0) -> float:
    """Signal the proxy and wait for its end; how many seconds it took."""
    began = time.monotonic()
    child.process.send_signal(number)
    child.process.wait(seconds)
    return time.monotonic() - began


def resident_kib(pid: int) -> int:
    """Memory of a process that is in RAM."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


def descriptors(pid: int) -> int:
    """Open files of a process."""
    return len(os.listdir(f"/proc/{pid}/fd"))

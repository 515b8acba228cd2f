"""What the kernel knows of the benchmark's processes: CPU and memory of a tree, and how to end it.

Owns: reading /proc. Invariant: CPU counts every thread and every child, also those that have ended and were waited for;
a process that ended between two looks is never an error.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
LOAD_CORE, CONTESTANT_CORE = 0, 1


def can_pin() -> bool:
    """Whether there is a second core, and `taskset` to choose one."""
    return (os.cpu_count() or 1) > 1 and shutil.which("taskset") is not None


def go_first(pid: int | str = "self", nice: int = -19) -> None:
    """With BENCH_FIRST, let the kernel run this session before others (sched(7), autogroup), where we may ask for it."""
    if os.environ.get("BENCH_FIRST"):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """The command bound to a core, where that can be done."""
    return ["taskset", "-c", str(core), *command] if can_pin() else list(command)


def start(core: int, command: Sequence[str], port: int, log: Path, environment: Mapping[str, str]) -> int:
    """Start a program in a session of its own and wait until it listens; its process id. SystemExit if it does not."""
    with log.open("ab") as stream:
        child = subprocess.Popen(
            pinned(core, command),
            stdout=stream,
            stderr=stream,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    go_first(child.pid)
    for _ in range(1200):
        if child.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return child.pid
        time.sleep(0.05)
    raise SystemExit(f"{' '.join(command[:4])} does not listen:\n{log.read_text('utf-8', 'replace')[-2000:]}")


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def tree(leader: int) -> list[int]:
    """The process, its descendants, and what else is in the session it began."""
    parents: dict[int, tuple[int, int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            parents[int(folder.name)] = (int(fields[1]), int(fields[3]))
    members = {leader} | {pid for pid, (_, session) in parents.items() if session == leader}
    while more := {pid for pid, (parent, _) in parents.items() if parent in members} - members:
        members |= more
    return sorted(members)


def cpu_us(pids: Sequence[int]) -> float:
    """CPU microseconds of these processes and of their children that have ended."""
    return sum(_own_us(pid) + _ended_children_us(pid) for pid in pids)


def pss_mib(pids: Sequence[int]) -> float:
    """Memory in MiB, where what several processes share is divided among them."""
    return sum(_pss_kib(pid) for pid in pids) / 1024


def kill(leader: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal the whole tree (SIGTERM: the leader alone, which stops the others) and wait until all of it is gone."""
    pids = tree(leader)
    for pid in pids if number == signal.SIGKILL else [leader]:
        _signal(pid, number)
    deadline = time.monotonic() + 20
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            for pid in pids:
                _signal(pid, signal.SIGKILL)
        time.sleep(0.01)
    _reap(leader)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it ended by itself


def _reap(leader: int) -> None:
    try:
        os.waitpid(leader, 0)
    except ChildProcessError:
        pass


def _alive(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] not in ("Z", "X")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (proc_pid_stat(5)); none for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _own_us(pid: int) -> float:
    """The kernel's CPU clock of a process, all threads, to the nanosecond: its number is that of clock_getcpuclockid(3)."""
    try:
        return time.clock_gettime((~pid << 3) | 2) * 1e6
    except OSError:
        return 0.0


def _ended_children_us(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[13]) + int(fields[14])) / _TICK * 1e6 if fields else 0.0


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)

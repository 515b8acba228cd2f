"""R2, R6 to R9, R12: disks that lose power, fail, are full, and ledgers that are locked, read for long or put back."""

import contextlib
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from gembill.ledger.write_ahead import LONGEST
from tests.e2e.child import Child
from tests.faults.figures import Figure, Plan, scenario
from tests.faults.ground import Balance, Ground, compare, health, preload, settle, wait_until

WAL = "ledger.db-wal"


@scenario("R2", rounds=10)
def cut_the_power(ground: Ground, plan: Plan) -> Figure:
    """Only what was synced is left after each cut; and the same without syncs, which must lose."""
    synced = _cuts(ground, plan, "r2")
    rounds = max(1, plan.rounds // 3)
    spool = _cuts(ground, Plan(plan.dice, rounds, plan.seconds), "r2-spool", deaf=".seg")
    ledger = _cuts(ground, Plan(plan.dice, rounds, plan.seconds), "r2-ledger", deaf=WAL)
    text = f"{plan.rounds} cuts: {synced}. Controls: with a spool that is not synced {spool.lost:,} of {spool.had:,} "
    text += (
        f"lost; with the ledger at synchronous=NORMAL, its cursor being written back, {ledger.lost:,} of {ledger.had:,}"
    )
    return Figure(text, synced.held and spool.lost > 0 and ledger.lost > 0)


def _cuts(ground: Ground, plan: Plan, name: str, deaf: str | None = None) -> Balance:
    """Callers, a power cut, and a start on what is left, again and again. Every second time the posting cursor, which
    is not synced, was written back all the same; with a deaf ledger always."""
    had, before = ground.had, ground.served()
    ground.had = set()
    folder = ground.folder / name
    shadow, data = folder / "shadow", folder / "data"
    shadow.mkdir(parents=True)
    lies = preload(ground.folder, root=str(data), shadow=str(shadow), **({"deaf": deaf} if deaf else {}))
    child = ground.proxy(name, **lies)
    for number in range(plan.rounds):
        with child.running():
            if deaf == WAL:
                with ground.load(child, plan.seconds + 1, rate=100):  # so few that no checkpoint saves them
                    pass
                settle(child)  # so that the ledger has something to lose
                child.kill(proxy=True, posting=True)
            else:
                with ground.load(child, plan.seconds + 60):  # it ends soon after the proxy
                    time.sleep(plan.pause())
                    ground.wait_served(50)
                    child.kill(proxy=True, posting=True)
        lose_what_was_not_synced(data, shadow, cursor=bool(deaf) or number % 2 == 1)
    plain = ground.proxy(name)
    with plain.running():
        settle(plain)
    balance = compare(f"sqlite:///{data}/ledger.db", ground.had, 0 if deaf else ground.served() - before)
    ground.had = had
    return balance


def lose_what_was_not_synced(data: Path, shadow: Path, *, cursor: bool) -> None:
    """Put the copies of the shadow where the files were; `cursor` keeps the posting cursors as they are.

    Directories stay as they are, since a new one would be a copy of a spool and not the spool itself; so do the
    files `lock`, whose content says which directory it is.
    """
    spared = {"lock", "posted"} if cursor else {"lock"}
    for path in [each for each in data.rglob("*") if each.is_file() and each.name not in spared]:
        path.unlink()
    for copy in shadow.iterdir():
        target = Path(copy.name.replace("%", "/"))
        if ".part" not in copy.name and target.name not in spared:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copy, target)
            target.chmod(0o600)


@scenario("R7", rounds=8)
def fail_a_sync(ground: Ground, plan: Plan) -> Figure:
    """Syncs of the spool fail with EIO. In turn: it is over before the proxy is killed, or killed while it lasts.

    Calls that were with the API then are answered all the same (`late_records`); killed in that moment, they are
    `unknown` by their intent, and that is counted apart.
    """
    fault = ground.folder / "eio"
    child = ground.proxy("r7", **preload(ground.folder, root=str(ground.folder / "r7"), eio=str(fault)))
    alarms, during = 0, set()
    for number in range(plan.rounds):
        with child.running(), ground.load(child, 3 * plan.seconds + 2) as load:
            time.sleep(plan.pause())
            fault.touch()
            time.sleep(0.1 if number % 4 < 2 else plan.pause())
            alarms += health(child)["last_error"] is not None
            over = number % 2 == 0
            if over:
                fault.unlink()
                wait_until(lambda: health(child)["recording"])
                time.sleep(plan.pause() / 2)
            child.kill(proxy=True, posting=True)
            fault.unlink(missing_ok=True)
        during |= set() if over else load.ids
    with child.running():
        settle(child)
    balance = compare(_ledger(ground, "r7"), ground.had, ground.served())
    unknown = balance.lost_ids & during
    text = f"{plan.rounds} times EIO from fdatasync, an alarm in health each time ({alarms}): "
    text += (
        f"{str(balance).replace(f'{balance.lost} lost', f'{balance.lost - len(unknown)} lost', 1)}; of calls answered "
    )
    text += f"while it failed and killed in that moment {len(unknown)} are `unknown`"
    held = balance.lost_ids <= during and len(unknown) <= balance.unknown and not balance.missing
    return Figure(text, held and not balance.doubled and not balance.differences and alarms == plan.rounds)


@scenario("R8", rounds=1)
def lock_the_ledger(ground: Ground, plan: Plan) -> Figure:
    """Another process holds the write lock of the SQLite ledger, for 5 s and then for 60 s."""
    child = ground.proxy("r8")
    seconds = (5, 60) if plan.seconds >= 1 else (1,)
    with child.running(), ground.load(child, sum(seconds) + 6, rate=200):
        time.sleep(1)
        waiting = [_locked(child, ground.folder / "r8" / "data" / "ledger.db", each) for each in seconds]
        time.sleep(1)
        settle(child)
    balance = compare(_ledger(ground, "r8"), ground.had, ground.served())
    text = (
        f"locked for {' and '.join(map(str, seconds))} s at 200 calls/s: {balance}, {ground.errors} errors at callers"
    )
    return Figure(f"{text}; {max(waiting):,} waited in the spool", balance.held and not ground.errors)


def _locked(child: Child, ledger: Path, seconds: float) -> int:
    """Hold the write lock; how many records waited at its end."""
    with contextlib.closing(sqlite3.connect(ledger, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        waiting: int = health(child)["unposted"]["records"]
        connection.execute("ROLLBACK")
    return waiting


@scenario("R9", rounds=1)
def read_for_long(ground: Ground, plan: Plan) -> Figure:
    """Exports of our own under load, one after the other; then a foreign reader that never ends its transaction."""
    child = ground.proxy("r9")
    ledger = ground.folder / "r9" / "data" / "ledger.db"
    with child.running():
        with ground.load(child, 4 * plan.seconds):
            time.sleep(0.5)
            with _exporting(child) as exports, _largest(ledger) as ours:
                time.sleep(3 * plan.seconds)
        settle(child)
        before = len(ground.had)
        with contextlib.closing(sqlite3.connect(ledger, isolation_level=None)) as reader, _largest(ledger) as foreign:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM event").fetchone()
            with ground.load(child, 4 * plan.seconds):
                pass
            shown = settle(child)["ledger_wal_bytes"] or 0
            calls = len(ground.had) - before
            reader.execute("ROLLBACK")
        with ground.load(child, plan.seconds):
            pass
        settle(child)
    balance = compare(_ledger(ground, "r9"), ground.had, ground.served())
    text = (
        f"{len(exports)} exports under load: the WAL grew to {ours[0] / 1e6:.1f} MB; with a foreign reader that never "
    )
    text += f"ends to {foreign[0] / 1e6:.1f} MB for {calls:,} calls, and posting went on; health says "
    text += f"{shown / 1e6:.1f} MB, and at {LONGEST >> 20} MiB posting would wait for its end; {balance}"
    return Figure(text, balance.held and ours[0] < 64e6 and bool(exports) and shown > 0)


@contextlib.contextmanager
def _exporting(child: Child) -> Iterator[list[int]]:
    """`gembill export` again and again; gives the sizes of what was written."""
    sizes: list[int] = []
    ended = threading.Event()
    command = [*child._command[:3], "export", "--format", "jsonl", "--database-url", child._command[-1]]

    def run() -> None:
        while not ended.is_set():
            done = subprocess.run(command, env=child._environment, capture_output=True, check=True)
            sizes.append(len(done.stdout))

    thread = threading.Thread(target=run)
    thread.start()
    yield sizes
    ended.set()
    thread.join()


@contextlib.contextmanager
def _largest(ledger: Path) -> Iterator[list[int]]:
    """The largest size of the ledger's WAL, looked at fifty times a second."""
    largest, ended = [0], threading.Event()
    wal = ledger.with_name(ledger.name + "-wal")

    def look() -> None:
        while not ended.wait(0.02):
            with contextlib.suppress(FileNotFoundError):
                largest[0] = max(largest[0], wal.stat().st_size)

    thread = threading.Thread(target=look)
    thread.start()
    yield largest
    ended.set()
    thread.join()


def _ledger(ground: Ground, name: str) -> str:
    return f"sqlite:///{ground.folder}/{name}/data/ledger.db"

"""R27: a day's faults at once, compressed: kills, power cuts, failing syncs, a crashing database, a clock that is set.

Power is cut from the spools; that of a SQLite ledger is R2. Two proxies, one on each engine, under load all the time. Memory and descriptors are looked at in the second half of the
run, in moments without a fault, after each proxy was warm: what grows there is a leak.
"""

import os
import time
from dataclasses import dataclass, field

from tests.e2e.child import Child
from tests.faults.disks import lose_what_was_not_synced
from tests.faults.figures import Figure, Plan, scenario
from tests.faults.ground import (
    Ground,
    compare,
    descriptors,
    health,
    preload,
    resident_kib,
    set_clock,
    settle,
    wait_until,
)
from tests.postgres import Server, database

CALLS = int(os.environ.get("FAULTS_CALLS", "1000000"))
FAULTS = ("kill", "kill posting", "power cut", "eio", "clock", "stop", "database", "nothing")
QUIET_CALLS = 0.25  # share of the calls without a fault at the end, for memory and descriptors


@dataclass
class Soak:
    """What has been done so far."""

    ground: Ground
    plan: Plan
    faults: dict[str, int] = field(default_factory=dict)
    wrong: int = 0  # seconds by which the clock is wrong

    def child(self, name: str, url: str | None) -> Child:
        """A proxy that the shim lies to."""
        folder = self.ground.folder / name
        (folder / "shadow").mkdir(parents=True, exist_ok=True)
        lies = preload(
            self.ground.folder,
            root=str(folder / "data" / "spool"),
            shadow=str(folder / "shadow"),
            eio=str(folder / "eio"),
            clock=str(self.ground.folder / "clock"),
        )
        return self.ground.proxy(name, url, **lies)

    def round(self, name: str, child: Child, server: Server | None) -> None:
        """Load, and one fault at a random moment of it."""
        fault = self.plan.dice.choice(FAULTS if server else FAULTS[:-2])
        self.faults[fault] = self.faults.get(fault, 0) + 1
        folder = self.ground.folder / name
        with child.running(), self.ground.load(child, 4 * self.plan.seconds):
            time.sleep(self.plan.pause())
            self._strike(fault, child, folder, server)
        if fault == "power cut":
            lose_what_was_not_synced(folder / "data" / "spool", folder / "shadow", cursor=self.plan.dice.random() < 0.5)

    def _strike(self, fault: str, child: Child, folder, server: Server | None) -> None:
        if fault == "eio":
            (folder / "eio").touch()
            time.sleep(self.plan.pause() / 2)
            (folder / "eio").unlink()
            wait_until(lambda: health(child)["recording"])
        elif fault == "clock":
            self.wrong = self.plan.dice.choice((0, -3_600, 86_400, 1))
            set_clock(self.ground.folder / "clock", self.wrong)
        elif fault == "database" and server:
            server.crash()
            time.sleep(self.plan.pause() / 2)
            server.start()
        elif fault in ("kill", "kill posting", "power cut"):
            child.kill(proxy=fault != "kill posting", posting=fault != "kill")
        elif fault == "stop":
            child.process.terminate()


@scenario("R27", rounds=1)
def a_day_of_everything(ground: Ground, plan: Plan) -> Figure:
    """Rounds until so many calls were answered; then a quiet stretch, in which nothing may grow."""
    set_clock(ground.folder / "clock", 0)
    began = time.monotonic()
    with database() as server:
        soak = Soak(ground, plan)
        proxies = [
            ("r27-file", soak.child("r27-file", None), None),
            ("r27-server", soak.child("r27-server", server.url), server),
        ]
        while len(ground.had) < CALLS * (1 - QUIET_CALLS):
            for each in proxies:
                soak.round(*each)
        name, child, _ = proxies[0]
        with child.running():
            settle(child, 600)
        grown = _quiet(ground, ground.proxy(name), int(CALLS * QUIET_CALLS))
        with proxies[1][1].running():
            settle(proxies[1][1], 600)
        urls = [f"sqlite:///{ground.folder}/{name}/data/ledger.db", server.url]
        served = ground.served()
        balances = [compare(url, ground.had, 0) for url in urls]
    lost = len(balances[0].lost_ids & balances[1].lost_ids)
    records = sum(each.records for each in balances)
    differences = sum(len(each.differences) for each in balances)
    doubled = sum(each.doubled for each in balances)
    minutes = (time.monotonic() - began) / 60
    faults = ", ".join(f"{count} {fault}" for fault, count in sorted(soak.faults.items()))
    text = f"{len(ground.had):,} calls answered in full in {minutes:.0f} min on both engines ({faults}): {lost} lost, "
    text += (
        f"{doubled} doubled, {records:,} records for {served:,} calls served, {differences} differences in the audit; "
    )
    text += f"in the last {QUIET_CALLS:.0%} of the calls memory {grown[0]:+.1f} MiB, descriptors {grown[1]:+d}"
    held = not (lost or doubled or differences) and records >= served and grown[0] < 16 and grown[1] <= 2
    return Figure(text, held)


def _quiet(ground: Ground, child: Child, calls: int) -> tuple[float, int]:
    """Calls without a fault: by how much memory (MiB) and descriptors of both processes grew after the first half."""
    looks: list[tuple[int, int]] = []
    with child.running():
        before = len(ground.had)
        for half in (1, 2):
            while len(ground.had) - before < calls * half / 2:
                with ground.load(child, 5.0):
                    pass
            settle(child, 600)
            time.sleep(1.0)
            pids = [child.process.pid, *child.posting_pids()]
            looks.append((sum(map(resident_kib, pids)), sum(map(descriptors, pids))))
    return (looks[1][0] - looks[0][0]) / 1024, looks[1][1] - looks[0][1]

"""R12, R17, R26: a ledger or a spool that is a copy of an older one, and a clock that is set."""

import shutil
import subprocess
import time

from gembill.ledger import Selection, open_ledger, read_records
from tests.e2e.child import Child
from tests.faults.figures import Figure, Plan, scenario
from tests.faults.ground import Ground, compare, health, preload, set_clock, settle, stop, wait_until

JUMPS = (-3_600, 86_400, 1, -86_400, 3_600)  # an hour back, a day on, a leap second, and home again


@scenario("R12", rounds=3)
def put_an_old_ledger_back(ground: Ground, plan: Plan) -> Figure:
    """The ledger falls back to an older state, and at last is gone; `gembill replay` fills it again."""
    data = ground.folder / "r12" / "data"
    url = f"sqlite:///{data}/ledger.db"
    child, gone, exact = ground.proxy("r12"), 0, True
    for number in range(plan.rounds):
        with child.running():
            with ground.load(child, plan.seconds):
                pass
            settle(child)
        backup = (data / "ledger.db").read_bytes() if number < plan.rounds - 1 else None
        before = len(ground.had)
        with child.running():
            with ground.load(child, plan.seconds):
                pass
            settle(child)
        month, gone = _month(child), gone + len(ground.had) - before
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (data / name).unlink(missing_ok=True)
        if backup is not None:
            (data / "ledger.db").write_bytes(backup)
        _said(child, "replay")
        exact = exact and _month(child) == month
    balance = compare(url, ground.had, ground.served())
    text = (
        f"{plan.rounds - 1} times an old copy put back and once the ledger removed, {gone:,} records newer than that: "
    )
    text += f"after `gembill replay` {balance}; the month's report is {'the same to the digit' if exact else 'ANOTHER'}"
    return Figure(text, balance.held and exact)


def _said(child: Child, *words: str) -> str:
    """What a command of the same installation says."""
    command = [*child._command[:3], *words, "--database-url", child._command[-1]]
    return subprocess.run(command, env=child._environment, capture_output=True, text=True, check=True).stdout


def _month(child: Child) -> str:
    """The report by month, exact."""
    return _said(child, "report", "monthly", "--since", "2020-01-01", "--format", "json", "--by", "model")


@scenario("R17", rounds=2)
def set_the_clock(ground: Ground, plan: Plan) -> Figure:
    """The wall clock is set under load, and once more between two starts."""
    clock = ground.folder / "clock"
    set_clock(clock, 0)
    child = ground.proxy("r17", **preload(ground.folder, clock=str(clock)))
    alarms, wrong = 0, 0
    jumps = JUMPS if plan.seconds >= 1 else JUMPS[1:3]
    for _ in range(plan.rounds):
        with child.running():
            for number, jump in enumerate(jumps):
                with ground.load(child, 2 * plan.seconds):
                    time.sleep(plan.seconds)
                    wrong += jump
                    set_clock(clock, wrong)
                wanted = sum(abs(each) > 300 for each in jumps[: number + 1])
                wait_until(lambda wanted=wanted: health(child)["clock_jumps"]["count"] >= wanted)
            settle(child)
            alarms += health(child)["clock_jumps"]["count"]
        wrong -= 7_200
        set_clock(clock, wrong)
    url = f"sqlite:///{ground.folder}/r17/data/ledger.db"
    balance = compare(url, ground.had, ground.served())
    ledger = open_ledger(url)
    spans = [(each.record.occurred_us, each.record.ended_us) for each in read_records(ledger, Selection())]
    ledger.close()
    backward = sum(end is not None and end < begin for begin, end in spans)
    expected = plan.rounds * sum(abs(jump) > 300 for jump in jumps)
    text = f"{plan.rounds * len(jumps)} jumps (an hour back, a day on, a second, and back): {balance}; {backward} negative durations; "
    return Figure(
        f"{text}{alarms} of {expected} jumps over five minutes alarmed, the second not",
        balance.held and not backward and alarms == expected,
    )


@scenario("R26", rounds=1)
def clone_a_spool(ground: Ground, plan: Plan) -> Figure:
    """Two proxies on one data folder; then a folder cloned, and both copies run on one ledger."""
    url = f"sqlite:///{ground.folder}/r26/data/ledger.db"
    one, other = ground.proxy("r26", url), ground.proxy("r26", url)
    other.log = other.log.with_name("other.log")
    with one.running(), other.running():
        with ground.load(one, plan.seconds), ground.load(other, plan.seconds):
            pass
        settle(one)
        settle(other)
        spools = len(list((ground.folder / "r26" / "data" / "spool").glob("*/lock")))
        stop(other)
    balance = compare(url, ground.had, ground.served())
    (ground.folder / "r26-clone").mkdir()
    shutil.copytree(ground.folder / "r26" / "data" / "spool", ground.folder / "r26-clone" / "data" / "spool")
    clone = ground.proxy("r26-clone", url)
    clone._environment["GEMBILL_DATA_DIR"] = str(ground.folder / "r26-clone" / "data")
    with one.running(), clone.running():
        with ground.load(one, plan.seconds), ground.load(clone, plan.seconds):
            pass
        settle(one)
        said = settle(clone)
    after = compare(url, ground.had, ground.served())
    text = (
        f"two proxies on one folder take {spools} spools: {balance}. A copy of the folder and the original beside each "
    )
    text += f"other on one ledger, each under its own id: {after}, {len(said['stuck_spools'])} stuck spools"
    return Figure(text, balance.held and after.held and spools == 2 and not said["stuck_spools"])

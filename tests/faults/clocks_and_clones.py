"""R12, R17, R26: a ledger or a spool that is a copy of an older one, and a clock that is set."""

import json
import shutil
import time

from gembill.ledger import Selection, open_ledger, read_records
from tests.faults.figures import Figure, Plan, scenario
from tests.faults.ground import Ground, compare, health, preload, set_clock, settle, stop

JUMPS = (-3_600, 86_400, 1, -86_400, 3_600)  # an hour back, a day on, a leap second, and home again


@scenario("R12", rounds=3)
def put_an_old_ledger_back(ground: Ground, plan: Plan) -> Figure:
    """The ledger falls back to an older state; the kept segments are posted again after their cursor was removed."""
    data = ground.folder / "r12" / "data"
    child, gone = ground.proxy("r12"), 0
    for _ in range(plan.rounds):
        with child.running(), ground.load(child, plan.seconds):
            pass
        before = len(ground.had)
        shutil.copyfile(data / "ledger.db", ground.folder / "backup.db")
        with child.running():
            with ground.load(child, plan.seconds):
                pass
            settle(child)
        _forget(data, ground)
        gone += len(ground.had) - before
        with child.running():
            settle(child)
    balance = compare(f"sqlite:///{data}/ledger.db", ground.had, ground.served())
    text = f"{plan.rounds} times an old copy put back, {gone:,} records gone: after posting again {balance}"
    return Figure(f"{text}. By hand (the cursor `posted` of the spool removed)", balance.held)


def _forget(data, ground) -> None:
    """Put the backup back, and let the spool forget what was posted."""
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (data / name).unlink(missing_ok=True)
    shutil.copyfile(ground.folder / "backup.db", data / "ledger.db")
    for cursor in data.rglob("posted"):
        cursor.unlink()


@scenario("R17", rounds=2)
def set_the_clock(ground: Ground, plan: Plan) -> Figure:
    """The wall clock is set under load, and once more between two starts."""
    clock = ground.folder / "clock"
    set_clock(clock, 0)
    child = ground.proxy("r17", **preload(ground.folder, clock=str(clock)))
    alarms, wrong = 0, 0
    for _ in range(plan.rounds):
        with child.running():
            with ground.load(child, (len(JUMPS) + 1) * plan.seconds):
                for jump in JUMPS:
                    time.sleep(plan.seconds)
                    wrong += jump
                    set_clock(clock, wrong)
            time.sleep(2.0)  # the clock is looked at once a second
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
    jumps = plan.rounds * len(JUMPS)
    expected = plan.rounds * sum(abs(jump) > 300 for jump in JUMPS)
    text = f"{jumps} jumps (an hour back, a day on, a second, and back): {balance}; {backward} negative durations; "
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
    with one.running():
        with ground.load(one, plan.seconds):
            pass
        settle(one)
    with clone.running():
        with ground.load(clone, plan.seconds, connections=2) as load:
            pass
        named = _named(clone)
        unposted = health(clone)["unposted"]["records"]
    after = compare(url, ground.had - load.ids, 0)
    text = f"two proxies on one folder take {spools} spools: {balance}. The clone is named ({named or 'not named'}), "
    text += f"its {unposted:,} calls wait in its spool, those of the original are all there: {after.lost} lost, "
    text += f"{after.doubled} doubled, {len(after.differences)} differences in the audit"
    held = balance.held and after.held and spools == 2 and bool(named) and unposted == len(load.ids)
    return Figure(text, held)


def _named(child) -> str:
    """What health says of the clone, shortened."""
    until = time.monotonic() + 30
    while not (stuck := health(child)["stuck_spools"]):
        if time.monotonic() > until:
            return ""
        time.sleep(0.1)
    return json.dumps(stuck[0]["reason"])[1:60] + "..."

"""R1, R3, R4, R24: processes that die, of the proxy, of posting, of the database."""

import time

from tests.faults.figures import Figure, Plan, scenario
from tests.faults.ground import Ground, compare, settle, stop
from tests.postgres import database


@scenario("R1", rounds=40)
def kill_the_proxy(ground: Ground, plan: Plan) -> Figure:
    """`kill -9` of the proxy, of its posting process or of both, under 32 callers."""
    slowest = 0.0
    child = ground.proxy("r1")
    for number in range(plan.rounds):
        began = time.monotonic()
        with child.running():
            slowest = max(slowest, time.monotonic() - began if number else 0.0)
            with ground.load(child, plan.seconds + 2):
                time.sleep(plan.pause())
                child.kill(proxy=True, posting=plan.dice.random() < 0.5)
    with child.running():
        settle(child)
    balance = compare(_url(ground, "r1"), ground.had, ground.served())
    return Figure(f"{plan.rounds} kills: {balance}; slowest start {slowest:.1f} s", balance.held)


@scenario("R3", rounds=12)
def kill_posting_and_postgresql(ground: Ground, plan: Plan) -> Figure:
    """`kill -9` of posting, and crashes of the PostgreSQL server, while callers go on."""
    with database() as server:
        child = ground.proxy("r3", server.url)
        crashes = kills = 0
        with child.running(), ground.load(child, 2 * plan.rounds * plan.seconds + 2):
            for _ in range(plan.rounds):
                time.sleep(plan.pause())
                if plan.dice.random() < 0.5:
                    server.crash()
                    crashes += 1
                    time.sleep(plan.pause() / 4)
                    server.start()
                else:
                    child.kill(proxy=False, posting=True)
                    kills += 1
        with child.running():
            settle(child)
        balance = compare(server.url, ground.had, ground.served())
    text = f"{kills} kills of posting, {crashes} crashes of PostgreSQL (SIGQUIT): {balance}, {ground.errors} errors"
    return Figure(f"{text} at callers", balance.held and not ground.errors)


@scenario("R4", rounds=24)
def kill_posting_on_sqlite(ground: Ground, plan: Plan) -> Figure:
    """`kill -9` of posting with a SQLite ledger, while callers go on."""
    child = ground.proxy("r4")
    with child.running(), ground.load(child, plan.rounds * plan.seconds + 2):
        for _ in range(plan.rounds):
            time.sleep(plan.pause())
            child.kill(proxy=False, posting=True)
    with child.running():
        settle(child)
    balance = compare(_url(ground, "r4"), ground.had, ground.served())
    text = f"{plan.rounds} kills of posting: {balance}, {ground.errors} errors at callers"
    return Figure(text, balance.held and not ground.errors)


@scenario("R24", rounds=8)
def stop_under_load(ground: Ground, plan: Plan) -> Figure:
    """SIGTERM under load: calls under way end, the process is gone in time."""
    slowest, codes = 0.0, set()
    child = ground.proxy("r24")
    for _ in range(plan.rounds):
        with child.running(), ground.load(child, plan.seconds + 2):
            time.sleep(plan.pause())
            slowest = max(slowest, stop(child))
            codes.add(child.process.returncode)
    with child.running():
        settle(child)
    balance = compare(_url(ground, "r24"), ground.had, ground.served())
    held = balance.held and codes == {0} and slowest < 30 and not balance.unknown
    return Figure(f"{plan.rounds} stops: {balance}; slowest stop {slowest:.1f} s, exit codes {sorted(codes)}", held)


def _url(ground: Ground, name: str) -> str:
    return f"sqlite:///{ground.folder}/{name}/data/ledger.db"

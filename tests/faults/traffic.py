"""R5, R22, S2, S11, S12: a ledger that is away under load, slow clients, hostile targets, guesses, dependencies."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from gembill.capture.caller_token import CallerToken
from gembill.errors import Refusal
from gembill.guesses import Guesses
from tests.e2e.child import Child
from tests.faults.figures import Figure, Plan, scenario
from tests.faults.ground import Ground, compare, health, resident_kib, settle, wait_until
from tests.faults.kills import database

BACKLOG = 60_000  # ten minutes at 100 calls a second


@scenario("R5", rounds=1)
def take_the_ledger_away(ground: Ground, plan: Plan) -> Figure:
    """PostgreSQL stopped: what callers notice at 100 calls a second, and how long a backlog of ten minutes takes."""
    backlog = BACKLOG if plan.seconds >= 1 else 500
    with database() as server:
        child = ground.proxy("r5", server.url)
        with child.running():
            with ground.load(child, 10 * plan.seconds, rate=100) as well:
                pass
            server.stop()
            with ground.load(child, 10 * plan.seconds, rate=100) as away:
                pass
            memory = resident_kib(child.process.pid)
            while health(child)["unposted"]["records"] < backlog:
                with ground.load(child, 2 * plan.seconds):
                    pass
            memory = (resident_kib(child.process.pid) - memory) / 1024
            waiting = health(child)["unposted"]["records"]
            server.start()
            began = time.monotonic()
            wait_until(lambda: health(child)["unposted"]["records"] < waiting)
            first = time.monotonic() - began
            settle(child, 300)
            drained = time.monotonic() - began
        balance = compare(server.url, ground.had, ground.served())
    added = (away.result["p99"] - well.result["p99"]) / 1000
    text = f"p99 at 100 calls/s {well.result['p99'] / 1000:.1f} ms with and {away.result['p99'] / 1000:.1f} ms without "
    text += f"a ledger ({added:+.1f}); {waiting:,} records posted in {drained:.0f} s once it was back (the first after "
    text += f"{first:.1f}); memory {memory:+.0f} MiB meanwhile; {balance}, {ground.errors} errors at callers"
    held = balance.held and not ground.errors and added < 20 and drained < 60 and memory < 64
    return Figure(text, held)


@scenario("R22", rounds=1)
def slow_clients(ground: Ground, plan: Plan) -> Figure:
    """200 clients that send a byte of a head now and then, beside 20 good ones."""
    child = ground.proxy("r22")
    with child.running():
        alone = _p99(ground, child, plan)
        with _slow(child, 200) as slow:
            beside = _p99(ground, child, plan)
            open_now = sum(_is_open(each) for each in slow)
        settle(child)
    ratio = beside / alone
    text = f"p99 of 20 good clients at 200 calls/s {alone / 1000:.1f} ms alone, {beside / 1000:.1f} ms beside 200 slow "
    return Figure(f"{text}ones ({ratio:.1f} times); of these {200 - open_now} were already given up", ratio < 2)


def _p99(ground: Ground, child: Child, plan: Plan) -> float:
    with ground.load(child, 8 * plan.seconds, connections=20, rate=200) as load:
        pass
    p99: int = load.result["p99"]
    return p99


@contextlib.contextmanager
def _slow(child: Child, count: int) -> Iterator[list[socket.socket]]:
    ended = threading.Event()
    crew = [socket.create_connection(("127.0.0.1", child.port), 30) for _ in range(count)]

    def drip() -> None:
        while not ended.wait(0.5):
            for each in crew:
                with contextlib.suppress(OSError):
                    each.send(b"P", socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    thread = threading.Thread(target=drip)
    thread.start()
    yield crew
    ended.set()
    thread.join()
    for each in crew:
        each.close()


def _is_open(client: socket.socket) -> bool:
    try:
        return client.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


@scenario("S2", rounds=10_000)
def other_hosts(ground: Ground, plan: Plan) -> Figure:
    """Targets and Host fields that name another server, raw on the socket: it must never be called."""
    child, answered = ground.proxy("s2"), 0
    with socket.create_server(("127.0.0.1", 0)) as trap, child.running():
        trap.setblocking(False)
        place = f"127.0.0.1:{trap.getsockname()[1]}"
        for _ in range(plan.rounds):
            answered += _sent(child, *_hostile(plan, place))
        caught = 0
        with contextlib.suppress(BlockingIOError):
            trap.accept()
            caught = 1
        said = health(child)
    served = ground.served()
    text = f"{plan.rounds:,} targets and heads that name another server: it was never called"
    text = text if not caught else f"{plan.rounds:,} targets: another server WAS called"
    return Figure(
        f"{text}; {answered:,} answered, {served:,} of them by the one upstream", not caught and said["ready"]
    )


def _hostile(plan: Plan, place: str) -> tuple[str, list[str]]:
    """A target and head fields made of pieces that have robbed other proxies."""
    dice = plan.dice
    path = "/v1beta/models/gemini-2.5-flash:generateContent"
    pieces = ("//", "\\\\", "/", "@", "%2f%2f", "http://", "https://", "/..", ";", "?", "#", ":", "%00", "%0d%0a", ".")
    mixed = "".join(dice.choice((*pieces, place, path)) for _ in range(dice.randint(1, 6)))
    target = dice.choice((f"http://{place}{path}", f"//{place}{path}", f"{path}?url=http://{place}", mixed, path))
    target = target.replace(" ", "") or "/"
    name = dice.choice(
        ("X-Forwarded-Host", "X-Forwarded-For", "Forwarded", "X-Original-URL", "X-Host", "X-Custom-Host")
    )
    return target, [f"Host: {dice.choice((place, 'localhost', f'localhost@{place}'))}", f"{name}: {place}"]


def _sent(child: Child, target: str, fields: list[str]) -> bool:
    """Send it, and read the beginning of an answer; whether there was one."""
    lines = [
        f"POST {target} HTTP/1.1",
        *fields,
        "Content-Type: application/json",
        "Content-Length: 2",
        "Connection: close",
    ]
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", child.port), 30) as client:
        client.sendall("\r\n".join([*lines, "", "{}"]).encode())
        return client.recv(12).startswith(b"HTTP/1.1")
    return False


@scenario("S11", rounds=1_000_000)
def guess_the_token(ground: Ground, plan: Plan) -> Figure:
    """Guesses at the callers' token from one address, a thousand a second by a clock of ours."""
    now = 0.0
    token = CallerToken(sha256(b"the right one, of 256 bits").digest(), Guesses(lambda: now))
    looked = limited = 0
    for number in range(plan.rounds):
        now = number / 1_000
        try:
            token.check((b"guess %d" % plan.dice.getrandbits(64),), "203.0.113.9")
        except Refusal as refusal:
            looked += refusal.status == 401
            limited += refusal.status == 429
    token.check((b"the right one, of 256 bits",), "203.0.113.10")  # who has it is let in from elsewhere
    text = (
        f"{plan.rounds:,} guesses in {now / 60:.0f} minutes from one address: {looked} were looked at, {limited:,} got "
    )
    text += "429; a right token from another address passed. Tokens are compared by digest in constant time"
    return Figure(text, looked + limited == plan.rounds and looked <= 10 + now / 6 + 1)


@scenario("S12")
def dependencies(ground: Ground, plan: Plan) -> Figure:
    """Everything is locked by hash, and nothing is older than what mends what is known."""
    text = (Path(__file__).parents[2] / "requirements" / "run.txt").read_text()
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==([\d.]+)", text, re.MULTILINE))
    hashes = text.count("--hash=sha256:")
    old = [name for name, least in LEAST.items() if name in pinned and _parts(pinned[name]) < _parts(least)]
    blocks = re.split(r"\n(?=[a-z0-9._-]+==)", text)
    bare = [block.split("==")[0] for block in blocks if "==" in block and "--hash" not in block]
    from gembill.sqlite import driver

    words = (
        f"{len(pinned)} packages, {hashes} hashes, {len(bare)} without one, {len(old)} older than the least version "
    )
    words += f"that mends a known fault ({', '.join(f'{name} {least}' for name, least in LEAST.items())}); SQLite "
    return Figure(f"{words}{driver.sqlite_version}. No service that knows newer ones was asked", not old and not bare)


LEAST = {"starlette": "1.0.1", "jinja2": "3.1.6", "aiohttp": "3.14.5", "cryptography": "44.0.1", "h11": "0.16.0"}


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))

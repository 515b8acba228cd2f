"""kill -9 under load, of the proxy's process, the posting process or both: what a client had completely is in the
ledger, once; the books balance."""

import collections
import http.client
import json
import random
import threading
import time

import pytest

from gembill.ledger import Selection, audit_ledger, open_ledger, read_records
from tests.e2e.child import Child
from tests.e2e.player import Player, Reply

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
ANSWER = json.dumps(
    {
        "candidates": [{"content": {"parts": [{"text": "x" * 300}]}}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
    }
).encode()
CLIENTS = 8
PROXY, POSTING, BOTH = {"proxy": True}, {"proxy": False, "posting": True}, {"proxy": True, "posting": True}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("victims", [[PROXY] * 10, [POSTING] * 5, [BOTH] * 5], ids=["proxy", "posting", "both"])
def test_kills_under_load_lose_and_double_nothing(ledger_url, tmp_path, victims):
    had: set[str] = set()
    chance = random.Random(7)
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        for number, victim in enumerate(victims):
            with Child(tmp_path, player.url, ledger_url).running() as child:
                had |= under_load(child, number, chance.uniform(0.15, 0.6), victim)
        with Child(tmp_path, player.url, ledger_url).running() as child:
            settle(child)
        served = len(player.requests)
    ledger = open_ledger(ledger_url)
    recorded = collections.Counter(stored.record.labels["case"] for stored in read_records(ledger, Selection()))
    assert len(had) > 100
    assert [case for case in had if recorded[case] != 1] == []
    assert max(recorded.values()) == 1
    assert sum(recorded.values()) >= served
    assert audit_ledger(ledger) == []
    ledger.close()


def under_load(child: Child, number: int, seconds: float, victim: dict[str, bool]) -> set[str]:
    """The calls that were answered whole before the kill, and until a moment after it where the proxy lives on."""
    had: set[str] = set()
    ended = threading.Event()

    def client(k: int) -> None:
        for n in range(100_000):
            if ended.is_set():
                return
            case = f"{number}-{k}-{n}"
            try:
                if child.post(PATH, case) == 200:
                    had.add(case)
            except (OSError, http.client.HTTPException):
                pass  # killed under way: this one was not had

    crew = [threading.Thread(target=client, args=(k,)) for k in range(CLIENTS)]
    for thread in crew:
        thread.start()
    time.sleep(seconds)
    child.kill(**victim)
    if not victim["proxy"]:
        time.sleep(seconds)
    ended.set()
    for thread in crew:
        thread.join()
    return had


def settle(child: Child) -> None:
    """Wait until everything recorded is posted."""
    for _ in range(600):
        health = json.loads(child.health())
        if health["unposted"]["records"] == 0 and health["calls_under_way"] == 0:
            return
        time.sleep(0.05)
    raise AssertionError(health)

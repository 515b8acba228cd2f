"""The ledger's database is stopped under load: no client notices, nothing is lost, the health page says so."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from gembill.ledger import Selection, audit_ledger, open_ledger, read_records
from tests import postgres
from tests.e2e.player import Player, Reply
from tests.postgres import Server

ANSWER = json.dumps({"candidates": [], "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10}}).encode()
OUTAGE_SECONDS = float(os.environ.get("GEMBILL_OUTAGE_SECONDS", "2"))  # a minute is run by hand


@pytest.fixture
def database() -> Iterator[Server]:
    with postgres.database() as server:
        yield server


def test_no_client_notices_an_outage_and_nothing_is_lost(database, recording):
    statuses: list[int] = []
    away, ended = threading.Event(), threading.Event()
    served_meanwhile: set[int] = set()

    def client(proxy, k: int) -> None:
        while not ended.is_set():
            began_meanwhile = away.is_set()
            statuses.append(proxy.post()[0])
            if began_meanwhile and away.is_set():
                served_meanwhile.add(k)
            time.sleep(0.01)

    with (
        Player(answer=lambda _: Reply([ANSWER])).serving() as player,
        (proxy := recording(player.url, database_url=database.url)).running(),
    ):
        crew = [threading.Thread(target=client, args=(proxy, k)) for k in range(4)]
        for thread in crew:
            thread.start()
        time.sleep(1.0)
        database.stop()
        away.set()
        time.sleep(OUTAGE_SECONDS)
        wait_until(lambda: not proxy.health()["ledger_available"])
        wait_until(lambda: len(served_meanwhile) == len(crew))  # no call waits for the database
        health = proxy.health()
        away.clear()
        database.start()
        time.sleep(1.0)
        ended.set()
        for thread in crew:
            thread.join()
        wait_until(lambda: proxy.health()["unposted"]["records"] == 0)
    assert set(statuses) == {200}
    assert health["recording"] is True
    assert health["ledger_available"] is False
    assert health["unposted"]["records"] > 0
    assert health["unposted"]["oldest_age_seconds"] > 1
    assert "ledger" in health["last_error"]
    ledger = open_ledger(database.url)
    assert sum(1 for _ in read_records(ledger, Selection())) == len(statuses)
    assert audit_ledger(ledger) == []
    ledger.close()


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)

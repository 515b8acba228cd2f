"""Stops and restarts under load: what is under way ends as it should, nothing is lost, doubled or left unknown."""

import collections
import contextlib
import http.client
import json
import signal
import socket
import threading
import time

from gembill.ledger import Selection, open_ledger, read_records
from tests.e2e.child import Child
from tests.e2e.player import Player, Reply

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
ANSWER = json.dumps({"candidates": [{"content": {"parts": [{"text": "x" * 300}]}}], "usageMetadata": USAGE}).encode()
CLIENTS = 8


def test_a_stop_under_load_ends_every_call_and_records_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    had: collections.Counter[str] = collections.Counter()
    stopped = threading.Event()

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", child.port, timeout=30)
        for n in range(100_000):
            case = f"{number}-{n}"
            try:
                connection.request("POST", PATH, b'{"contents": []}', {"x-gembill-label-case": case})
                answer = connection.getresponse()
                if answer.status == 200 and answer.read() == ANSWER:
                    had[case] += 1
            except (OSError, http.client.HTTPException):
                assert stopped.is_set(), "before the stop nothing breaks"
                return

    slow = Reply([ANSWER[:200], ANSWER[200:]], pause=0.02)
    with Player(answer=lambda _: slow).serving() as player, (child := Child(tmp_path, player.url, url)).running():
        crew = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in crew:
            thread.start()
        while len(had) < 5 * CLIENTS:
            time.sleep(0.01)
        stopped.set()
        child.process.send_signal(signal.SIGTERM)
        for thread in crew:
            thread.join()
        assert child.process.wait(40) == 0
    ledger = open_ledger(url)
    records = [stored.record for stored in read_records(ledger, Selection())]
    ledger.close()
    assert collections.Counter(record.labels["case"] for record in records) == had, "what was answered is there, once"
    assert {(record.status, record.tokens.total) for record in records} == {("complete", 15)}
    assert len(player.requests) == len(records), "nothing was sent to the API for nobody"


def test_a_second_signal_ends_at_once_and_what_was_under_way_is_recorded(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    chunk = b"data: " + ANSWER + b"\n\n"
    endless = Reply([chunk] * 100_000, pause=0.05, headers=[("content-type", "text/event-stream")])
    with Player(answer=lambda _: endless).serving() as player:
        with (child := Child(tmp_path, player.url, url, GEMBILL_STOP_SECONDS="3600")).running():
            connection = http.client.HTTPConnection("127.0.0.1", child.port, timeout=30)
            connection.request("POST", PATH.replace(":g", ":streamG") + "?alt=sse", b"{}")
            assert connection.getresponse().read(100)
            child.process.send_signal(signal.SIGHUP)
            assert child.health()
            child.process.send_signal(signal.SIGTERM)
            _wait_until_nobody_listens(child.port)
            assert child.process.poll() is None, "it waits for the answer"
            child.process.send_signal(signal.SIGTERM)
            assert child.process.wait(60) == 0
        child = Child(tmp_path, player.url, url)
        with child.running():
            pass
    ledger = open_ledger(url)
    records = [stored.record for stored in read_records(ledger, Selection())]
    ledger.close()
    assert [(record.status, record.tokens.total) for record in records] == [("partial", 15)]
    assert "told to hurry" in child.log.read_text()


def _wait_until_nobody_listens(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 60).close()
        except ConnectionError:
            return
        time.sleep(0.02)
    raise AssertionError("it still listens")


def test_restarts_that_overlap_fail_no_call_and_lose_none(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    had: collections.Counter[str] = collections.Counter()
    failed: list[str] = []
    enough = threading.Event()

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        n = 0
        while not enough.is_set():
            case, n = f"{number}-{n}", n + 1
            try:
                connection.request("POST", PATH, b'{"contents": []}', {"x-gembill-label-case": case})
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                failed.append(repr(error))
                return
            if (answer.status, body) != (200, ANSWER):
                failed.append(f"{answer.status} {body[:200]!r}")
            had[case] += 1
        connection.close()

    slow = Reply([ANSWER[:200], ANSWER[200:]], pause=0.02)
    with Player(answer=lambda _: slow).serving() as player, contextlib.ExitStack() as running:
        running.enter_context((child := Child(tmp_path, player.url, url)).running())
        port = child.port
        crew = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in crew:
            thread.start()
        for _ in range(2):
            before, calls = child, len(had)
            child = Child(tmp_path, player.url, url, "--port", str(port), "--take-over")
            running.enter_context(child.running())
            assert before.process.wait(60) == 0
            end = time.monotonic() + 60
            while len(had) < calls + 5 * CLIENTS and not failed:
                assert time.monotonic() < end
                time.sleep(0.01)
        enough.set()
        for thread in crew:
            thread.join()
        assert failed == []
    ledger = open_ledger(url)
    records = [stored.record for stored in read_records(ledger, Selection())]
    ledger.close()
    assert collections.Counter(record.labels["case"] for record in records) == had
    assert {(record.status, record.tokens.total) for record in records} == {("complete", 15)}
    assert len({record.source_id for record in records}) > 1, "more than one process has served"

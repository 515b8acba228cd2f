"""The service: parts put together, started, stopped and started again on what was left."""

import contextlib
import json
import socket

import pytest

from gembill.alert.watch import Watch
from gembill.alert.webhook import Webhook
from gembill.config import Settings
from gembill.errors import ConfigurationError
from gembill.guesses import GUESSES
from gembill.period import zone
from gembill.posting_progress import PostingProgress
from gembill.posting_thread import PostingThread
from gembill.rules.budgets import Budget, BudgetPeriod
from gembill.service import ProxyService
from gembill.spool import Spool
from tests.e2e.player import Player, Reply
from tests.recording import Recording

PRICED = b'{"modelVersion": "gemini-2.5-flash", "usageMetadata": {"promptTokenCount": 1000, "totalTokenCount": 1000}}'
ANSWER = b'{"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}'


class Nobody:
    """Posts nothing."""

    progress = PostingProgress()

    def begin(self, spool, adopted):
        pass

    def end(self, timeout):
        pass


def test_a_port_in_use_is_one_clear_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="--port"):
        ProxyService(Settings(data_dir=tmp_path, port=taken.getsockname()[1]), Nobody())


@pytest.mark.parametrize("upstream", ["http://h/path", "http://user@h", "http://h?x=1"])
def test_an_upstream_with_more_than_an_origin_is_refused(upstream, tmp_path):
    with pytest.raises(ConfigurationError):
        ProxyService(Settings(data_dir=tmp_path, port=0, upstream=upstream), Nobody())


def test_what_a_killed_process_left_is_finished_at_the_next_start(recording, tmp_path):
    import asyncio

    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        proxy = recording(player.url)
        with proxy.running():
            proxy.post()
        left = Spool.claim(tmp_path / "spool")  # as if killed: an intent without an end
        from gembill.event import Ending, Event
        from gembill.model import Api, Operation

        lost = Event(
            id="0199a0b0-0000-7000-8000-000000000001",
            occurred_us=1,
            api=Api.GEMINI,
            operation=Operation.GENERATE_CONTENT,
            ending=Ending.LOST,
        )
        import msgspec

        asyncio.run(left.intend(lost.id, msgspec.json.encode(lost)))
        left.close(5)
        with proxy.running():
            proxy.post()
    states = sorted((str(s.record.status), s.record.anomalies) for s in proxy.records())
    assert states == [("complete", ()), ("complete", ()), ("unknown", ("recorder_stopped",))]


def test_two_services_on_one_folder_have_a_spool_each(recording, tmp_path):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        first, second = recording(player.url), recording(player.url)
        with first.running(), second.running():
            assert first.post()[0] == second.post()[0] == 200
        assert len(first.records()) == 2
        assert len({s.record.source_id for s in first.records()}) == 2


def test_a_dead_webhook_delays_no_call_and_no_end(tmp_path):
    """The webhook is left without an answer until all is over, and for longer than a test may take."""
    budget = Budget(name="b", limit_pico=0, span=BudgetPeriod.TOTAL, zone=zone("UTC"))
    with (
        socket.create_server(("127.0.0.1", 0)) as dead,
        Player(answer=lambda _: Reply([PRICED])).serving() as api,
        contextlib.ExitStack() as unanswered,
    ):
        proxy = Recording(Settings(data_dir=tmp_path, port=0, upstream=api.url, budget_seconds=1))
        watch = Watch([budget], [Webhook(f"http://127.0.0.1:{dead.getsockname()[1]}", "s", seconds=600)])
        service = ProxyService(proxy.settings, PostingThread(proxy.settings, watch))
        with service.running() as proxy.url:
            assert proxy.post()[0] == 200
            dead.settimeout(60)
            request = unanswered.enter_context(dead.accept()[0])
            assert request.recv(4) == b"POST"
            assert proxy.post()[0] == 200
        dead.setblocking(False)
        with pytest.raises(BlockingIOError):  # nothing else was sent to it
            dead.accept()


def test_callers_from_other_machines_show_the_token_and_it_goes_no_further(recording, monkeypatch):
    monkeypatch.setattr("gembill.capture.caller_token.loopback", lambda _: False)  # we are another machine
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        proxy = recording(player.url, host="0.0.0.0", caller_token="a-token-of-callers")
        with proxy.running():
            status, body = proxy.post()
            assert (status, json.loads(body)["error"]["status"]) == (401, "UNAUTHENTICATED")
            assert proxy.post(headers={"x-gembill-token": "wrong"})[0] == 401
            assert player.requests == []
            assert proxy.post(headers={"X-Gembill-Token": "a-token-of-callers"})[0] == 200
            assert [proxy.get(f"/_gembill/{page}")[0] for page in ("health", "ready", "metrics")] == [200] * 3
            for _ in range(GUESSES):
                status, body = proxy.get("/v1beta/models", {"x-gembill-token": "wrong"})
            assert (status, json.loads(body)["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert [b"a-token-of-callers" in request.head for request in player.requests] == [False]
    assert [record.record.status for record in proxy.records()] == ["complete"]


@pytest.mark.parametrize(("host", "made"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_a_token_is_made_where_other_machines_can_call_and_shown_once(host, made, tmp_path):
    settings = Settings(data_dir=tmp_path, port=0, host=host)
    for expected in (made, False):
        service = ProxyService(settings, Nobody())
        assert (service.made_token is not None) is expected
        with service.running():
            pass
    assert (tmp_path / "caller-token.sha256").exists() is made

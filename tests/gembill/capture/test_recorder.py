"""What is kept of a call: its intent before, its event after, and what is said when neither can be written."""

import asyncio

import msgspec
import pytest

from gembill.capture.attribution import Caller
from gembill.capture.fingerprint import Fingerprint
from gembill.capture.recorder import Recorder, now_us
from gembill.errors import Refusal, SpoolUnwritable
from gembill.event import Ending, Event
from gembill.model import Api, Operation
from gembill.spool import Spool
from gembill.wire.routes import Route, route
from tests.gembill.capture.other_turns import OtherTurns

ROUTE = Route(Api.GEMINI, Operation.GENERATE_CONTENT, "gemini-2.5-flash", streamed=False)
WHO = Caller((b"a-secret-key-of-someone",), {"team": "search"}, labels_cut=False)


@pytest.fixture
def spool(tmp_path):
    opened = Spool.claim(tmp_path)
    yield opened
    opened.close(5)


def recorder(spool: Spool, *, open_on_failure: bool = False, remembered: list | None = None) -> Recorder:
    keep = remembered.append if remembered is not None else lambda _: None
    return Recorder(spool, Fingerprint(b"0" * 16), open_on_failure=open_on_failure, remember=keep)


def events(spool: Spool) -> list[Event]:
    return [msgspec.json.decode(entry.body, type=Event) for entry in spool.read(0, 100)]


def test_a_call_has_an_intent_and_then_an_event_under_the_same_id(spool):
    async def run() -> None:
        keeper = recorder(spool)
        call = await keeper.begin(ROUTE, WHO, [])
        assert spool.backlog().open_intents == 1
        assert events(spool) == []
        call.exchange.answered(200, [])
        call.exchange.received(b'{"usageMetadata": {"promptTokenCount": 3}}')
        await keeper.end(call, Ending.FINISHED, retried=1)
        await keeper.end(call, Ending.CUT)  # a second end changes nothing

    before = now_us()
    asyncio.run(run())
    (event,) = events(spool)
    assert spool.backlog().open_intents == 0
    assert (event.ending, event.http_status, event.retried, event.labels) == (
        Ending.FINISHED,
        200,
        1,
        {"team": "search"},
    )
    assert before <= event.occurred_us <= event.ended_us <= now_us()
    assert event.id[14] == "7"


def test_the_credentials_are_remembered_for_redaction_before_anything_is_written(spool):
    remembered: list = []
    asyncio.run(recorder(spool, remembered=remembered).begin(ROUTE, WHO, []))
    assert remembered == [WHO.credentials]


def unwritable(monkeypatch, spool: Spool, name: str) -> None:
    async def refuse(*_: object) -> None:
        raise SpoolUnwritable("no space left on the disk")

    monkeypatch.setattr(spool, name, refuse)


def test_a_call_that_cannot_be_recorded_is_refused_with_503(spool, monkeypatch):
    unwritable(monkeypatch, spool, "intend")
    keeper = recorder(spool)
    with pytest.raises(Refusal) as refusal:
        asyncio.run(keeper.begin(ROUTE, WHO, []))
    assert (refusal.value.status, refusal.value.reason) == (503, "GEMBILL_CANNOT_RECORD")
    assert keeper.errors.refused == 1
    assert "no space left" in keeper.errors.last_error


def test_with_open_it_is_served_without_a_record_and_counted(spool, monkeypatch, caplog):
    unwritable(monkeypatch, spool, "intend")
    keeper = recorder(spool, open_on_failure=True)
    call = asyncio.run(keeper.begin(ROUTE, WHO, []))
    asyncio.run(keeper.end(call, Ending.FINISHED))
    assert (call, keeper.errors.unrecorded) == (None, 1)
    assert "UNRECORDED" in caplog.text


def test_an_event_that_cannot_be_written_in_time_is_counted_and_delays_nobody(spool, monkeypatch, caplog):
    async def run(keeper: Recorder) -> None:
        call = await keeper.begin(ROUTE, WHO, [])
        unwritable(monkeypatch, spool, "append")
        await keeper.end(call, Ending.FINISHED)

    keeper = recorder(spool)
    asyncio.run(run(keeper))
    assert keeper.errors.late == 1
    assert "durable" in caplog.text


@pytest.mark.parametrize(("forwarded", "ending"), [(True, Ending.CUT), (False, Ending.UNSENT)])
def test_a_cancelled_call_is_recorded_without_waiting_for_a_loop(forwarded, ending, spool):
    keeper = recorder(spool)
    call = asyncio.run(keeper.begin(ROUTE, WHO, []))
    if forwarded:
        call.forwarding()
    keeper.end_at_once(call)
    keeper.end_at_once(None)
    assert spool.wait(60)
    assert [event.ending for event in events(spool)] == [ending]


def test_results_of_a_batch_are_kept_while_they_come_and_others_have_their_turn(spool):
    """A hundred at a time: nothing of those that are written is kept, and whoever waits for the loop gets it between."""
    path = route("GET", "/v1beta/batches/b")
    item = b'{"response": {"usageMetadata": {"promptTokenCount": 3}}}'

    async def run() -> None:
        keeper = recorder(spool)
        call = await keeper.begin(path, WHO, [])
        call.exchange.answered(200, [])
        call.exchange.received(
            b'{"metadata": {"model": "models/m"}, "response": {"inlinedResponses": {"inlinedResponses": ['
        )
        call.exchange.received(b",".join([item] * 1_000))
        async with OtherTurns() as others:
            await keeper.keep_results(call.exchange)
        assert others.count >= 10, "behind every portion"
        assert (spool.last, call.exchange.has_results) == (1_000, False), "on disk before the answer ends"
        call.exchange.received(b"," + item + b"]}}}")
        await keeper.end(call, Ending.FINISHED)

    asyncio.run(run())
    assert spool.last == 1_001
    assert events(spool)[0].asked.model == "models/m"


@pytest.mark.parametrize("turns", [1, 3, 7])
def test_results_of_a_batch_are_kept_once_each_when_their_task_is_cancelled_at_any_time(turns, spool):
    async def run() -> None:
        keeper = recorder(spool)
        call = await keeper.begin(route("GET", "/v1beta/files/f:download"), WHO, [])
        call.exchange.answered(200, [])
        call.exchange.received(b"".join(b'{"key": "%d", "response": {}}\n' % n for n in range(1_000)))
        task = asyncio.create_task(keeper.keep_results(call.exchange))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        keeper.end_at_once(call)

    asyncio.run(run())
    spool.append_wait("behind them", b"{}")
    bodies = [entry.body for entry in spool.read(0, 2_000)][:-1]
    assert len(bodies) == len({msgspec.json.decode(body, type=Event).natural for body in bodies}) == 1_000

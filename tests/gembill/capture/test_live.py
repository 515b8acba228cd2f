"""A session's messages are looked at in slices. Sessions as a whole: tests/e2e/test_live.py."""

import asyncio
import json

import pytest
from websockets.frames import Frame, Opcode

from gembill.capture import slices
from gembill.capture.attribution import Caller
from gembill.capture.fingerprint import Fingerprint
from gembill.capture.live import LiveSession
from gembill.capture.recorder import Call, Recorder
from gembill.event import Ending
from gembill.model import Api, Operation
from gembill.posting import read_event
from gembill.rules.metering import meter
from gembill.spool import Spool
from gembill.wire.routes import Role, Route
from tests.gembill.capture.other_turns import OtherTurns

ROUTE = Route(Api.GEMINI, Operation.LIVE, None, streamed=True, role=Role.CALL)
WHO = Caller((b"a-key",), {}, labels_cut=False)
USAGE = {"promptTokenCount": 3, "responseTokenCount": 4, "totalTokenCount": 7}


@pytest.fixture
def spool(tmp_path):
    opened = Spool.claim(tmp_path)
    yield opened
    opened.close(5)


def frame(document: object, *, mask: bool = False) -> bytes:
    return Frame(Opcode.TEXT, json.dumps(document).encode()).serialize(mask=mask)


def hold(spool: Spool, said: bytes, heard: bytes) -> tuple[list, int]:
    """A session of these bytes: its records, and how often others had their turn while they were read."""

    async def run() -> int:
        recorder = Recorder(spool, Fingerprint(b"0" * 16), open_on_failure=False, remember=lambda _: None)

        async def begin() -> Call:
            return await recorder.begin_another(ROUTE, WHO)

        first = await begin()
        first.exchange.answered(101, [])
        session = LiveSession(first, [], begin, recorder)
        async with OtherTurns() as others:
            await session.sent(said)
            await session.received(heard)
        await session.close(Ending.FINISHED)
        return others.count

    seen = asyncio.run(run())
    return [meter(read_event(entry.body), spool.source_id) for entry in spool.read(0, 100)], seen


def test_others_have_their_turn_behind_every_slice_of_a_long_message(spool, monkeypatch):
    monkeypatch.setattr(slices, "PATIENCE", 0.0)
    long = frame({"realtimeInput": {"audio": {"data": "x" * (1 << 20)}}}, mask=True)
    records, turns = hold(spool, long, frame({"usageMetadata": USAGE}))
    assert [(one.tokens.input, one.tokens.output) for one in records] == [(3, 4)]
    assert turns >= len(long) // slices.PLAIN


def test_a_long_message_is_counted_and_what_was_left_out_of_it_is_said(spool):
    parts = [{"inlineData": {"mimeType": "audio/pcm", "data": "QUJD"}}] * 30_000
    turn = {"serverContent": {"modelTurn": {"parts": parts}}, "usageMetadata": USAGE}
    more = {"serverContent": {"turnComplete": True}, "usageMetadata": USAGE | {"promptTokenCount": 5}}
    records, _ = hold(spool, frame({"clientContent": {}}, mask=True), frame(turn) + frame(more))
    assert [one.tokens.input for one in records] == [3, 5]
    assert ["answer_unread_too_many_parts" in one.anomalies for one in records] == [True, False]

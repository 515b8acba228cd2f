"""Sessions of the Live API, message by message, and on a socket."""

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from gembill.errors import Refusal
from gembill_simulator import Simulator, in_thread
from gembill_simulator.live import Conversation, is_session, refused
from gembill_simulator.names import IdFactory

PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
SETUP = {"setup": {"model": "models/gemini-live-2.5-flash-preview", "tools": [{"codeExecution": {}}]}}
COMPUTE = "Compute the sum of the first 9 primes"


def turn(text: str, **more: Any) -> dict[str, Any]:
    return {"clientContent": {"turns": [{"role": "user", "parts": [{"text": text}]}], **more}}


def hold(*messages: dict[str, Any]) -> tuple[list[list[dict[str, Any]]], list[dict[str, Any]]]:
    """What came back for each message, and the usages that were logged."""
    logged: list[dict[str, Any]] = []
    conversation = Conversation(IdFactory(0), lambda _, usage: logged.append(usage))
    return [[json.loads(one) for one in conversation.said(json.dumps(each).encode())] for each in messages], logged


def test_a_session_begins_with_its_setup_and_counts_each_turn() -> None:
    (began, first, second), logged = hold(SETUP, turn("Good morning"), turn(COMPUTE))
    assert began == [{"setupComplete": {}}]
    usages = [answers[-1]["usageMetadata"] for answers in (first, second)]
    assert usages == logged
    assert all(answers[-1]["serverContent"] == {"turnComplete": True} for answers in (first, second))
    for usage in usages:
        parts = ("promptTokenCount", "responseTokenCount", "toolUsePromptTokenCount", "thoughtsTokenCount")
        assert sum(usage.get(name, 0) for name in parts) == usage["totalTokenCount"]
    assert usages[1]["promptTokenCount"] > usages[0]["promptTokenCount"], "the history is read again"
    assert usages[1]["toolUsePromptTokenCount"] > 0
    kinds = [key for one in second[:-2] for part in one["serverContent"]["modelTurn"]["parts"] for key in part]
    assert "executableCode" in kinds


def test_a_turn_may_come_in_pieces_or_as_realtime_text() -> None:
    (_, waits, whole), _ = hold(SETUP, turn("Good", turnComplete=False), turn("morning"))
    assert waits == []
    assert whole[-1]["serverContent"] == {"turnComplete": True}
    (_, spoken), _ = hold(SETUP, {"realtimeInput": {"text": "Good morning"}})
    assert spoken[-1]["usageMetadata"]["promptTokenCount"] > 0
    (_, nothing), _ = hold(SETUP, {"realtimeInput": {"audioStreamEnd": True}})
    assert nothing == []


def test_what_is_not_a_message_ends_the_session_with_a_short_reason() -> None:
    with pytest.raises(Refusal):
        Conversation(IdFactory(0), lambda *_: None).said(b"no JSON")
    assert len(refused(Refusal(400, "x", "\u00e4" * 200)).encode()) <= 123


@pytest.mark.parametrize(
    ("target", "expected"),
    [(PATH, True), ("/" + PATH + "?key=k", True), ("/ws/other", False), ("/v1beta/models", False)],
)
def test_a_session_has_its_paths(target: str, expected: bool) -> None:
    assert is_session(target) is expected


def test_on_a_socket_a_session_goes_on_until_a_side_ends_it() -> None:
    simulator = Simulator()
    with in_thread(simulator) as running:
        address = running.url.replace("http", "ws") + PATH
        with connect(address, proxy=None) as socket:
            socket.send(json.dumps(SETUP))
            assert json.loads(socket.recv()) == {"setupComplete": {}}
            socket.send(json.dumps(turn("Good morning")))
            answers = [json.loads(socket.recv())]
            while "usageMetadata" not in answers[-1]:
                answers.append(json.loads(socket.recv()))
            socket.send("no JSON")
            with pytest.raises(ConnectionClosedError, match="cannot be read as JSON"):
                socket.recv()
        with pytest.raises(InvalidStatus), connect(running.url.replace("http", "ws") + "/ws/other", proxy=None):
            pass
    (served,) = simulator.served
    assert (served.path, served.usage) == (PATH, answers[-1]["usageMetadata"])

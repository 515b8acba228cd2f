"""The Live API through the proxy: recorded sessions, said again by a real WebSocket client to a real server."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from google import genai
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from gembill.model import Anomaly, Operation, Status
from tests.e2e import corpus, javascript
from tests.e2e.player import Player, Reply

PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=AIzaSyLiveLiveLiveLiveLiveLiveLiveLive"
SETUP = '{"setup": {"model": "models/gemini-live-2.5-flash-preview", "tools": [{"codeExecution": {}}]}}'
ASK = '{"clientContent": {"turns": [{"role": "user", "parts": [{"text": "hello"}]}], "turnComplete": true}}'


def usage(prompt: int, said: int, **more: int) -> str:
    counts = {"promptTokenCount": prompt, "responseTokenCount": said, "totalTokenCount": prompt + said, **more}
    return json.dumps({"serverContent": {"turnComplete": True}, "usageMetadata": counts})


@contextmanager
def api(script: list[tuple[str, str | bytes]], heard: list, *, compression: str | None = "deflate") -> Iterator[str]:
    """A server that keeps to a script of ("send", what the client says) and ("recv", what it gets)."""

    def converse(connection: ServerConnection) -> None:
        for direction, message in script:
            if direction == "send":
                heard.append(connection.recv())
            else:
                connection.send(message)
        try:
            heard.append(connection.recv())
        except ConnectionClosed:
            pass

    with serve(converse, "127.0.0.1", 0, compression=compression) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
    thread.join()


def converse(proxy, script: list[tuple[str, str | bytes]], compression: str | None) -> list[str | bytes]:
    """Keep to the client's side of a script; what was received."""
    received = []
    with connect(proxy.url.replace("http", "ws", 1) + PATH, compression=compression) as connection:
        for direction, message in script:
            if direction == "send":
                connection.send(message)
            else:
                received.append(connection.recv(timeout=60))
    return received


def hold(
    recording, script: list[tuple[str, str | bytes]], compression: str | None = "deflate"
) -> tuple[list, list, list]:
    """A session through the proxy: what the server heard, what the client received, and the records, oldest first."""
    heard: list = []
    with api(script, heard, compression=compression) as upstream, (proxy := recording(upstream)).running():
        received = converse(proxy, script, compression)
    return heard, received, sorted((each.record for each in proxy.records()), key=lambda one: one.id)


def test_the_python_sdk_talks_by_tls_with_the_certificate_of_its_own_making(recording, tmp_path, monkeypatch):
    script: list = [("send", ""), ("recv", b'{"setupComplete": {}}'), ("send", ""), ("recv", usage(15, 31))]
    heard: list = []

    async def talk(url: str) -> list:
        client = genai.Client(api_key="an-ordinary-key", http_options={"base_url": url})
        async with client.aio.live.connect(model="gemini-live-2.5-flash-preview") as session:
            await session.send_client_content(turns={"role": "user", "parts": [{"text": "hello"}]})
            return [message async for message in session.receive()]

    with api(script, heard) as upstream, (proxy := recording(upstream, tls="self")).running():
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls.pem"))
        (message,) = asyncio.run(talk(proxy.url))
    (record,) = [each.record for each in proxy.records()]
    assert message.usage_metadata.total_token_count == record.tokens.total == 15 + 31
    assert "hello" in heard[1]


def test_the_javascript_sdk_talks_without_tls(recording, tmp_path):
    program = """
    import { GoogleGenAI } from "@google/genai";
    const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
    let done;
    const end = new Promise((resolve) => { done = resolve; });
    const session = await client.live.connect({
      model: "gemini-live-2.5-flash-preview",
      callbacks: { onmessage: (m) => { if (m.usageMetadata) { console.log(m.usageMetadata.totalTokenCount); done(); } } },
    });
    session.sendClientContent({ turns: [{ role: "user", parts: [{ text: "hello" }] }] });
    await end;
    session.close();
    """
    script: list = [("send", ""), ("recv", b'{"setupComplete": {}}'), ("send", ""), ("recv", usage(15, 31))]
    with api(script, []) as upstream, (proxy := recording(upstream)).running():
        printed = javascript.run(program, proxy.url, tmp_path)
    (record,) = [each.record for each in proxy.records()]
    assert printed.strip() == str(record.tokens.total) == str(15 + 31)


@corpus.needed
@pytest.mark.parametrize("name", sorted(corpus.cases("live")) if corpus.FOLDER.is_dir() else [])
def test_a_recorded_session_passes_as_it_was_and_its_usages_are_records(name, recording):
    case = corpus.cases("live")[name]
    frames = [(each.get("direction") or "recv", json.dumps(each["data"])) for each in case["chunks"]]
    script = frames if frames[0][0] == "send" else [("send", SETUP), *frames]
    heard, received, records = hold(recording, script)
    assert heard == [message for direction, message in script if direction == "send"]
    assert received == [message for direction, message in script if direction == "recv"]
    counted = [each["data"]["usageMetadata"] for each in case["chunks"] if "usageMetadata" in each["data"]]
    tokens = [
        (one.tokens.input, one.tokens.output, one.tokens.total) for one in records if one.tokens.input is not None
    ]
    assert tokens == [tuple(u[f"{n}TokenCount"] for n in ("prompt", "response", "total")) for u in counted]
    last = max((at for at, message in enumerate(received) if "usageMetadata" in message), default=-1)
    worked = any("modelTurn" in message or "toolCall" in message for message in received[last + 1 :])
    assert len([one for one in records if one.status is Status.UNKNOWN]) == int(worked)
    assert {one.operation for one in records} <= {Operation.LIVE}


@pytest.mark.parametrize("compression", ["deflate", None])
def test_each_usage_is_a_record_and_work_without_one_is_unknown(compression, recording):
    said = '{"serverContent": {"modelTurn": {"parts": [{"text": "hi"}]}}}'
    code = (
        '{"serverContent": {"modelTurn": {"parts": [{"executableCode": {"language": "PYTHON", "code": "print(6*7)"}},'
        ' {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "42"}}]}}}'
    )
    script: list = [
        ("send", SETUP), ("recv", b'{"setupComplete": {}}'),
        ("send", ASK), ("recv", said), ("recv", usage(10, 3)),
        ("send", ASK), ("recv", code), ("recv", usage(20, 5, toolUsePromptTokenCount=7, thoughtsTokenCount=2).encode()),
        ("send", ASK), ("recv", said),
    ]  # fmt: skip
    heard, received, records = hold(recording, script, compression=compression)
    assert received == [message for direction, message in script if direction == "recv"]
    assert heard == [SETUP, ASK, ASK, ASK]
    assert [one.status for one in records] == [Status.COMPLETE, Status.COMPLETE, Status.UNKNOWN]
    assert {one.model for one in records} == {"gemini-live-2.5-flash-preview"}
    first, second, _ = records
    assert (first.tokens.input, first.tokens.output, first.tokens.total) == (10, 3, 10 + 3)
    assert (second.tokens.input, second.tokens.intermediate, second.tokens.output) == (20, 7, 5 + 2)
    assert [run.outcome.value for run in second.executions] == ["ok"]
    assert (first.declared, first.http_status, first.streamed) == (True, 101, True)


def test_a_session_that_only_began_is_no_call(recording):
    heard, _, records = hold(recording, [("send", SETUP), ("recv", '{"setupComplete": {}}')])
    assert (heard, records) == ([SETUP], [])


def test_a_session_that_the_api_refuses_is_an_error_that_cost_nothing(recording):
    answer = b'{"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}}'
    refusing = Player(answer=lambda _: Reply([answer], status=403))
    refused = pytest.raises(InvalidStatus, match="403")
    with refusing.serving() as player, (proxy := recording(player.url)).running(), refused:
        connect(proxy.url.replace("http", "ws", 1) + PATH)
    (record,) = [each.record for each in proxy.records()]
    assert (record.status, record.http_status) == (Status.ERROR, 403)


def test_both_slashes_of_the_javascript_sdk_go_on_as_they_came(recording):
    paths: list = []

    def note(connection: ServerConnection) -> None:
        paths.append(connection.request.path)

    with serve(note, "127.0.0.1", 0) as server:
        Thread(target=server.serve_forever).start()
        upstream = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        with (proxy := recording(upstream)).running(), connect(proxy.url.replace("http", "ws", 1) + "/" + PATH):
            pass
        server.shutdown()
    assert paths == ["/" + PATH]


def test_a_message_that_is_too_long_goes_on_and_the_rest_is_said_to_be_unread(recording, monkeypatch):
    monkeypatch.setattr("gembill.capture.websocket.MAX_MESSAGE", 1_000)
    long = json.dumps({"clientContent": {"turns": [{"parts": [{"text": "x" * 5_000}]}]}})
    heard, _, records = hold(recording, [("send", SETUP), ("send", long), ("recv", usage(5, 1)), ("recv", usage(6, 2))])
    assert heard == [SETUP, long]
    assert [one.status for one in records][:1] != [Status.COMPLETE]
    assert Anomaly.ANSWER_UNREAD_TOO_LARGE in records[0].anomalies
    assert sum(one.tokens.input or 0 for one in records) == 5 + 6

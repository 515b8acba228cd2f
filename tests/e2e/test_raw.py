"""Requests in the shape that the Go SDK sends, as raw HTTP: v1beta, camelCase, `x-goog-api-client`, gzip.

Go itself is not on the machine of a test. Its SDK (google.golang.org/genai) writes JSON with `encoding/json`, lets
net/http ask for gzip, and reads a stream by lines that begin with `data:`.
"""

import gzip
import http.client
import json
import re
from typing import Any

import pytest

from gembill.model import Status
from gembill_simulator import Options, Simulator, in_thread

MODEL = "/v1beta/models/gemini-2.5-flash"
HEADERS = {
    "User-Agent": "google-genai-sdk/1.40.0 gl-go/go1.25.1",
    "X-Goog-Api-Client": "google-genai-sdk/1.40.0 gl-go/go1.25.1",
    "Content-Type": "application/json",
    "X-Goog-Api-Key": "an-ordinary-key",
    "Accept-Encoding": "gzip",
}
BODY: dict[str, Any] = {
    "contents": [{"parts": [{"text": "What is the sum of the first 50 prime numbers? Run code."}], "role": "user"}],
    "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
    "tools": [{"codeExecution": {}}],
}


def send(url: str, path: str, body: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    connection.request("POST", path, raw, HEADERS | {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    try:
        received = {name.lower(): value for name, value in answer.getheaders()}
        text = answer.read()
        return answer.status, received, gzip.decompress(text) if received.get("content-encoding") == "gzip" else text
    finally:
        connection.close()


def last_event(text: bytes) -> dict[str, Any]:
    lines = [line for line in text.split(b"\n") if line.startswith(b"data:")]
    event: dict[str, Any] = json.loads(lines[-1].removeprefix(b"data:"))
    return event


def anonymous(text: bytes) -> bytes:
    return re.sub(rb'"responseId": ?"[^"]+"', b"", text)


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
def test_go_shaped_calls_are_answered_the_same_and_recorded(method, recording):
    with in_thread(Simulator(Options(seed=3))) as upstream:
        direct = send(upstream.url, f"{MODEL}:{method}", BODY)
        with (proxy := recording(upstream.url)).running():
            through = send(proxy.url, f"{MODEL}:{method}", BODY)
    assert through[1]["content-encoding"] == "gzip"
    assert (through[0], anonymous(through[2])) == (direct[0], anonymous(direct[2]))
    usage = (last_event(through[2]) if "sse" in method else json.loads(through[2]))["usageMetadata"]
    (stored,) = proxy.records()
    tokens = stored.record.tokens
    assert stored.record.status is Status.COMPLETE
    assert stored.record.declared
    assert stored.record.executions
    assert tokens.input == usage["promptTokenCount"]
    assert tokens.intermediate == usage["toolUsePromptTokenCount"]
    assert tokens.output == usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
    assert tokens.total == usage["totalTokenCount"]


def test_a_go_shaped_chat_resends_its_history_and_is_one_conversation(recording):
    with in_thread(Simulator(Options(seed=3))) as upstream, (proxy := recording(upstream.url)).running():
        history = list(BODY["contents"])
        for question in ("And of the first 20?", "Thank you"):
            _, _, text = send(proxy.url, f"{MODEL}:generateContent", BODY | {"contents": history})
            answered = json.loads(text)["candidates"][0]["content"]
            history += [answered, {"parts": [{"text": question}], "role": "user"}]
        send(proxy.url, f"{MODEL}:generateContent", BODY | {"contents": history})
    stored = proxy.records()
    assert [s.record.status for s in stored] == [Status.COMPLETE] * 3
    assert len({s.conversation_id for s in stored}) == 1
    assert stored[0].record.tokens.input > stored[-1].record.tokens.input


def test_a_go_shaped_upload_goes_through_the_proxy_and_is_not_a_call(recording):
    data = bytes(range(256)) * 8192  # 2 MiB
    start = {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(len(data)),
        "X-Goog-Upload-Header-Content-Type": "image/png",
    }
    with in_thread(Simulator()) as upstream, (proxy := recording(upstream.url)).running():
        status, headers, _ = send(
            proxy.url, "/upload/v1beta/files", {"file": {"mimeType": "image/png", "sizeBytes": str(len(data))}}, **start
        )
        assert status == 200
        address = headers["x-goog-upload-url"]
        assert address.startswith(proxy.url + "/upload/v1beta/files"), "the bytes of the file come by the proxy too"
        half = len(data) // 2
        for offset, command in ((0, "upload"), (half, "upload, finalize")):
            chunk = data[offset : offset + half]
            command_headers = {"X-Goog-Upload-Command": command, "X-Goog-Upload-Offset": str(offset)}
            status, headers, text = send(proxy.url, address.removeprefix(proxy.url), chunk, **command_headers)
            assert status == 200
        assert headers["x-goog-upload-status"] == "final"
        file = json.loads(text)["file"]
        assert file["sizeBytes"] == str(len(data))
        asked = {"fileData": {"fileUri": file["uri"], "mimeType": "image/png"}}
        send(proxy.url, f"{MODEL}:generateContent", {"contents": [{"parts": [asked, {"text": "What is it?"}]}]})
    (stored,) = proxy.records()
    assert stored.record.status is Status.COMPLETE
    assert stored.record.tokens.input > 258


def test_a_go_shaped_error_is_passed_on_and_recorded(recording):
    with in_thread(Simulator()) as upstream, (proxy := recording(upstream.url)).running():
        status, _, text = send(proxy.url, f"{MODEL}:generateContent", BODY, x_simulator_fault="429")
    assert status == 429
    assert json.loads(text)["error"]["status"] == "RESOURCE_EXHAUSTED"
    (stored,) = proxy.records()
    assert stored.record.status is Status.ERROR
    assert stored.record.http_status == 429


def test_a_go_shaped_request_to_vertex_is_recorded_as_vertex(recording):
    path = "/v1beta1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash"
    with in_thread(Simulator()) as upstream, (proxy := recording(upstream.url)).running():
        _, _, text = send(proxy.url, f"{path}:streamGenerateContent?alt=sse", BODY, Authorization="Bearer a-token")
    usage = last_event(text)["usageMetadata"]
    assert usage["trafficType"] == "ON_DEMAND"
    (stored,) = proxy.records()
    assert stored.record.api.value == "vertex"
    assert stored.record.tokens.total == usage["totalTokenCount"]


def test_candidates_of_a_go_shaped_request_are_counted_together(recording):
    body = BODY | {"generationConfig": {"candidateCount": 3}}
    with in_thread(Simulator()) as upstream, (proxy := recording(upstream.url)).running():
        _, _, text = send(proxy.url, f"{MODEL}:generateContent", body)
    answer = json.loads(text)
    (stored,) = proxy.records()
    assert len(answer["candidates"]) == 3
    usage = answer["usageMetadata"]
    assert stored.record.tokens.output == usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
    assert len(stored.record.executions) == sum(
        "codeExecutionResult" in part for one in answer["candidates"] for part in one["content"]["parts"]
    )

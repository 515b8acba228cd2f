"""The other ways to call the API through the proxy: chat completions, cached contents, Vertex, uploads."""

import http.client
import json
import os
import subprocess
import sys

import pytest

from tests.e2e.player import Player, Reply, Request

CHAT = "/v1beta/openai/chat/completions"
GENERATE = "/v1beta/models/gemini-2.5-flash:generateContent"
VERTEX = "/v1beta1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:generateContent"
COUNTS = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}
ANSWER = {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}], "usageMetadata": COUNTS}


def said(document: object, **more: object) -> Reply:
    return Reply([json.dumps(document).encode()], **more)


def test_a_chat_completion_is_recorded_with_the_usage_it_reports(recording):
    answer = {
        "id": "chatcmpl-1", "model": "gemini-2.5-flash", "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "hi"}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150, "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 30}},
    }  # fmt: skip
    with Player([said(answer)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CHAT, {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "hi"}]})
    (stored,) = proxy.records()
    record, tokens = stored.record, stored.record.tokens
    assert (record.operation, record.status, record.model, record.declared) == (
        "openai_chat",
        "complete",
        "gemini-2.5-flash",
        False,
    )
    assert (tokens.input, tokens.cached, tokens.output, tokens.thinking, tokens.total) == (100, 40, 50, 30, 150)
    assert (record.response_id, record.finish_reason, record.anomalies) == ("chatcmpl-1", "stop", ())
    assert stored.cost_pico == 60 * 300_000 + 40 * 30_000 + 50 * 2_500_000


def test_of_a_streamed_completion_the_last_usage_counts(recording):
    chunks = [{"model": "gemini-2.5-flash", "choices": [{"index": 0, "delta": {"content": "x"}}], "usage": {"prompt_tokens": 9, "completion_tokens": n, "total_tokens": 9 + n}} for n in (1, 5, 8)]  # fmt: skip
    pieces = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]
    reply = Reply(pieces, headers=[("Content-Type", "text/event-stream")], framing="chunked")
    with Player([reply]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CHAT, {"model": "gemini-2.5-flash", "stream": True, "messages": []})
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.streamed, stored.record.tokens.output) == ("complete", True, 8)


def test_a_refused_completion_is_an_error_though_it_comes_in_a_list(recording):
    refusal = [{"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}]
    with Player([said(refusal, status=429)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CHAT, {"model": "gemini-2.5-flash", "messages": []})
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.error.code, stored.record.error.kind) == ("error", 429, "rate")


@pytest.mark.parametrize(("tools", "declared"), [([{"codeExecution": {}}], True), (None, False)])
def test_tools_of_a_cached_content_are_remembered(tools, declared, recording):
    replies = [
        said({"name": "cachedContents/c-1", "usageMetadata": {"totalTokenCount": 2162}}),
        said(ANSWER),
        said(ANSWER),
    ]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(
            "/v1beta/cachedContents", {"model": "models/gemini-2.5-flash", **({"tools": tools} if tools else {})}
        )
        proxy.post(GENERATE, {"contents": [], "cachedContent": "cachedContents/c-1"})
        proxy.post(GENERATE, {"contents": [], "cachedContent": "cachedContents/made-elsewhere"})
    cache, *calls = reversed(proxy.records())
    assert [stored.record.declared for stored in calls] == [declared, None]
    assert (cache.record.operation, cache.record.status) == ("cache_storage", "unknown")  # the answer names no times


def test_what_a_cached_content_keeps_is_one_record_until_it_is_deleted(recording):
    kept = {"name": "cachedContents/c-1", "model": "models/gemini-2.5-flash", "createTime": "2026-11-10T12:00:00Z", "expireTime": "2026-11-10T13:00:00Z", "usageMetadata": {"totalTokenCount": 2000}}  # fmt: skip
    replies = [said(kept), said(kept), said({**kept, "expireTime": "2026-11-10T14:30:00Z"}), said({})]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        proxy.post("/v1beta/cachedContents", {"model": "models/gemini-2.5-flash"}, {"x-gembill-label-team": "rag"})
        proxy.get("/v1beta/cachedContents/c-1")
        proxy.get("/v1beta/cachedContents/c-1", method="PATCH")
        proxy.get("/v1beta/cachedContents/c-1", method="DELETE")  # long after it expired
    (stored,) = proxy.records()
    record = stored.record
    assert (record.operation, record.status, record.model) == ("cache_storage", "complete", "gemini-2.5-flash")
    assert (record.labels, record.tokens.total) == ({"team": "rag"}, None)
    assert "estimated" in record.flags
    assert stored.unpriced_reason or stored.cost_pico == 5000 * 1_000_000


def test_the_path_alone_chooses_the_upstream_of_a_family(recording):
    with (
        Player(answer=lambda _: said(ANSWER)).serving() as gemini,
        Player(answer=lambda _: said(ANSWER)).serving() as vertex,
    ):
        with (proxy := recording(gemini.url, vertex_upstream=vertex.url)).running():
            proxy.post(GENERATE, headers={"x-forwarded-host": "evil.example", "x-goog-user-project": "p"})
            proxy.post(VERTEX)
            proxy.post(VERTEX.replace("/projects/p/locations/global", ""))
            proxy.get("/v1beta1/projects/p/locations/global/interactions/i-1")
            proxy.get("/v1beta/models")
        assert [r.target for r in gemini.requests] == [GENERATE, "/v1beta/models"]
        assert len(vertex.requests) == 3
        assert {r.header("host")[0] for r in vertex.requests} == {vertex.url.removeprefix("http://")}
    assert [s.record.api for s in reversed(proxy.records())] == ["gemini", "vertex", "vertex"]


def test_an_upload_address_of_the_upstream_leads_back_through_the_proxy(recording):
    def start(request: Request) -> Reply:
        there = f"http://{request.header('host')[0]}/upload/v1beta/files?upload_id=u%2F1&upload_protocol=resumable"
        elsewhere = "http://storage.example/upload?x=1"
        return Reply([b"{}"], headers=[("X-Goog-Upload-URL", elsewhere if b"elsewhere" in request.head else there)])

    with (
        Player(answer=start).serving() as player,
        (proxy := recording(player.url, hosts=("a-name-of-ours",))).running(),
    ):
        addresses = [address(proxy.port, host, path) for host, path in [
            (f"127.0.0.1:{proxy.port}", "/upload/v1beta/files"),
            ("a-name-of-ours:99", "/upload/v1beta/files"),
            ("a-name-of-ours:99", "/upload/v1beta/files?elsewhere"),
        ]]  # fmt: skip
    tail = "/upload/v1beta/files?upload_id=u%2F1&upload_protocol=resumable"
    assert addresses == [
        f"http://127.0.0.1:{proxy.port}{tail}",
        f"http://a-name-of-ours:99{tail}",
        "http://storage.example/upload?x=1",
    ]


def address(port: int, host: str, path: str) -> str | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, b"{}", {"Host": host})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.getheader("x-goog-upload-url")


UPLOAD = """
import io
from google import genai
client = genai.Client()
uploaded = client.files.upload(file=io.BytesIO(b"x" * 9_000_000), config={"mime_type": "text/plain"})
print(uploaded.name)
"""


def test_the_python_sdk_uploads_a_file_through_the_proxy(recording, tmp_path):
    """Its second request goes to the address in the header, past the base URL (wire.md 5.6)."""

    def serve(request: Request) -> Reply:
        if "start" in request.header("x-goog-upload-command")[0]:
            there = f"http://{request.header('host')[0]}/upload/v1beta/files?upload_id=u"
            return Reply([b"{}"], headers=[("X-Goog-Upload-URL", there), ("X-Goog-Upload-Status", "active")])
        last = "finalize" in request.header("x-goog-upload-command")[0]
        body = json.dumps({"file": {"name": "files/f-1"}}).encode() if last else b""
        return Reply([body], headers=[("X-Goog-Upload-Status", "final" if last else "active"), ("Content-Type", "application/json")])  # fmt: skip

    with Player(answer=serve).serving() as player, (proxy := recording(player.url)).running():
        environment = {
            **os.environ,
            "GOOGLE_GEMINI_BASE_URL": proxy.url,
            "GEMINI_API_KEY": "k" * 20,
            "HOME": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-c", UPLOAD], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "files/f-1\n"
        assert sum(len(r.body) for r in player.requests if r.header("x-goog-upload-offset")) == 9_000_000
        assert all(b"\r\nx-goog-upload-command: " in r.head for r in player.requests), (
            "lower case: it came from the proxy"
        )
    assert proxy.records() == []

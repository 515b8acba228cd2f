"""Programs that make the documentation's calls, run through the proxy against the simulator as they are."""

import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gembill.model import Status
from gembill_simulator import Options, Simulator, in_thread
from tests import recording as recordings
from tests.e2e.player import Player, Reply
from tests.surroundings import clean

PRIMES = "What is the sum of the first 50 prime numbers? Generate and run code for the calculation, and make sure you get all 50."
UNARY = (
    """
from google import genai
from google.genai import types
client = genai.Client()
answer = client.models.generate_content(model="gemini-3-flash-preview", contents=%r,
    config=types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution)]))
for part in answer.candidates[0].content.parts:
    if part.text is not None: print(part.text)
    if part.executable_code is not None: print(part.executable_code.code)
    if part.code_execution_result is not None: print(part.code_execution_result.output)
print(answer.usage_metadata.total_token_count)
"""
    % PRIMES
)
STREAM = (
    """
from google import genai
from google.genai import types
client = genai.Client()
total = None
for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents=%r,
    config=types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution)])):
    total = chunk.usage_metadata.total_token_count
print(total)
"""
    % PRIMES
)
CHAT = (
    """
from google import genai
from google.genai import types
client = genai.Client()
chat = client.chats.create(model="gemini-2.5-flash", config=types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution)]))
chat.send_message("I have a math question for you.")
answer = chat.send_message(%r)
print(answer.usage_metadata.total_token_count)
"""
    % PRIMES
)
IMAGE = """
import base64
from google import genai
from google.genai import types
client = genai.Client()
png = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=")
answer = client.models.generate_content(model="gemini-3-flash-preview",
    contents=[types.Part.from_bytes(data=png, mime_type="image/png"), "Calculate the number of pixels."],
    config=types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution)]))
print(answer.usage_metadata.total_token_count)
"""


def run(program: str, url: str, folder: Path) -> str:
    """Run a program of a user's, led to the proxy by the one variable of the README."""
    environment = clean(GOOGLE_GEMINI_BASE_URL=url, GEMINI_API_KEY="an-ordinary-key", HOME=str(folder))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("program", "calls", "runs_code"),
    [(UNARY, 1, True), (STREAM, 1, True), (CHAT, 2, True), (IMAGE, 1, True)],
    ids=["unary", "stream", "chat", "image"],
)
def test_a_python_program_prints_the_same_with_and_without_the_proxy(program, calls, runs_code, recording, tmp_path):
    with in_thread(Simulator(Options(seed=3))) as upstream:
        direct = run(program, upstream.url, tmp_path)
        with (proxy := recording(upstream.url)).running():
            through = run(program, proxy.url, tmp_path)
    assert through == direct
    stored = proxy.records()
    assert len(stored) == calls
    assert {s.record.status for s in stored} == {Status.COMPLETE}
    assert all(s.record.declared for s in stored)
    newest = stored[0].record
    assert newest.tokens.total == int(through.split()[-1])
    assert (newest.tokens.intermediate or 0) > 0
    assert bool(newest.executions) is runs_code
    if calls > 1:
        assert len({s.conversation_id for s in stored}) == 1
        assert newest.conversation is not None


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_request_of_the_documentation(recording, tmp_path):
    body = json.dumps({"tools": [{"code_execution": {}}], "contents": {"parts": {"text": PRIMES}}})
    with in_thread(Simulator()) as upstream, (proxy := recording(upstream.url)).running():
        url = f"{proxy.url}/v1beta/models/gemini-2.5-flash:generateContent"
        command = [
            "curl",
            "-sS",
            "--noproxy",
            "*",
            "-H",
            "x-goog-api-key: k-abcdefgh",
            "-H",
            "Content-Type: application/json",
            "-d",
            body,
            url,
        ]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        assert "usageMetadata" in json.loads(done.stdout)
        big = tmp_path / "big.json"
        big.write_text(json.dumps({"contents": [{"parts": [{"text": "x" * 2_000_000}]}]}))
        large = subprocess.run([*command[:-2], f"@{big}", url], capture_output=True, timeout=60, check=True)
        assert "usageMetadata" in json.loads(large.stdout), "curl asked with Expect: 100-continue"
    assert [s.record.declared for s in proxy.records()] == [False, True]


_CURL = {
    "generateContent page": r"""curl "$BASE/v1beta/models/gemini-3-flash-preview:generateContent" \
-H "x-goog-api-key: $GEMINI_API_KEY" \
-H 'Content-Type: application/json' \
-d ' {"tools": [{"code_execution": {}}],
    "contents": {
      "parts":
        {
            "text": "Compute the sum of the first 50 prime numbers."
        }
    },
}'""",
    "interactions page": r"""curl -X POST "$BASE/v1beta/interactions" \
-H "x-goog-api-key: $GEMINI_API_KEY" \
-H 'Content-Type: application/json' \
-d '{
    "model": "gemini-3-flash-preview",
    "input": "Compute the sum of the first 50 prime numbers.",
    "tools": [{"type": "code_execution"}],
}'""",
    "as JavaScript writes it": r"""curl -s "$BASE/v1beta/models/gemini-3-flash-preview:generateContent?key=$GEMINI_API_KEY" \
-H 'Content-Type: application/json' --data-raw "{
  contents: [{parts: [{text: 'Compute the sum of the first 50 prime numbers.'}]}], tools: {codeExecution: {}}}"
""",
}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", _CURL)
def test_the_first_curl_of_a_page_literally(recording, page):
    with in_thread(Simulator(Options(require_key=True))) as upstream, (proxy := recording(upstream.url)).running():
        shell = {"PATH": os.environ["PATH"], "BASE": proxy.url, "GEMINI_API_KEY": "k-abcdefgh", "NO_PROXY": "*"}
        command = _CURL[page].replace("curl ", "curl -sS --fail-with-body ", 1)
        done = subprocess.run(["sh", "-c", command], env=shell, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (stored,) = proxy.records()
    assert (stored.record.http_status, stored.record.declared, stored.record.executions != ()) == (200, True, True)
    assert "request_unread" not in stored.record.anomalies


@pytest.mark.parametrize(
    "path",
    [
        "v1beta/models/gemini-2.5-flash:generateContent",
        "v1/models/gemini-3-flash-preview:streamGenerateContent?alt=sse",
        "v1beta/models/gemini-2.5-flash:streamGenerateContent",
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_a_client_receives_is_the_upstreams_body_byte_for_byte(path, encoding, recording):
    body = json.dumps({"contents": [{"parts": [{"text": PRIMES}]}], "tools": [{"codeExecution": {}}]}).encode()
    with in_thread(Simulator(Options(seed=5))) as upstream, (proxy := recording(upstream.url)).running():
        seen = []
        for url in (upstream.url, proxy.url):
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
            connection.request(
                "POST",
                f"/{path}",
                body,
                {"x-goog-api-key": "k-abcdefgh", "accept-encoding": encoding, "content-type": "application/json"},
            )
            answer = connection.getresponse()
            headers = sorted((k.lower(), v) for k, v in answer.getheaders() if k.lower() not in ("date", "connection"))
            seen.append((answer.status, headers, anonymous(answer.read(), encoding)))
            connection.close()
    assert seen[0] == seen[1]


def anonymous(body: bytes, encoding: str) -> bytes:
    """The body without the counter in its response id."""
    import gzip
    import re

    text = gzip.decompress(body) if encoding == "gzip" else body
    return re.sub(rb'"responseId": ?"[^"]+"', b"", text)


def test_the_first_stream_event_is_not_held_back(recording):
    """The second leaves the API when the client has the first: who waits for more would wait for ever."""
    had = threading.Event()

    def events() -> Iterator[bytes]:
        yield b'data: {"candidates": []}\r\n\r\n'
        if had.wait(100):
            yield b'data: {"usageMetadata": {"totalTokenCount": 1}}\r\n\r\n'

    reply = Reply(events(), headers=[("Content-Type", "text/event-stream")], framing="chunked")
    with Player([reply]).serving() as player, (proxy := recording(player.url)).running():
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
        connection.request("POST", recordings.STREAM, b'{"contents": []}', {"x-goog-api-key": "kkkkkkkk"})
        answer = connection.getresponse()
        assert answer.readline() == b'data: {"candidates": []}\r\n'
        had.set()
        assert answer.read().endswith(b"1}}\r\n\r\n")
        connection.close()


def test_two_hundred_calls_at_once_are_all_recorded_once(recording):
    body = {"contents": [{"parts": [{"text": "Good morning"}]}]}
    with in_thread(Simulator()) as upstream, (proxy := recording(upstream.url)).running():
        path = "/v1beta/models/gemini-2.5-flash:generateContent"
        threads = [
            threading.Thread(target=proxy.post, args=(path, body, {"x-gembill-label-n": str(n)})) for n in range(200)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(int(s.record.labels["n"]) for s in proxy.records()) == list(range(200))
    assert {hashlib.sha256(str(s.record.tokens).encode()).hexdigest() for s in proxy.records()}.__len__() == 1

"""Java's own HttpClient with its defaults, which offer HTTP/2 with every request: sized and chunked calls."""

import json
import shutil
import subprocess

import pytest

from gembill.model import Status
from tests.e2e.player import Player, Reply

ANSWER = b'{"modelVersion": "gemini-2.5-flash", "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5}}'
BODY = json.dumps({"contents": [{"parts": [{"text": "hello"}]}]})
PROGRAM = """
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.*;

public class Calls {
  public static void main(String[] words) throws Exception {
    byte[] body = words[1].getBytes();
    HttpClient client = HttpClient.newHttpClient();
    BodyPublisher chunked = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
    for (BodyPublisher each : new BodyPublisher[] {BodyPublishers.ofByteArray(body), chunked}) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(words[0])).POST(each).build();
      System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
    }
  }
}
"""


def java() -> str:
    path = shutil.which("java")
    modules = path and subprocess.run([path, "--list-modules"], capture_output=True, text=True, check=False).stdout
    if path is None or not modules or "jdk.compiler" not in modules:
        pytest.skip("SKIPPED JAVA: there is no java with a compiler")
    return path


def test_java_calls_reach_the_api_whole_and_are_recorded(recording, tmp_path):
    program = tmp_path / "Calls.java"
    program.write_text(PROGRAM)
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player, (proxy := recording(player.url)).running():
        url = f"{proxy.url}/v1beta/models/gemini-2.5-flash:generateContent"
        done = subprocess.run(
            [java(), str(program), url, BODY], capture_output=True, text=True, timeout=90, check=False, cwd=tmp_path
        )
    assert (done.returncode, done.stdout) == (0, "200\n200\n"), done.stderr
    assert [request.body for request in player.requests] == [BODY.encode()] * 2
    assert [entry.record.status for entry in proxy.records()] == [Status.COMPLETE] * 2

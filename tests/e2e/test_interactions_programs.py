"""Programs of the documentation's Interactions pages, through the proxy against the simulator as they are."""

import http.client
import json
from pathlib import Path

import pytest

from gembill.model import Operation, Status
from gembill_simulator import Options, Simulator, in_thread
from tests.e2e.test_programs import run

PRIMES = "What is the sum of the first 50 prime numbers? Generate and run code for the calculation, and make sure you get all 50."
UNARY = (
    """
from google import genai
client = genai.Client()
interaction = client.interactions.create(model="gemini-3.8-flash", input=%r, tools=[{"type": "code_execution"}])
for step in interaction.steps:
    print(step.type)
print(interaction.usage.total_tokens)
"""
    % PRIMES
)
STREAM = (
    """
from google import genai
client = genai.Client()
total = None
for event in client.interactions.create(model="gemini-3.8-flash", input=%r, tools=[{"type": "code_execution"}], stream=True):
    if event.event_type == "interaction.completed":
        total = event.interaction.usage.total_tokens
print(total)
"""
    % PRIMES
)
TURNS = """
from google import genai
client = genai.Client()
first = client.interactions.create(model="gemini-3.8-flash", input="I have 17 apples.")
second = client.interactions.create(model="gemini-3.8-flash", input="Compute how many are left after eating 5.",
    previous_interaction_id=first.id, tools=[{"type": "code_execution"}])
print(second.usage.total_tokens)
"""
IMAGE = """
from google import genai
client = genai.Client()
png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
interaction = client.interactions.create(model="gemini-3.8-flash", input=[{"type": "text", "text": "Calculate the number of pixels."},
    {"type": "image", "data": png, "mime_type": "image/png"}], tools=[{"type": "code_execution"}])
print(interaction.usage.total_tokens)
"""


@pytest.mark.parametrize(
    ("program", "calls"), [(UNARY, 1), (STREAM, 1), (TURNS, 2), (IMAGE, 1)], ids=["unary", "stream", "turns", "image"]
)
def test_a_python_program_prints_the_same_and_its_interactions_are_recorded(program, calls, recording, tmp_path: Path):
    with in_thread(Simulator(Options(seed=3))) as upstream:
        direct = run(program, upstream.url, tmp_path)
        with (proxy := recording(upstream.url)).running():
            through = run(program, proxy.url, tmp_path)
    assert through == direct
    stored = proxy.records()
    newest = stored[0].record
    assert len(stored) == calls
    assert {(s.record.operation, s.record.status) for s in stored} == {(Operation.INTERACTIONS, Status.COMPLETE)}
    assert newest.tokens.total == int(through.split()[-1])
    assert (newest.tokens.intermediate or 0) > 0
    assert newest.declared is True
    assert newest.executions
    if calls == 2:
        assert len({s.conversation_id for s in stored} - {None}) == 1


@pytest.mark.parametrize("revision", [{}, {"Api-Revision": "2026-05-20"}], ids=["no revision", "revision"])
@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_the_rest_pair_with_previous_interaction_id_is_one_conversation(revision, version, recording):
    with in_thread(Simulator()) as upstream, (proxy := recording(upstream.url)).running():
        first = rest(
            proxy.port,
            version,
            {"model": "gemini-3.8-flash", "input": PRIMES, "tools": [{"type": "code_execution"}]},
            revision,
        )
        second = {
            "model": "gemini-3.8-flash",
            "input": "Compute it again.",
            "previous_interaction_id": first["id"],
            "tools": [{"type": "code_execution"}],
        }
        answered = rest(proxy.port, version, second, revision)
    newest, oldest = proxy.records()
    assert newest.record.tokens.total == answered["usage"]["total_tokens"]
    assert newest.conversation_id == oldest.conversation_id == first["id"]


def rest(port: int, version: str, body: dict, headers: dict) -> dict:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(
        "POST",
        f"/{version}/interactions",
        json.dumps(body),
        {"x-goog-api-key": "k-abcdefgh", "content-type": "application/json", **headers},
    )
    answer = connection.getresponse()
    answered = json.loads(answer.read())
    connection.close()
    assert answer.status == 200, answered
    return answered

"""Conversations as they come about: chats of the official SDK through the proxy, and the recorded answers imported."""

import json
from pathlib import Path

from google import genai
from google.genai import types

from gembill.ledger import Selection, open_ledger, read_conversations, read_records
from gembill_simulator import Simulator, in_thread
from tests.e2e import corpus
from tests.recording import Recording

MODEL = "gemini-3-flash-preview"
FIRST = "What is the sum of the first 50 primes?"
CODE = types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution())])


def ask(recorder: Recording) -> None:
    """A chat of three turns, one of them streamed, and three calls that have its first prompt and nothing else of it."""
    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=recorder.url))
    for _ in range(2):
        client.models.generate_content(model=MODEL, contents=FIRST, config=CODE)
    chat = client.chats.create(model=MODEL, config=CODE)
    chat.send_message(FIRST)
    assert "".join(chunk.text or "" for chunk in chat.send_message_stream("And of the first 60?"))
    chat.send_message("Thank you.")
    client.models.generate_content(model=MODEL, contents=FIRST, config=CODE)


def test_a_chat_of_the_sdk_is_one_conversation_and_calls_with_its_first_prompt_are_none(recording) -> None:
    with in_thread(Simulator()) as upstream, recording(upstream.url).running() as recorder:
        ask(recorder)
    stored = sorted(recorder.records(), key=lambda one: one.record.id)
    shown = [one.conversation_id for one in stored]
    assert [one.record.turns or 0 for one in stored][:3] == [1, 1, 1]
    assert shown == [None, None, stored[2].record.id, stored[2].record.id, stored[2].record.id, None]
    ledger = open_ledger(recorder.settings.ledger_url)
    (only,) = read_conversations(ledger, Selection(), 10)
    ledger.close()
    assert (only.calls, only.operation) == (3, "generate_content")


@corpus.needed
def test_of_the_recorded_answers_those_are_joined_that_go_on_from_another(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from gembill.cli import gembill

    lines = [
        json.dumps(corpus.line(name, case, "2026-11-01T10:00:00Z"))
        for name, case in corpus.cases("generateContent", "streamGenerateContent").items()
    ]
    (tmp_path / "calls.jsonl").write_text("\n".join(lines))
    CliRunner().invoke(
        gembill, ["import", str(tmp_path / "calls.jsonl"), "--database-url", f"sqlite:///{tmp_path}/ledger.db"]
    )
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    joined = [one for one in read_records(ledger, Selection()) if one.conversation_id is not None]
    ledger.close()
    first, second = sorted(joined, key=lambda one: one.record.labels["case"])
    assert [one.record.labels["case"][:3] for one in (first, second)] == ["003", "051"]
    assert first.conversation_id == second.conversation_id == first.record.id

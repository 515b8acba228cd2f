"""Messages of the Live API: what they ask, show and count."""

import json

import pytest

from gembill.event import UnreadReason
from gembill.wire import live
from gembill.wire.live import Progress
from gembill.wire.observation import Observation
from gembill.wire.token_counts import InvalidUsage


def said(**content: object) -> bytes:
    return json.dumps({"serverContent": content}).encode()


TURN = {"parts": [{"text": "hello"}]}


@pytest.mark.parametrize(
    ("message", "progress"),
    [
        (b'{"setupComplete": {}}', Progress.NONE),
        (said(turnComplete=True), Progress.NONE),
        (said(generationComplete=True), Progress.NONE),
        (b'{"goAway": {"timeLeft": "10s"}}', Progress.NONE),
        (b'{"usageMetadata": {}}', Progress.NONE),
        (said(modelTurn=TURN), Progress.WORK),
        (said(outputTranscription={"text": "hello"}), Progress.WORK),
        (b'{"toolCall": {"functionCalls": []}}', Progress.WORK),
        (b"not JSON", Progress.WORK),
        (b'{"serverContent": {}, "usageMetadata": {"promptTokenCount": 0}}', Progress.COUNTED),
    ],
)
def test_a_message_says_how_far_the_work_has_come(message, progress):
    assert live.progress(message) is progress


@pytest.mark.parametrize("name", ["clientContent", "client_content", "realtimeInput", "toolResponse"])
def test_what_a_client_gives_the_model_to_read_asks(name):
    assert live.asks(json.dumps({name: {}}).encode())
    assert not live.asks(b'{"setup": {}}')


def test_the_setup_names_model_and_tools():
    setup = b'{"setup": {"model": "models/m", "tools": [{"codeExecution": {}}]}}'
    assert live.is_setup(setup)
    assert not live.is_setup(b'{"clientContent": {}}')
    facts, basis = live.request_facts(setup, None)
    assert (facts.model, facts.declared, facts.turns, basis) == ("models/m", True, None, None)
    assert live.request_facts(b'{"setup": {"model": "m"}}', None)[0].declared is False
    assert live.request_facts(None, "m")[0].declared is None
    assert live.request_facts(b"[]", None)[0].unread


def test_the_answers_tokens_have_names_of_their_own():
    usage = live.usage(
        '{"promptTokenCount": 5, "responseTokenCount": 7, "thoughtsTokenCount": 2, "totalTokenCount": 12,'
        ' "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 7}]}'
    )
    assert (usage.prompt, usage.candidates, usage.thoughts, usage.total) == (5, 7, 2, 12)
    assert {kind.value: count for kind, count in usage.candidates_details.items()} == {"audio": 7}
    assert live.usage('{"promptTokenCount": 5, "candidatesTokenCount": 3}').candidates == 3
    with pytest.raises(InvalidUsage, match="responseTokenCount"):
        live.usage('{"responseTokenCount": -1}')


def test_a_document_shows_parts_the_end_and_its_usage():
    observation = Observation()
    live.observe(said(modelTurn=TURN, interrupted=True), observation)
    live.observe(b'{"toolCall": {"functionCalls": []}, "usageMetadata": {"promptTokenCount": 1}}', observation)
    facts = observation.response_facts()
    assert [part.kind for part in facts.outline] == ["text", "function_call"]
    assert (facts.finish_reason, facts.usage, facts.unread) == ("INTERRUPTED", '{"promptTokenCount":1}', None)
    live.observe(b"[", observation)
    assert observation.response_facts().unread == UnreadReason.MALFORMED

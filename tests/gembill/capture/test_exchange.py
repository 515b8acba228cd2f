"""One observed call: the same event in any cut, no key and no text in it, and mistakes that cost only the count."""

import gzip
import itertools
import json
import logging
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.capture.attribution import caller_of
from gembill.capture.documents import Documents
from gembill.capture.exchange import Exchange
from gembill.capture.fingerprint import Fingerprint
from gembill.event import Ending, Event, RequestFacts, ResponseFacts
from gembill.model import Outcome, Status
from gembill.rules.metering import meter
from gembill.wire import generate_content
from gembill.wire.routes import Route, route

KEY = "AIzaSyD-canary-0123456789_abcdefghijklm"
ID = "0199a0b0-0000-7000-8000-000000000001"
USAGE = {
    "promptTokenCount": 46,
    "candidatesTokenCount": 57,
    "toolUsePromptTokenCount": 360,
    "thoughtsTokenCount": 67,
    "totalTokenCount": 530,
}
REQUEST = {
    "systemInstruction": {"parts": [{"text": "SYSTEM-TEXT"}]},
    "contents": [{"role": "user", "parts": [{"text": "PROMPT-TEXT"}]}],
    "tools": [{"codeExecution": {}}],
    "serviceTier": "flex",
}
PARTS = [
    {"executableCode": {"language": "PYTHON", "code": "CODE-TEXT = 1", "id": "c1"}},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "RESULT-TEXT 12", "id": "c1"}},
    {"text": "ANSWER-TEXT \u20ac\u2028"},
    {"inlineData": {"mimeType": "image/png", "data": "QUJD" * 30_000}},
]
CHUNKS = [
    {"candidates": [{"content": {"parts": [part]}, "index": 0}], "usageMetadata": {**USAGE, "promptTokenCount": n}, "modelVersion": "gemini-2.5-flash", "responseId": "r1"}
    for n, part in enumerate(PARTS)
] + [{"candidates": [{"finishReason": "STOP", "index": 0}], "usageMetadata": USAGE}]  # fmt: skip
UNARY = {
    "candidates": [{"content": {"parts": PARTS}, "finishReason": "STOP"}],
    "usageMetadata": USAGE,
    "modelVersion": "gemini-2.5-flash",
    "responseId": "r1",
}
TEXTS = ("SYSTEM-TEXT", "PROMPT-TEXT", "CODE-TEXT", "RESULT-TEXT", "ANSWER-TEXT", "QUJDQUJD")
BODIES = {
    "sse": "".join(f"data: {json.dumps(chunk, ensure_ascii=False)}\r\n\r\n" for chunk in CHUNKS).encode(),
    "array": json.dumps(CHUNKS, indent=1).encode(),
    "unary": json.dumps(UNARY).encode(),
}


def path_of(kind: str) -> Route:
    way = route(
        "POST",
        "/v1beta/models/gemini-flash-latest:" + ("generateContent" if kind == "unary" else "streamGenerateContent"),
    )
    assert way is not None
    return way


def exchange(kind: str = "unary", key: str = KEY, labels: dict[str, str] | None = None) -> Exchange:
    headers = [
        (b"x-goog-api-key", key.encode()),
        *((b"x-gembill-label-" + n.encode(), v.encode()) for n, v in (labels or {}).items()),
    ]
    who = caller_of([pair for pair in headers if pair[1]], b"")
    return Exchange(ID, 1_000_000, route=path_of(kind), caller=who, fingerprint=Fingerprint(b"0123456789abcdef"))


def cut(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(c % (len(body) + 1) for c in cuts), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(edges)]


def pack(body: bytes, encoding: str) -> bytes:
    return gzip.compress(body, mtime=0) if encoding == "gzip" else body


def run(
    kind: str = "unary", *, request: object = REQUEST, answer: bytes | None = None, encoding: str = "", cuts: tuple[list[int], list[int]] = ([], []),
    status: int = 200, ending: Ending = Ending.FINISHED, headers: list[tuple[bytes, bytes]] | None = None, **who: Any,
) -> bytes:  # fmt: skip
    call = exchange(kind, **who)
    coding = [(b"Content-Encoding", encoding.encode())] if encoding else []
    call.request_headers(coding)
    for piece in cut(pack(json.dumps(request).encode(), encoding), cuts[0]):
        call.sent(piece)
    call.answered(status, [*coding, *(headers or [])])
    for piece in cut(pack(BODIES[kind] if answer is None else answer, encoding), cuts[1]):
        call.received(piece)
    return call.finish(ending, 2_000_000)


def event(body: bytes) -> Event:
    return msgspec.json.decode(body, type=Event)


_cuts = st.lists(st.integers(0, 200_000), max_size=15)
_WHOLE = {(kind, encoding): run(kind, encoding=encoding) for kind in BODIES for encoding in ("", "gzip")}


@given(st.sampled_from(sorted(BODIES)), st.sampled_from(["", "gzip"]), _cuts, _cuts)
@settings(max_examples=120, deadline=None)
def test_any_cut_gives_the_same_event(kind, encoding, sent, received):
    assert run(kind, encoding=encoding, cuts=(sent, received)) == _WHOLE[kind, encoding] == _WHOLE[kind, ""]


@pytest.mark.parametrize("kind", BODIES)
def test_the_event_says_what_was_asked_and_seen(kind):
    recorded = event(_WHOLE[kind, ""])
    assert (recorded.id, recorded.occurred_us, recorded.ended_us, recorded.http_status, recorded.ending) == (
        ID,
        1_000_000,
        2_000_000,
        200,
        Ending.FINISHED,
    )
    assert (recorded.asked.model, recorded.asked.declared, recorded.asked.service_tier, recorded.asked.turns) == (
        "gemini-flash-latest",
        True,
        "flex",
        1,
    )
    assert (recorded.seen.model_version, recorded.seen.response_id, recorded.seen.finish_reason) == (
        "gemini-2.5-flash",
        "r1",
        "STOP",
    )
    assert [part.kind for part in recorded.seen.outline] == ["code", "result", "text", "blob"]
    assert json.loads(recorded.seen.usage or "") == USAGE
    assert recorded.streamed is (kind != "unary")
    record = meter(recorded, 1)
    assert (record.status, record.tokens.input, [e.outcome for e in record.executions]) == (
        Status.COMPLETE,
        46,
        [Outcome.OK],
    )
    assert recorded.key == Fingerprint(b"0123456789abcdef").key(KEY.encode())


@pytest.mark.parametrize(("kind", "encoding"), _WHOLE)
def test_no_text_of_prompt_answer_or_code_is_in_the_event(kind, encoding):
    assert not [text for text in TEXTS if text.encode() in _WHOLE[kind, encoding]]


@pytest.mark.parametrize("end", Ending)
def test_an_event_decodes_however_the_exchange_ended(end):
    recorded = event(run("sse", ending=end))
    assert (recorded.ending, recorded.key is not None) == (end, True)
    assert (recorded.seen == ResponseFacts()) is (end is Ending.LOST)


def test_an_intent_is_the_event_of_a_lost_call():
    call = exchange(labels={"team": "search"})
    call.sent(json.dumps(REQUEST).encode())
    recorded = event(call.intent())
    assert (recorded.ending, recorded.ended_us, recorded.http_status) == (Ending.LOST, None, None)
    assert (recorded.asked, recorded.seen, recorded.labels) == (
        RequestFacts(model="gemini-flash-latest"),
        ResponseFacts(),
        {"team": "search"},
    )
    assert meter(recorded, 1).status is Status.UNKNOWN


def test_retries_and_the_tier_of_the_header_are_kept():
    call = exchange()
    call.answered(200, [(b"X-Gemini-Service-Tier", b" priority "), (b"content-type", b"application/json")])
    call.received(BODIES["unary"])
    recorded = event(call.finish(Ending.FINISHED, 2, retried=1))
    assert (recorded.retried, recorded.seen.service_tier) == (1, "priority")
    assert event(run(headers=[(b"x-gemini-service-tier", b"\xff" * 90)])).seen.service_tier == "ÿ" * 64


ECHOES = {
    "modelVersion": lambda k: {**UNARY, "modelVersion": f"gemini-{k}"},
    "responseId": lambda k: {**UNARY, "responseId": k},
    "finishReason": lambda k: {**UNARY, "candidates": [{"finishReason": k}]},
    "blockReason": lambda k: {**UNARY, "promptFeedback": {"blockReason": k, "blockReasonMessage": k}},
    "error": lambda k: {
        "error": {"code": 400, "status": k, "message": f"API key {k} not valid", "details": [{"metadata": {k: k}}]}
    },
    "error code": lambda k: {"error": {"code": k}},
    "usage": lambda k: {**UNARY, "usageMetadata": {**USAGE, "note": k, "list": [k]}},
    "usage field": lambda k: {**UNARY, "usageMetadata": {**USAGE, k: 1}},
    "tier": lambda k: {**UNARY, "usageMetadata": {**USAGE, "serviceTier": k}},
    "code": lambda k: {
        **UNARY,
        "candidates": [{"content": {"parts": [{"executableCode": {"id": k, "language": k, "code": k}}]}}],
    },
    "result": lambda k: {
        **UNARY,
        "candidates": [{"content": {"parts": [{"codeExecutionResult": {"id": k, "outcome": k, "output": k}}]}}],
    },
    "mime": lambda k: {**UNARY, "candidates": [{"content": {"parts": [{"inlineData": {"mimeType": k, "data": k}}]}}]},
}


@pytest.mark.parametrize("key", [KEY, "ya29.short", 'od"d\\-key', 'clé"-secrète', "=<base64>'&=="], ids=ascii)
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("place", ECHOES)
def test_a_key_that_the_upstream_echoes_is_not_in_the_event(place, ascii_only, key):
    answer = ECHOES[place](key)
    body = run(
        answer=json.dumps(answer, ensure_ascii=ascii_only).encode(),
        key=key,
        headers=[(b"x-gemini-service-tier", key.encode())],
        labels={"note": f"my key {key}", key.encode().decode("latin-1"): "x"},
    )
    shown = body.decode()
    for text in (key, key.encode().decode("latin-1")):
        assert text not in shown
        assert json.dumps(text)[1:-1] not in shown
        assert json.dumps(json.dumps(text)[1:-1])[1:-1] not in shown
    recorded = event(body)
    assert meter(recorded, 1).status is (Status.ERROR if place.startswith("error") else Status.COMPLETE)
    assert "[redacted]" in recorded.labels["note"]


def test_a_key_in_the_request_is_not_in_the_event():
    request = {**REQUEST, "serviceTier": KEY, "cachedContent": f"cachedContents/{KEY}"}
    body = run(request=request)
    assert KEY.encode() not in body
    assert event(body).asked.cached_content == "cachedContents/[redacted]"


def test_a_key_that_is_a_word_of_ours_does_not_break_the_event():
    for key in ("gemini", "finished", "generate_content", "outline", "snapshots", "version"):
        assert event(run("sse", key=key)).ending is Ending.FINISHED


@pytest.mark.parametrize(
    "key",
    [
        "promptTokenCount",
        "toolUsePromptTokenCount",
        "totalTokenCount",
        "candidatesTokenCount",
        '"promptTokenCount": 46',
        "candidates",
        "result",
        "executableCode",
    ],
)
def test_nobody_hides_tokens_behind_a_key_that_is_a_word_of_the_usage(key):
    honest, crafty = meter(event(run("sse")), 1), meter(event(run("sse", key=key)), 1)
    assert (crafty.tokens, crafty.readings, crafty.status) == (honest.tokens, honest.readings, honest.status)
    assert [e.outcome for e in crafty.executions] == [e.outcome for e in honest.executions]


@pytest.mark.parametrize(
    "typed", [KEY, "AQ.Ab8RN6Jcanary-0123456789_abcdef", "ya29.a0canary-0123456789", f"my-{KEY}-key"]
)
def test_a_key_that_somebody_typed_as_a_name_is_not_in_the_event(typed):
    way = route("POST", f"/v1beta1/projects/{typed}/locations/global/publishers/google/models/{typed}:generateContent")
    assert way is not None
    who = caller_of([(b"x-gembill-label-key", typed.encode()), (b"x-gembill-label-" + typed.encode(), b"v")], b"")
    seen = Exchange(ID, 1_000_000, route=way, caller=who, fingerprint=Fingerprint(b"0123456789abcdef"))
    intent = seen.intent()
    seen.answered(200, [])
    seen.received(json.dumps({**UNARY, "modelVersion": typed}).encode())
    ((_, body),) = seen.events(Ending.FINISHED, 2_000_000)
    for written in (intent, body):
        assert typed.removeprefix("my-").removesuffix("-key").encode() not in written
    assert any("[redacted]" in label for label in event(body).labels)
    assert "[redacted]" in str(event(body).seen.model_version)


def test_an_id_of_the_api_is_kept_as_it_is_whatever_it_looks_like():
    seen = exchange("unary", key="k" * 20)
    seen.answered(200, [])
    seen.received(json.dumps({**UNARY, "responseId": KEY}).encode())
    ((_, body),) = seen.events(Ending.FINISHED, 2_000_000)
    assert event(body).seen.response_id == KEY


def test_what_has_no_contents_is_part_of_no_conversation():
    assert event(run(request={})).asked.conversation is None
    assert event(run()).asked.conversation == ID, "the first call of a chat, as long as nothing says otherwise"


@pytest.mark.parametrize(("encoding", "body"), [("br", b"\x0b\x02\x80"), ("gzip", b"no gzip")])
def test_bodies_that_cannot_be_read_are_said_and_claim_nothing(encoding, body):
    call = exchange()
    call.request_headers([(b"content-encoding", encoding.encode())])
    call.sent(body)
    call.answered(200, [(b"content-encoding", encoding.encode())])
    call.received(body)
    recorded = event(call.finish(Ending.FINISHED, 2))
    assert (recorded.asked, recorded.seen.unread) == (
        RequestFacts(model="gemini-flash-latest", unread=True),
        "encoding",
    )
    assert "request_unread" in meter(recorded, 1).anomalies
    assert meter(recorded, 1).status is Status.UNKNOWN


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"{", b"[" * 50_000, b'{"usageMetadata": {"promptTokenCount": ' + b"9" * 5000 + b"}}", b"data: x\n\n", b'{"candidates": "\xe2\x82'])  # fmt: skip
def test_garbage_is_an_unknown_record(body):
    recorded = event(run(answer=body))
    assert meter(recorded, 1).status is Status.UNKNOWN


def _fail(*_: object) -> Any:
    raise ZeroDivisionError(f"a mistake of ours near {TEXTS[1]}")


@pytest.mark.parametrize(
    ("owner", "name"),
    [(generate_content, "observe"), (Documents, "feed"), (Documents, "close"), (Fingerprint, "conversation")],
)
def test_a_mistake_of_ours_is_loud_and_costs_only_the_count(monkeypatch, caplog, owner, name):
    monkeypatch.setattr(owner, name, _fail)
    with caplog.at_level(logging.ERROR, logger="gembill.exchange"):
        recorded = event(run("sse", labels={"conversation": "a name"}))
    assert "ZeroDivisionError" in caplog.text
    assert recorded.seen.unread == "recorder_error"
    assert (recorded.id, recorded.http_status, recorded.ending) == (ID, 200, Ending.FINISHED)
    assert meter(recorded, 1).status in (Status.UNKNOWN, Status.PARTIAL)


def test_an_answer_of_a_million_parts_keeps_its_usage():
    parts = ",".join(['{"text": "a"}'] * 200_000)
    said = f'{{"candidates": [{{"content": {{"parts": [{parts}]}}}}], "usageMetadata": {json.dumps(USAGE)}}}'.encode()
    recorded = event(run(answer=said, encoding="gzip"))
    record = meter(recorded, 1)
    assert (record.status, record.tokens.total) == (Status.COMPLETE, USAGE["totalTokenCount"])
    assert "answer_unread_too_many_parts" in record.anomalies


@pytest.mark.parametrize("packed", [True, False])
def test_a_request_of_very_many_turns_is_read_as_far_as_it_matters(packed):
    many = {**REQUEST, "contents": REQUEST["contents"] * 40_000}
    tools = many.pop("tools")
    call = exchange()
    call.request_headers([(b"content-encoding", b"gzip")] if packed else [])
    body = json.dumps({**many, "tools": tools}).encode()
    call.sent(gzip.compress(body) if packed else body)
    call.answered(200, [])
    assert event(call.finish(Ending.FINISHED, 2)).asked.declared is True


def test_an_answer_too_large_to_be_read_is_unknown_and_says_so():
    said = "{" + ",".join(f'"{n}": {{}}' for n in range(40_000)) + "}"
    recorded = event(run(answer=said.encode()))
    record = meter(recorded, 1)
    assert record.status is Status.UNKNOWN
    assert "answer_unread_too_large" in record.anomalies


def test_one_document_that_is_misread_does_not_cost_the_others(monkeypatch):
    real, calls = generate_content.observe, []

    def once(document: bytes, observation: Any) -> None:
        calls.append(document)
        if len(calls) == 2:
            _fail()
        real(document, observation)

    monkeypatch.setattr(generate_content, "observe", once)
    recorded = event(run("sse"))
    assert (len(calls), recorded.seen.unread) == (5, "recorder_error")
    assert json.loads(recorded.seen.usage or "") == USAGE


def test_an_exchange_is_finished_once():
    call = exchange()
    assert not call.finished
    call.finish(Ending.UNANSWERED, 2)
    assert call.finished
    with pytest.raises(AssertionError):
        call.finish(Ending.FINISHED, 2)

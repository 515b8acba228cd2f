"""Interactions through the proxy: one record for each, however often and wherever its answer is read."""

import json

import pytest

from gembill.model import Outcome
from tests.e2e.player import Player, Reply, Request

CREATE = "/v1beta/interactions"
VERTEX = "/v1beta1/projects/p-1/locations/us-central1/interactions"
ID = "v1_an-interaction"
USAGE = {
    "total_input_tokens": 33,
    "total_output_tokens": 310,
    "total_thought_tokens": 542,
    "total_tool_use_tokens": 1200,
    "total_cached_tokens": 0,
    "total_tokens": 2085,
}
TOOLS = [{"type": "code_execution"}]
STEPS = [
    {"type": "code_execution_call", "id": "c1", "arguments": {"code": "print(1)", "language": "python"}},
    {"type": "code_execution_result", "call_id": "c1", "result": "1\n", "is_error": False},
    {"type": "code_execution_call", "id": "c2", "arguments": {"code": "1/0", "language": "python"}},
    {"type": "code_execution_result", "call_id": "c2", "result": "ZeroDivisionError", "is_error": True},
    {"type": "model_output", "content": [{"type": "text", "text": "done"}]},
]
PENDING = {"id": ID, "status": "in_progress", "model": "gemini-3-flash-preview"}
DONE = {**PENDING, "status": "completed", "usage": USAGE, "service_tier": "standard"}
QUESTION = {"type": "user_input", "content": [{"type": "text", "text": "go"}]}


def body(**fields: object) -> dict:
    return {"model": "gemini-3-flash-preview", "input": "go", "tools": TOOLS, **fields}


def said(document: dict) -> Reply:
    return Reply([json.dumps(document).encode()])


def stream(*events: dict, cut: bool = False) -> Reply:
    texts = [f"event: {e['event_type']}\r\ndata: {json.dumps(e)}\r\n\r\n".encode() for e in events]
    if not cut:
        texts.append(b"event: done\r\ndata: [DONE]\r\n\r\n")
    return Reply(texts, headers=[("Content-Type", "text/event-stream")], framing="chunked", cut=cut)


def steps(*places: int) -> list[dict]:
    """The events of these steps: begun empty, filled by a delta, as the API streams them."""
    cases = []
    for place in places:
        step = STEPS[place]
        begun = {"type": step["type"], **{n: step[n] for n in ("id", "call_id") if n in step}}
        delta = {n: v for n, v in step.items() if n not in ("id", "call_id", "content")}
        if step["type"] == "model_output":
            delta = {"type": "text", "text": "done"}
        cases += [
            {"event_type": "step.start", "index": place, "step": begun},
            {"event_type": "step.delta", "index": place, "delta": delta},
            {"event_type": "step.stop", "index": place},
        ]
    return cases


CREATED = {"event_type": "interaction.created", "interaction": PENDING}
COMPLETED = {"event_type": "interaction.completed", "interaction": DONE}


def test_a_background_run_polled_fifty_times_is_one_record_with_the_calls_time_labels_and_key(recording):
    polls = [said(PENDING)] * 20 + [said({**DONE, "steps": [QUESTION, *STEPS]})] * 30
    with Player([said(PENDING), *polls]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CREATE, body(background=True), {"x-gembill-label-team": "search"})
        for _ in polls:
            assert proxy.get(f"{CREATE}/{ID}", {"x-goog-api-key": "another-key"})[0] == 200
        assert proxy.health()["calls_under_way"] == 0
    (stored,) = proxy.records()
    record = stored.record
    assert (record.status, record.tokens.total, record.tokens.intermediate) == ("complete", 2085, 1200)
    assert (record.labels, record.declared, record.requested_model) == (
        {"team": "search"},
        True,
        "gemini-3-flash-preview",
    )
    assert [run.outcome for run in record.executions] == [Outcome.OK, Outcome.FAILED]
    assert record.source_id < 0
    assert stored.cost_pico == (33 + 1200) * 500_000 + (310 + 542) * 3_000_000


def test_a_run_that_is_never_polled_to_its_end_is_unknown(recording):
    with Player([said(PENDING), said(PENDING)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CREATE, body(background=True))
        proxy.get(f"{CREATE}/{ID}")
    assert [s.record.status for s in proxy.records()] == ["unknown"]


CANCELLED = {**PENDING, "status": "cancelled"}
FAILED = {**PENDING, "status": "failed", "errors": [{"code": "internal", "message": "it broke"}]}


@pytest.mark.parametrize("polls_first", [False, True])
def test_a_run_that_was_cancelled_is_unknown_and_says_why(recording, polls_first):
    """Whether cancelled work is billed is not documented (wire.md 2.3), so its cost is not called 0."""
    replies = [said(CANCELLED), said(PENDING)] if polls_first else [said(PENDING), said(CANCELLED), said(CANCELLED)]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        if polls_first:
            proxy.get(f"{CREATE}/{ID}")
        proxy.post(CREATE, body(background=True), {"x-gembill-label-team": "search"})
        if not polls_first:
            assert proxy.post(f"{CREATE}/{ID}/cancel", {})[0] == 200
            proxy.get(f"{CREATE}/{ID}")
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.finish_reason, stored.cost_pico) == ("unknown", "cancelled", None)
    assert (stored.record.labels, stored.record.declared) == ({"team": "search"}, True)


def test_a_run_that_failed_without_usage_is_an_error_once_a_poll_says_so(recording):
    with Player([said(PENDING), said(FAILED)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CREATE, body(background=True))
        proxy.get(f"{CREATE}/{ID}")
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.finish_reason, stored.cost_pico) == ("error", "failed", 0)


def test_a_usage_that_still_grows_is_partial_until_the_last_one(recording):
    growing = {**PENDING, "usage": {**USAGE, "total_output_tokens": 10, "total_tokens": 1785}}
    with Player([said(growing)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CREATE, body(background=True))
    assert [s.record.status for s in proxy.records()] == ["partial"]


def test_a_stream_resumed_twice_is_one_record_with_every_run_once(recording):
    replies = [
        stream(CREATED, *steps(0, 1, 2), cut=True),
        stream(*steps(2, 3), cut=True),
        stream(*steps(3, 4), COMPLETED),
    ]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        with pytest.raises(Exception, match="IncompleteRead"):
            proxy.post(CREATE, body(stream=True))
        with pytest.raises(Exception, match="IncompleteRead"):
            proxy.get(f"{CREATE}/{ID}?stream=true&last_event_id=e2")
        assert proxy.get(f"{CREATE}/{ID}?stream=true&last_event_id=e4")[0] == 200
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.streamed, stored.record.tokens.total) == ("complete", True, 2085)
    assert [(run.part_id, run.outcome) for run in stored.record.executions] == [
        ("c1", Outcome.OK),
        ("c2", Outcome.FAILED),
    ]


def test_a_whole_stream_and_the_timeline_read_after_it_are_one_record(recording):
    replies = [stream(CREATED, *steps(*range(5)), COMPLETED), said({**DONE, "steps": [QUESTION, *STEPS]})]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CREATE, body(stream=True))
        proxy.get(f"{CREATE}/{ID}?include_input=true")
    (stored,) = proxy.records()
    assert (stored.revision, len(stored.record.executions), stored.record.failed) == (0, 2, 1)


def test_a_poll_posted_before_its_call_gives_the_same_record(recording):
    with Player([said(DONE), said(PENDING)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.get(f"{CREATE}/{ID}")
        proxy.post(CREATE, body(background=True), {"x-gembill-label-team": "search"})
    (stored,) = proxy.records()
    record = stored.record
    assert (record.status, record.tokens.total, record.labels, record.declared) == (
        "complete",
        2085,
        {"team": "search"},
        True,
    )
    assert stored.cost_pico == (33 + 1200) * 500_000 + (310 + 542) * 3_000_000


def chained(request: Request) -> Reply:
    before = json.loads(request.body).get("previous_interaction_id")
    number = int(before.removeprefix("i")) + 1 if before else 1
    return said({**DONE, "id": f"i{number}", "previous_interaction_id": before})


@pytest.mark.parametrize("path", [CREATE, VERTEX, "/v1/interactions"])
def test_a_chain_of_interactions_is_the_conversation_of_its_first(path, recording):
    with Player(answer=chained).serving() as player, (proxy := recording(player.url)).running():
        for number in range(4):
            proxy.post(path, body(**{"previous_interaction_id": f"i{number}"} if number else {}))
    stored = {s.record.response_id: s for s in proxy.records()}
    assert {name: s.conversation_id for name, s in stored.items()} == dict.fromkeys(("i1", "i2", "i3", "i4"), "i1")
    assert {s.record.api for s in stored.values()} == {"vertex" if path == VERTEX else "gemini"}


def test_a_single_interaction_shows_no_conversation_and_an_unknown_one_before_names_it(recording):
    lone, follow = said({**DONE, "id": "lone"}), said({**DONE, "id": "next"})
    with Player([lone, follow]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CREATE, body())
        proxy.post(CREATE, body(previous_interaction_id="made-elsewhere"))
    conversations = {s.record.response_id: s.conversation_id for s in proxy.records()}
    assert conversations == {"lone": None, "next": "made-elsewhere"}


def test_hops_of_one_answer_are_calls_of_their_own_in_one_conversation(recording):
    hops = [{**DONE, "id": "h1", "status": "requires_continuation", "continuation_token": "t"}, {**DONE, "id": "h2"}]
    with Player([said(hop) for hop in hops]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CREATE, body())
        proxy.post(CREATE, {"model": "m", "continuation_token": "t", "previous_interaction_id": "h1"})
    stored = {s.record.response_id: s for s in proxy.records()}
    assert [stored[name].record.status for name in ("h1", "h2")] == ["complete", "complete"]
    assert [stored[name].conversation_id for name in ("h1", "h2")] == ["h1", "h1"]
    assert stored["h2"].record.declared is None


def test_without_an_id_an_interaction_has_the_spools_own_identity(recording):
    unstored = {name: value for name, value in DONE.items() if name != "id"}
    with Player([said(unstored), said(unstored)]).serving() as player, (proxy := recording(player.url)).running():
        for _ in range(2):
            proxy.post(CREATE, body(store=False))
    stored = proxy.records()
    assert len(stored) == 2
    assert all(s.record.source_id > 0 and s.record.status == "complete" for s in stored)


def test_a_delete_passes_without_a_record(recording):
    with Player([said({})]).serving() as player:
        with (proxy := recording(player.url)).running():
            assert proxy.get(f"{CREATE}/{ID}", method="DELETE")[0] == 200
        assert [one.head.split()[0] for one in player.requests] == [b"DELETE"]
    assert proxy.records() == []


def test_a_refusal_with_a_word_for_its_code_is_an_error_with_its_class(recording):
    replies = [
        Reply([json.dumps({"error": {"code": code, "message": text}}).encode()], status=status)
        for status, code, text in [
            (400, "invalid_request", "no"),
            (429, "resource_exhausted", "Your prepayment credits are depleted."),
            (429, "too_many_requests", "Slow down."),
        ]
    ]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        for _ in range(3):
            proxy.post(CREATE, body())
    errors = [s.record.error for s in reversed(proxy.records())]
    assert [(e.code, e.kind) for e in errors] == [
        ("invalid_request", None),
        ("resource_exhausted", "prepayment_depleted"),
        ("too_many_requests", "rate"),
    ]


def test_an_error_in_the_stream_without_usage_is_an_error(recording):
    failed = {"event_type": "error", "error": {"code": "internal", "message": "sorry"}}
    with Player([stream(CREATED, failed)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CREATE, body(stream=True))
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.error.code, stored.cost_pico) == ("error", "internal", 0)


def test_the_model_of_an_agent_decides_the_price_and_its_code_is_not_known_to_be_declared(recording):
    request = {
        "agent": "antigravity-preview-09-2026",
        "agent_config": {"type": "antigravity", "model": "models/gemini-2.5-flash"},
        "input": "go",
    }
    answer = {"id": "a1", "status": "completed", "agent": "antigravity-preview-09-2026", "usage": USAGE}
    with Player([said(answer)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(CREATE, request)
    (stored,) = proxy.records()
    record = stored.record
    assert (record.model, record.agent, record.declared) == ("gemini-2.5-flash", "antigravity-preview-09-2026", None)
    assert stored.cost_pico == (33 + 1200) * 300_000 + (310 + 542) * 2_500_000

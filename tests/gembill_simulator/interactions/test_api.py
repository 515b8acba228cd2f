"""The verbs of the surface, without a server."""

import json
from typing import Any

import pytest

from gembill.errors import Refusal
from gembill_simulator.frames import Reply
from gembill_simulator.interactions import InteractionsApi
from gembill_simulator.options import Options
from tests.gembill_simulator.contexts import ContextFactory, document

PRIMES = "Compute the sum of the first 9 primes"
ASK: dict[str, Any] = {"model": "gemini-2.5-flash", "input": PRIMES, "tools": [{"type": "code_execution"}]}
SLOW = ASK | {"background": True}
PATH = "/v1beta/interactions"


class Client:
    """The API and the maker of its requests."""

    def __init__(self, settings: Options | None = None) -> None:
        self.make_context = ContextFactory(settings)
        self.api = InteractionsApi(self.make_context.names)

    def reply(self, method: str, target: str, body: Any = None, **more: Any) -> Reply:
        return self.api.answer(self.make_context(method, target, body, **more))

    def __call__(self, method: str, target: str, body: Any = None, **more: Any) -> dict[str, Any]:
        return document(self.reply(method, target, body, **more))


def events(reply: Reply) -> list[dict[str, Any]]:
    *frames, last = reply.frames
    assert last == b"event: done\ndata: [DONE]\n\n"
    return [json.loads(frame.split(b"\n")[1].removeprefix(b"data: ")) for frame in frames]


def test_an_answer_has_output_only_and_a_reading_the_whole_timeline() -> None:
    client = Client()
    made = client("POST", PATH, ASK)
    read = client("GET", f"{PATH}/{made['id']}")
    assert made["steps"] == read["steps"][1:]
    assert read["steps"][0]["type"] == "user_input"
    assert made["usage"] == read["usage"]
    assert made["usage"]["total_tool_use_tokens"] > 0
    assert client("GET", f"{PATH}/{made['id']}") == read


def test_history_raises_the_input_and_a_program_run_twice_says_the_same() -> None:
    client = Client()
    seen = []
    for _ in range(2):
        first = client("POST", PATH, ASK)
        alone = client("POST", PATH, {"model": "gemini-2.5-flash", "input": "Tell me a story"})
        second = client(
            "POST",
            PATH,
            {"model": "gemini-2.5-flash", "input": "Tell me a story", "previous_interaction_id": first["id"]},
        )
        assert second["usage"]["total_input_tokens"] > alone["usage"]["total_input_tokens"]
        seen.append((first["id"], first["steps"], second["steps"], second["usage"]))
    assert seen[0][0] != seen[1][0]
    assert seen[0][1:] == seen[1][1:]


def test_one_that_is_not_stored_cannot_be_read_or_continued() -> None:
    client = Client()
    made = client("POST", PATH, ASK | {"store": False})
    for method, target, body in (
        ("GET", f"{PATH}/{made['id']}", None),
        ("POST", PATH, ASK | {"previous_interaction_id": made["id"]}),
    ):
        with pytest.raises(Refusal) as caught:
            client(method, target, body)
        assert caught.value.status == 404


@pytest.mark.parametrize(("polls", "ms", "shown"), [(2, 0, 2), (0, 3500, 4), (0, 0, 0)])
def test_one_in_the_background_is_done_after_its_polls_and_its_time(polls: int, ms: float, shown: int) -> None:
    client = Client(Options(polls=polls, pending_ms=ms))
    made = client("POST", PATH, SLOW)
    polled = [client("GET", f"{PATH}/{made['id']}", second=second) for second in range(6)]
    assert [one["status"] for one in polled] == ["in_progress"] * shown + ["completed"] * (6 - shown)
    assert all(("usage" in one) == (one["status"] == "completed") for one in polled)


def test_one_in_the_background_can_be_cancelled_once() -> None:
    client = Client()
    made = client("POST", PATH, SLOW)
    assert client("POST", f"{PATH}/{made['id']}/cancel")["status"] == "cancelled"
    cancelled = client("GET", f"{PATH}/{made['id']}")
    assert cancelled["status"] == "cancelled"
    assert "usage" not in cancelled
    with pytest.raises(Refusal):
        client("POST", f"{PATH}/{made['id']}/cancel")
    with pytest.raises(Refusal, match="background"):
        client("POST", f"{PATH}/{client('POST', PATH, ASK)['id']}/cancel")


def test_a_deleted_one_is_gone() -> None:
    client = Client()
    made = client("POST", PATH, ASK)
    assert client("DELETE", f"{PATH}/{made['id']}") == {}
    with pytest.raises(Refusal):
        client("GET", f"{PATH}/{made['id']}")


def test_a_stream_says_what_the_unary_answer_says_and_can_be_resumed_anywhere() -> None:
    client = Client()
    unary = client("POST", PATH, ASK)
    reply = client.reply("POST", PATH, ASK | {"stream": True})
    sent = events(reply)
    made = sent[-1]["interaction"]
    assert reply.usage == made["usage"]
    assert made["status"] == unary["status"] == "completed"
    for event in sent[:-1]:
        target = f"{PATH}/{made['id']}?stream=true&last_event_id={event['event_id']}"
        rest = events(client.reply("GET", target))
        assert rest == sent[sent.index(event) + 1 :]
    assert client("GET", f"{PATH}/{made['id']}")["usage"] == made["usage"]


def test_a_stream_followed_to_its_end_ends_the_wait() -> None:
    client = Client(Options(polls=9))
    made = client("POST", PATH, SLOW)
    assert events(client.reply("GET", f"{PATH}/{made['id']}?stream=true"))[-1]["interaction"]["usage"]
    assert client("GET", f"{PATH}/{made['id']}")["status"] == "completed"


def test_hops_go_on_by_token_stored_or_not() -> None:
    client = Client()
    first = client("POST", PATH, ASK, x_simulator_hops="3")
    assert first["status"] == "requires_continuation"
    assert first["usage"]["total_tokens"] > 0
    onward = {"model": "gemini-2.5-flash", "continuation_token": first["continuation_token"]}
    second = client("POST", PATH, onward | {"previous_interaction_id": first["id"]})
    assert second["status"] == "requires_continuation"
    assert second["usage"]["total_input_tokens"] > first["usage"]["total_input_tokens"]
    last = client("POST", PATH, ASK | {"store": False, "continuation_token": second["continuation_token"]})
    assert last["status"] == "completed"
    with pytest.raises(Refusal, match="needs the 'input'"):
        client("POST", PATH, onward)


def test_a_function_is_waited_for() -> None:
    client = Client()
    tools = [{"type": "function", "name": "get_weather", "parameters": {"properties": {"city": {"type": "string"}}}}]
    body = {"model": "gemini-3.8-flash", "input": "What is the weather in Boston?", "tools": tools}
    asked = client("POST", PATH, body)
    assert asked["status"] == "requires_action"
    result = {"type": "function_result", "call_id": asked["steps"][-1]["id"], "name": "get_weather", "result": "sunny"}
    answered = client("POST", PATH, body | {"input": [result], "previous_interaction_id": asked["id"]})
    assert answered["status"] == "completed"


def test_an_answer_at_its_limit_is_incomplete() -> None:
    body = {"model": "gemini-2.5-flash", "input": "Tell me a story", "generation_config": {"max_output_tokens": 3}}
    assert Client()("POST", PATH, body)["status"] == "incomplete"


def test_agents_need_no_tools_and_count_as_agents_do() -> None:
    client = Client()
    coding = client("POST", PATH, {"agent": "antigravity-preview-09-2026", "input": PRIMES})
    assert "code_execution_call" in [step["type"] for step in coding["steps"]]
    assert (coding["usage"]["total_tool_use_tokens"], coding["agent"]) == (0, "antigravity-preview-09-2026")
    research = client("POST", PATH, {"agent": "deep-research-preview-04-2026", "input": "Search the latest news"})
    assert research["usage"]["total_tool_use_tokens"] > 0
    assert research["usage"]["grounding_tool_count"][0]["count"] == 1


def test_the_old_schema_comes_on_demand() -> None:
    client = Client()
    old = client("POST", PATH, ASK, x_simulator_schema="old")
    assert "steps" not in old
    assert "code_execution_call" in [content["type"] for content in old["outputs"]]
    sent = events(client.reply("POST", PATH, ASK | {"stream": True}, x_simulator_schema="old"))
    assert (sent[0]["event_type"], sent[-1]["event_type"]) == ("interaction.start", "interaction.complete")
    assert sent[-1]["interaction"]["usage"] == old["usage"]


@pytest.mark.parametrize("fault", ["cut", "error_chunk"])
def test_a_spoilt_stream_has_no_usage_and_its_interaction_can_still_be_read(fault: str) -> None:
    client = Client()
    reply = client.reply("POST", PATH, ASK | {"stream": True}, fault=fault)
    assert reply.usage is None
    made = json.loads(reply.frames[0].split(b"\n")[1].removeprefix(b"data: "))["interaction"]
    assert client("GET", f"{PATH}/{made['id']}")["usage"]["total_tokens"] > 0
    assert client.reply("POST", PATH, ASK, fault=fault).usage is None

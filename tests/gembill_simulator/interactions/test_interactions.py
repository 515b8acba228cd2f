"""Interactions as the google-genai SDK sees them."""

import time
from collections.abc import Iterator

import pytest
from google import genai
from google.genai import types
from google.genai._gaos.lib.compat_errors import GeminiNextGenAPIClientError
from google.oauth2.credentials import Credentials

from gembill_simulator import Options, Running, Simulator, in_thread

PRIMES = "What is the sum of the first 50 prime numbers? Run code for the calculation."
CODE = [{"type": "code_execution"}]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with in_thread(Simulator(Options(polls=2))) as simulator:
        yield simulator


@pytest.fixture
def client(running: Running) -> Iterator[genai.Client]:
    made = genai.Client(api_key="test", http_options=types.HttpOptions(base_url=running.url))
    yield made
    made.close()


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-flash-preview", "gemini-4-argon"])
def test_a_calculation_runs_code_and_can_be_read_again(client: genai.Client, model: str) -> None:
    made = client.interactions.create(model=model, input=PRIMES, tools=CODE)
    assert made.status == "completed"
    assert "5117" in made.output_text
    assert {"code_execution_call", "code_execution_result"} <= {step.type for step in made.steps}
    usage = made.usage
    parts = (usage.total_input_tokens, usage.total_output_tokens, usage.total_thought_tokens)
    assert usage.total_tokens == sum(parts) + usage.total_tool_use_tokens
    assert usage.total_tool_use_tokens > 0
    read = client.interactions.get(made.id)
    assert read.steps[0].type == "user_input"
    assert read.usage.total_tokens == usage.total_tokens


def test_failures_are_errors_of_their_results(client: genai.Client) -> None:
    made = client.interactions.create(
        model="gemini-3-flash-preview",
        input=PRIMES,
        tools=CODE,
        extra_headers={"x-simulator-runs": "failed,deadline_exceeded,ok"},
    )
    assert [step.is_error for step in made.steps if step.type == "code_execution_result"] == [True, True, False]


def test_a_stream_is_parsed_event_by_event(client: genai.Client) -> None:
    tools = [*CODE, {"type": "google_search"}]
    events = list(
        client.interactions.create(
            model="gemini-2.5-flash", input="Search the news and compute 5 squares", tools=tools, stream=True
        )
    )
    assert not any(type(event).__name__.startswith("Unknown") for event in events)
    deltas = [event.delta for event in events if event.event_type == "step.delta"]
    assert not any(type(delta).__name__.startswith("Unknown") for delta in deltas)
    assert {"code_execution_call", "code_execution_result", "google_search_call", "google_search_result", "text"} <= {
        delta.type for delta in deltas
    }
    last = events[-1]
    assert last.event_type == "interaction.completed"
    assert last.interaction.usage.grounding_tool_count[0].count == 1
    half = events[len(events) // 2]
    rest = list(client.interactions.get(last.interaction.id, stream=True, last_event_id=half.event_id))
    assert [event.event_id for event in rest] == [event.event_id for event in events[len(events) // 2 + 1 :]]


def test_turns_are_joined_by_the_previous_interaction(client: genai.Client) -> None:
    first = client.interactions.create(model="gemini-2.5-flash", input=PRIMES, tools=CODE)
    second = client.interactions.create(
        model="gemini-2.5-flash", input="Tell me a story", previous_interaction_id=first.id
    )
    assert second.previous_interaction_id == first.id
    assert second.usage.total_input_tokens > first.usage.total_input_tokens


def test_an_interaction_in_the_background_is_polled_until_it_has_usage(client: genai.Client) -> None:
    made = client.interactions.create(agent="deep-research-preview-04-2026", input="Search the news", background=True)
    seen = [made]
    while seen[-1].status == "in_progress":
        time.sleep(0.01)
        seen.append(client.interactions.get(made.id))
    assert [one.status for one in seen] == ["in_progress"] * 3 + ["completed"]
    assert [one.usage is not None for one in seen] == [False] * 3 + [True]
    assert client.interactions.get(made.id).usage == seen[-1].usage
    other = client.interactions.create(agent="deep-research-preview-04-2026", input="Search it", background=True)
    assert client.interactions.cancel(other.id).status == "cancelled"
    client.interactions.delete(other.id)
    with pytest.raises(GeminiNextGenAPIClientError):
        client.interactions.get(other.id)


def test_images_go_in(client: genai.Client) -> None:
    made = client.interactions.create(
        model="gemini-3-flash-preview",
        input=[
            {"type": "text", "text": "Calculate the number of pixels."},
            {"type": "image", "data": PNG, "mime_type": "image/png"},
        ],
        tools=CODE,
    )
    counted = {one.modality: one.tokens for one in made.usage.input_tokens_by_modality}
    assert counted["image"] == 258
    assert "code_execution_call" in {step.type for step in made.steps}


def test_the_sdk_follows_the_hops_of_a_long_answer(client: genai.Client, running: Running) -> None:
    before = len(running.served)
    made = client.interactions.create(model="gemini-4-argon", input="Hello", extra_headers={"x-simulator-hops": "3"})
    assert made.status == "completed"
    hops = list(running.served)[before:]
    assert made.continuation_ids == [hop.response_id for hop in hops]
    totals = [hop.usage["total_tokens"] for hop in hops if hop.usage is not None]
    assert len(totals) == 3
    assert made.usage.total_tokens == sum(totals)


def test_a_function_is_waited_for_and_its_result_taken(client: genai.Client) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [{"type": "function", "name": "get_weather", "parameters": schema}]
    asked = client.interactions.create(
        model="gemini-3-flash-preview", input="What is the weather in Bonn?", tools=tools
    )
    assert asked.status == "requires_action"
    call = asked.steps[-1]
    assert call.arguments == {"city": "Bonn"}
    result = {"type": "function_result", "call_id": call.id, "name": call.name, "result": "sunny"}
    answered = client.interactions.create(
        model="gemini-3-flash-preview", input=[result], previous_interaction_id=asked.id, tools=tools
    )
    assert answered.status == "completed"


def test_the_vertex_form_of_the_path_is_answered(running: Running) -> None:
    vertex = genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="t"),
        http_options=types.HttpOptions(base_url=running.url),
    )
    made = vertex.interactions.create(model="gemini-2.5-flash", input="Hello")
    assert vertex.interactions.get(made.id).usage.total_tokens == made.usage.total_tokens
    assert running.served[-1].path == "/v1beta1/projects/p/locations/us-central1/interactions"
    vertex.close()


def test_errors_have_a_word_for_a_code(client: genai.Client) -> None:
    with pytest.raises(GeminiNextGenAPIClientError, match="not_found"):
        client.interactions.get("v1_nothing")

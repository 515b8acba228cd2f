"""The simulator as the google-genai SDK sees it."""

import asyncio
from collections.abc import Iterator

import pytest
from google import genai
from google.genai import errors, types

from gembill_simulator import Running, Simulator, in_thread

CODE = types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution())])
PRIMES = "What is the sum of the first 50 prime numbers? Run code for the calculation."


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with in_thread(Simulator()) as simulator:
        yield simulator


@pytest.fixture
def client(running: Running) -> Iterator[genai.Client]:
    made = genai.Client(api_key="test", http_options=types.HttpOptions(base_url=running.url))
    yield made
    made.close()


def total(usage: types.GenerateContentResponseUsageMetadata | None) -> int:
    assert usage is not None
    counts = (
        usage.prompt_token_count,
        usage.candidates_token_count,
        usage.thoughts_token_count,
        usage.tool_use_prompt_token_count,
    )
    assert usage.total_token_count == sum(count or 0 for count in counts)
    return usage.total_token_count or 0


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-flash-preview", "gemini-4-argon"])
def test_a_calculation_runs_code(client: genai.Client, model: str) -> None:
    config = CODE.model_copy(update={"http_options": types.HttpOptions(headers={"x-simulator-runs": "failed,ok"})})
    answer = client.models.generate_content(model=model, contents=PRIMES, config=config)
    assert answer.candidates is not None
    assert answer.candidates[0].content is not None
    results = [
        part.code_execution_result for part in answer.candidates[0].content.parts or () if part.code_execution_result
    ]
    assert [result.outcome for result in results] == [types.Outcome.OUTCOME_FAILED, types.Outcome.OUTCOME_OK]
    assert results[1].output == "50 5117\n"
    assert answer.usage_metadata is not None
    assert (answer.usage_metadata.tool_use_prompt_token_count or 0) > 0
    assert total(answer.usage_metadata) > 0
    assert answer.model_version == model
    assert answer.sdk_http_response is not None
    assert (answer.sdk_http_response.headers or {})["x-gemini-service-tier"] == "standard"


def test_a_greeting_uses_no_tool(client: genai.Client) -> None:
    answer = client.models.generate_content(model="gemini-2.5-flash", contents="Hello!", config=CODE)
    assert answer.text
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.tool_use_prompt_token_count is None


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-3.8-flash"])
def test_a_stream_ends_with_the_usage_of_the_unary_answer(client: genai.Client, model: str) -> None:
    chunks = list(client.models.generate_content_stream(model=model, contents=PRIMES, config=CODE))
    unary = client.models.generate_content(model=model, contents=PRIMES, config=CODE)
    assert len(chunks) > 3
    assert chunks[-1].usage_metadata == unary.usage_metadata
    assert {chunk.response_id for chunk in chunks} == {chunks[0].response_id}
    assert all(total(chunk.usage_metadata) for chunk in chunks)


def test_the_history_of_a_chat_raises_the_prompt(client: genai.Client) -> None:
    chat = client.chats.create(model="gemini-3.8-flash", config=CODE)
    first, second = chat.send_message("Hello"), chat.send_message("Tell me a story")
    assert first.usage_metadata is not None
    assert second.usage_metadata is not None
    assert (second.usage_metadata.prompt_token_count or 0) > (first.usage_metadata.prompt_token_count or 0)
    assert chat.send_message("Now compute 12 * 12").code_execution_result is not None


def test_an_image_is_258_image_tokens_and_a_plot_comes_back(client: genai.Client) -> None:
    image = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
    answer = client.models.generate_content(
        model="gemini-2.5-flash", contents=[image, "Plot a histogram of it"], config=CODE
    )
    assert answer.usage_metadata is not None
    details = answer.usage_metadata.prompt_tokens_details or []
    assert [entry.token_count for entry in details if entry.modality == types.MediaModality.IMAGE] == [258]
    assert answer.candidates is not None
    assert answer.candidates[0].content is not None
    drawn = [part.inline_data for part in answer.candidates[0].content.parts or () if part.inline_data]
    assert (drawn[0].data or b"").startswith(b"\x89PNG")


def test_models_are_listed_and_tokens_counted(client: genai.Client) -> None:
    names = [model.name for model in client.models.list(config={"page_size": 4})]
    assert "models/gemini-2.5-flash" in names
    assert len(names) == len(set(names)) > 4
    counted = client.models.count_tokens(model="gemini-2.5-flash", contents=PRIMES)
    answer = client.models.generate_content(model="gemini-2.5-flash", contents=PRIMES)
    assert answer.usage_metadata is not None
    assert counted.total_tokens == answer.usage_metadata.prompt_token_count


def test_errors_are_the_sdks_own(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as missing:
        client.models.generate_content(model="gemini-99", contents="x")
    assert missing.value.code == 404
    config = types.GenerateContentConfig(http_options=types.HttpOptions(headers={"x-simulator-fault": "error_chunk"}))
    with pytest.raises(errors.APIError, match="UNAVAILABLE"):
        list(client.models.generate_content_stream(model="gemini-2.5-flash", contents=PRIMES, config=config))


def test_the_async_client_streams_in_the_loop_that_serves() -> None:
    async def main() -> int:
        async with Simulator().serve() as running:
            options = types.HttpOptions(base_url=running.url, api_version="v1beta")
            client = genai.Client(api_key="test", http_options=options)
            stream = await client.aio.models.generate_content_stream(
                model="gemini-3.8-flash", contents=PRIMES, config=CODE
            )
            last = [chunk async for chunk in stream][-1]
            await client.aio.aclose()
            client.close()
            served = running.served[0].usage
            assert served is not None
            assert served["totalTokenCount"] == total(last.usage_metadata)
            return len(running.served)

    assert asyncio.run(main()) == 1


def test_a_search_beside_code_is_shown_as_code_and_grounds_the_answer(client: genai.Client) -> None:
    tools = [types.Tool(code_execution=types.ToolCodeExecution(), google_search=types.GoogleSearch())]
    question = "Search the latest news and compute the sum of the first 5 squares"
    answer = client.models.generate_content(
        model="gemini-2.5-flash", contents=question, config=types.GenerateContentConfig(tools=tools)
    )
    assert answer.candidates is not None
    (candidate,) = answer.candidates
    assert candidate.grounding_metadata is not None
    assert candidate.grounding_metadata.web_search_queries
    assert candidate.content is not None
    codes = [part.executable_code.code or "" for part in candidate.content.parts or () if part.executable_code]
    assert ["concise_search" in code for code in codes[:2]] == [True, False]
    assert total(answer.usage_metadata)


def test_a_function_is_called_by_the_sdk_and_its_result_ends_the_turn(client: genai.Client) -> None:
    def get_weather(city: str) -> str:
        """Weather of a city."""
        return f"sunny in {city}"

    answer = client.models.generate_content(
        model="gemini-3.8-flash",
        contents="What is the weather in Boston?",
        config=types.GenerateContentConfig(tools=[get_weather]),
    )
    history = answer.automatic_function_calling_history or []
    results = [part.function_response for content in history for part in content.parts or () if part.function_response]
    assert [result.response for result in results] == [{"result": "sunny in Boston"}]
    assert answer.text


def test_the_sdk_follows_the_hops_of_a_long_answer(client: genai.Client, running: Running) -> None:
    before = len(running.served)
    hops = types.HttpOptions(headers={"x-simulator-hops": "3"})
    answer = client.models.generate_content(
        model="gemini-4-argon", contents="Hello", config=types.GenerateContentConfig(http_options=hops)
    )
    usages = [served.usage for served in list(running.served)[before:] if served.usage is not None]
    assert len(usages) == 3
    assert total(answer.usage_metadata) == sum(usage["totalTokenCount"] for usage in usages)

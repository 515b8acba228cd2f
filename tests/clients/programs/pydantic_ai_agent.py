"""pydantic-ai: an agent that calls a function, and a stream."""

import asyncio

from pydantic_ai import Agent

agent = Agent("google:gemini-2.5-flash")


@agent.tool_plain
def weather(city: str) -> str:
    """The weather of a city."""
    return f"It rains in {city}."


async def main() -> None:
    answer = await agent.run("What is the weather in Hamburg?")
    print(len(answer.all_messages()))  # the ids of calls are drawn, and what is said after one depends on its id
    async with agent.run_stream("Good morning") as run:
        async for text in run.stream_text(debounce_by=None):
            print(text)


asyncio.run(main())

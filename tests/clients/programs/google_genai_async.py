"""google-genai, asynchronous: one answer, one stream, an interaction."""

import asyncio

from google import genai
from google.genai import types

QUESTION = "Compute the sum of the first 50 prime numbers."
config = types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution())])


async def main() -> None:
    client = genai.Client().aio
    answer = await client.models.generate_content(model="gemini-3-flash-preview", contents=QUESTION, config=config)
    print(answer.text)
    async for chunk in await client.models.generate_content_stream(
        model="gemini-3-flash-preview", contents=QUESTION, config=config
    ):
        print(chunk.text)
    made = await client.interactions.create(
        model="gemini-3-flash-preview", input=QUESTION, tools=[{"type": "code_execution"}]
    )
    print(made.status)


asyncio.run(main())

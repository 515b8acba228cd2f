"""google-adk: an agent with the built-in code executor."""

import asyncio

from google.adk.agents import LlmAgent
from google.adk.code_executors import BuiltInCodeExecutor
from google.adk.runners import InMemoryRunner
from google.genai import types

QUESTION = types.Content(role="user", parts=[types.Part(text="Compute the sum of the first 50 prime numbers.")])


async def main() -> None:
    agent = LlmAgent(name="calculator", model="gemini-2.5-flash", code_executor=BuiltInCodeExecutor())
    runner = InMemoryRunner(agent=agent, app_name="sums")
    session = await runner.session_service.create_session(app_name="sums", user_id="u")
    async for event in runner.run_async(user_id="u", session_id=session.id, new_message=QUESTION):
        for part in event.content.parts if event.content else ():
            print(part.text or part.executable_code or part.code_execution_result)


asyncio.run(main())

"""Semantic Kernel: one answer, one stream."""

import asyncio

from semantic_kernel.connectors.ai.google.google_ai import GoogleAIChatCompletion, GoogleAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory


async def main() -> None:
    service = GoogleAIChatCompletion(gemini_model_id="gemini-2.5-flash", api_key="an-ordinary-key")
    history = ChatHistory()
    history.add_user_message("Compute the sum of the first 50 prime numbers.")
    settings = GoogleAIChatPromptExecutionSettings()
    print(await service.get_chat_message_content(history, settings))
    async for chunk in service.get_streaming_chat_message_content(history, settings):
        print(chunk)


asyncio.run(main())

"""Strands: an agent's answer, which it streams."""

from strands import Agent
from strands.models.gemini import GeminiModel

model = GeminiModel(client_args={"api_key": "an-ordinary-key"}, model_id="gemini-2.5-flash")
print(Agent(model=model, callback_handler=None)("Good morning"))

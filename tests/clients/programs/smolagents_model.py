"""smolagents by OpenAI's endpoint: one answer."""

import os

from smolagents import OpenAIModel

model = OpenAIModel("gemini-2.5-flash", api_base=os.environ["BASE"] + "/v1beta/openai", api_key="an-ordinary-key")
print(model.generate([{"role": "user", "content": [{"type": "text", "text": "Good morning"}]}]).content)

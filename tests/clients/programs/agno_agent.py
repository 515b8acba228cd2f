"""agno: an agent's answer."""

from agno.agent import Agent
from agno.models.google import Gemini

agent = Agent(model=Gemini(id="gemini-2.5-flash"), telemetry=False)
print(agent.run("Good morning").content)

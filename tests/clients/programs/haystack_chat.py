"""Haystack: one answer."""

from haystack.dataclasses import ChatMessage
from haystack_integrations.components.generators.google_genai import GoogleGenAIChatGenerator

generator = GoogleGenAIChatGenerator(model="gemini-2.5-flash")
print(generator.run([ChatMessage.from_user("Good morning")])["replies"][0].text)

"""google-genai: one answer, one stream, a chat of two turns."""

from google import genai
from google.genai import types

QUESTION = "Compute the sum of the first 50 prime numbers."
config = types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution())])
client = genai.Client()
print(client.models.generate_content(model="gemini-2.5-flash", contents=QUESTION, config=config).text)
for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents=QUESTION, config=config):
    print(chunk.text)
chat = client.chats.create(model="gemini-2.5-flash", config=config)
print(chat.send_message("Good morning").text)
print(chat.send_message(QUESTION).text)

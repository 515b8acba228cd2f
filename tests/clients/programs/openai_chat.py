"""OpenAI's SDK: one completion, one stream."""

from openai import OpenAI

QUESTION = [{"role": "user", "content": "Compute the sum of the first 50 prime numbers."}]
client = OpenAI()
print(client.chat.completions.create(model="gemini-2.5-flash", messages=QUESTION).choices[0].message.content)
for chunk in client.chat.completions.create(model="gemini-2.5-flash", messages=QUESTION, stream=True):
    print(chunk.choices[0].delta.content if chunk.choices else "", end="")
print()

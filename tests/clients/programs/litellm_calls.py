"""LiteLLM: one answer, one stream."""

import litellm

QUESTION = [{"role": "user", "content": "Compute the sum of the first 50 prime numbers."}]
print(litellm.completion(model="gemini/gemini-2.5-flash", messages=QUESTION).choices[0].message.content)
for chunk in litellm.completion(model="gemini/gemini-2.5-flash", messages=QUESTION, stream=True):
    print(chunk.choices[0].delta.content or "", end="")
print()

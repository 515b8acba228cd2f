"""LlamaIndex: one answer, one stream."""

from llama_index.llms.google_genai import GoogleGenAI

QUESTION = "Compute the sum of the first 50 prime numbers."
model = GoogleGenAI(model="gemini-2.5-flash")
print(model.complete(QUESTION).text)
for chunk in model.stream_complete(QUESTION):
    print(chunk.delta)

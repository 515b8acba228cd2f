"""LangChain: one answer, one stream."""

from langchain_google_genai import ChatGoogleGenerativeAI

QUESTION = "Compute the sum of the first 50 prime numbers."
model = ChatGoogleGenerativeAI(model="gemini-2.5-flash")
print(model.invoke(QUESTION).content)
for chunk in model.stream(QUESTION):
    print(chunk.content)

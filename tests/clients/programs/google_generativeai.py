"""google-generativeai, the SDK before google-genai."""

import os

import google.generativeai as genai

QUESTION = "Compute the sum of the first 50 prime numbers."
genai.configure(transport="rest", client_options={"api_endpoint": os.environ["BASE"]})
model = genai.GenerativeModel("gemini-2.5-flash", tools="code_execution")
print(model.generate_content(QUESTION).text)
for chunk in model.generate_content(QUESTION, stream=True):
    print(chunk.text)

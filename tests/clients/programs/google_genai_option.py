"""google-genai before 1.13, which does not know the variable: the base URL is an option."""

import os

from google import genai

QUESTION = "Compute the sum of the first 50 prime numbers."
client = genai.Client(http_options={"base_url": os.environ["BASE"]})
print(client.models.generate_content(model="gemini-2.5-flash", contents=QUESTION).text)
for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents=QUESTION):
    print(chunk.text)

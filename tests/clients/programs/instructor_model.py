"""instructor: an answer in the form of a class."""

import instructor
from pydantic import BaseModel


class Weather(BaseModel):
    """What the weather is like."""

    city: str


client = instructor.from_provider("google/gemini-2.5-flash")
print(client.create(messages=[{"role": "user", "content": "The weather in Hamburg?"}], response_model=Weather))

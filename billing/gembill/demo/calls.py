"""The demo's real calls: the official SDK, through the proxy, to the simulator.

Owns: which calls the demo makes. Not here: servers; nothing is printed. Invariant: these are the calls of the
documentation's code-execution page (unary, streamed, chat, image in), made as a user's program makes them.
"""

import struct
import zlib
from collections.abc import Iterator

MODELS = ("gemini-3-flash-preview", "gemini-2.5-flash", "gemini-3.1-pro-preview")
_PRIMES = (
    "What is the sum of the first 50 prime numbers? Generate and run code for the calculation, "
    "and make sure you get all 50."
)
_QUESTIONS = (
    _PRIMES,
    "Compute the first 30 Fibonacci numbers.",
    "Calculate the average of 1 to 100, then divide it by zero to see what happens.",
    "Plot the squares of 1 to 12.",
    "Calculate the sum of the digits of 98765 twice, in two different ways.",
    "Good morning! Please say hello.",
)
_TURNS = (
    "I have 17 apples and 5 boxes.",
    "Compute how many apples are in each box.",
    "Calculate the same for 9 boxes.",
)


def make_calls(url: str) -> int:
    """Make some dozens of calls through the proxy at `url`; how many. The SDK takes over a second to import."""
    from google import genai
    from google.genai import types

    options = types.HttpOptions(
        base_url=url,
        headers={"x-gembill-label-team": "demo", "x-gembill-label-source": "sdk"},
        client_args={"trust_env": False},  # a company's proxy cannot reach this machine's loopback
    )
    with genai.Client(api_key="a-key-that-is-never-written", http_options=options) as client:
        tool = types.Tool(code_execution=types.ToolCodeExecution())
        config = types.GenerateContentConfig(tools=[tool])
        return sum(1 for model in MODELS for _ in _calls(client, model, config))


def _calls(client: "genai.Client", model: str, config: "types.GenerateContentConfig") -> Iterator[None]:  # type: ignore[name-defined]  # noqa: F821
    from google.genai import types

    for question in _QUESTIONS:
        client.models.generate_content(model=model, contents=question, config=config)
        yield
    for question in _QUESTIONS[:3]:
        for _ in client.models.generate_content_stream(model=model, contents=question, config=config):
            pass
        yield
    chat = client.chats.create(model=model, config=config)
    for turn in _TURNS:
        chat.send_message(turn)
        yield
    picture = types.Part.from_bytes(data=tiny_png(), mime_type="image/png")
    client.models.generate_content(model=model, contents=[picture, "Calculate the area of this square."], config=config)
    yield


def tiny_png(side: int = 16) -> bytes:
    """A grey square as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + b"\x99" * side for _ in range(side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

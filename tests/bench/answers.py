"""What callers of the benchmark send and what the upstream answers: bytes of the sizes that its table names.

Owns: a `generateContent` answer of 3 kB with code execution and usage, a stream of 20 events, a small request and one of
2 MB. Invariant: the same bytes in every run; the answer has 16 zeros in `responseId`, which the upstream numbers.
"""

import json

GENERATE = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
GAPS = STREAM + "&bench=gap"
EVENTS = 20
_NUMBER = "0" * 16
_USAGE = {
    "promptTokenCount": 147,
    "candidatesTokenCount": 108,
    "totalTokenCount": 783,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 147}],
    "toolUsePromptTokenCount": 360,
    "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 360}],
    "thoughtsTokenCount": 168,
}
_CODE = (
    "total = 0\nfor n in range(2, 230):\n    if all(n % d for d in range(2, int(n**0.5) + 1)):\n        total += n\n"
)
_PROSE = "The sum of the first fifty prime numbers is 5117; the code above added them up one by one. "


def answer() -> bytes:
    """A whole answer, 3 kB."""
    parts = [
        {"text": "Let us add up the primes with a few lines of Python."},
        {"executableCode": {"language": "PYTHON", "code": _CODE}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "5117\n"}},
        {"text": _PROSE * 20},
    ]
    return json.dumps(_chunk(parts, _USAGE, last=True), indent=2).encode()


def events() -> bytes:
    """A stream's events, about 300 bytes each but for the last, which has the usage."""
    pieces = [[{"text": _PROSE}]] * EVENTS
    pieces[3] = [{"executableCode": {"language": "PYTHON", "code": _CODE}}]
    pieces[4] = [{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "5117\n"}}]
    early = {"promptTokenCount": 147, "totalTokenCount": 147}
    chunks = [_chunk(parts, early, last=False) for parts in pieces[:-1]] + [_chunk(pieces[-1], _USAGE, last=True)]
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)


def request() -> bytes:
    """A small call that declares code execution."""
    return json.dumps(_request([{"text": "What is the sum of the first 50 prime numbers?"}])).encode()


def upload() -> bytes:
    """A call with an inline image of 2 MB."""
    image = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo" + "A" * 2_000_000 + "="}}
    return json.dumps(_request([image, {"text": "What is the sum of the numbers?"}])).encode()


def _request(parts: list[dict[str, object]]) -> dict[str, object]:
    return {"contents": [{"role": "user", "parts": parts}], "tools": [{"codeExecution": {}}]}


def _chunk(parts: list[dict[str, object]], usage: dict[str, object], *, last: bool) -> dict[str, object]:
    candidate: dict[str, object] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if last:
        candidate["finishReason"] = "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": "gemini-2.5-flash",
        "responseId": _NUMBER,
    }

"""What the reading of a call costs: from its headers to the bytes of its event, beside one typed decode of its answer.

Run: `python -m tests.bench.bench_exchange`. CPU microseconds, the least of many short rounds that alternate, so that a
busy neighbour meets both. `exchange` is also what `tests/test_reading_counts.py` counts.
"""

import time
from collections.abc import Callable, Sequence

import msgspec

from gembill.capture.attribution import caller_of
from gembill.capture.batch_results import exchange_for
from gembill.capture.context import ContextCache
from gembill.capture.fingerprint import Fingerprint
from gembill.event import Ending
from gembill.wire.routes import route
from tests.bench import answers

ROUNDS, CALLS = 200, 100
HEADERS = (
    (b"host", b"127.0.0.1:8787"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"user-agent", b"google-genai-sdk/3.4.0 gl-python/3.13.0"),
    (b"x-goog-api-client", b"google-genai-sdk/3.4.0 gl-python/3.13.0"),
    (b"x-goog-api-key", b"k" * 39),
    (b"x-gembill-label-team", b"search"),
    (b"content-type", b"application/json"),
)
ANSWERED = ((b"content-type", b"application/json; charset=UTF-8"), (b"vary", b"Origin"), (b"server", b"upstream"))
ID = "0199a0b0-0000-7000-8000-000000000001"
REQUEST = answers.request()
WAYS = {path: route("POST", path.partition("?")[0]) for path in (answers.GENERATE, answers.STREAM)}
_fingerprint = Fingerprint(b"a secret of the benchmark")
_context = ContextCache()


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    executable_code: dict[str, str] | None = None
    code_execution_result: dict[str, str] | None = None


class _Content(msgspec.Struct):
    parts: list[_Part]


class _Candidate(msgspec.Struct):
    content: _Content


class _Answer(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate]
    usage_metadata: msgspec.Raw
    model_version: str
    response_id: str


def exchange(path: str, pieces: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Intent and event of a call whose answer comes in these pieces."""
    way = WAYS[path]
    assert way is not None
    call = exchange_for(
        ID, 1_790_000_000_000_000, route=way, caller=caller_of(HEADERS, b""), fingerprint=_fingerprint, context=_context
    )
    call.request_headers(HEADERS)
    intent = call.intent()
    call.sent(REQUEST)
    call.answered(200, ANSWERED)
    for piece in pieces:
        call.received(piece)
    ((_, event),) = call.events(Ending.FINISHED, 1_790_000_001_000_000)
    return intent, event


def least(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The CPU microseconds of one run of each, the least of `ROUNDS` rounds."""
    times = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.process_time_ns()
            for _ in range(CALLS):
                work()
            times[name] = min(times[name], (time.process_time_ns() - start) / CALLS / 1e3)
    return times


def main() -> None:
    """Print the table."""
    whole, stream = answers.answer(), answers.events()
    pieces = [event + b"\r\n\r\n" for event in stream.split(b"\r\n\r\n") if event]
    decode = msgspec.json.Decoder(_Answer).decode
    works: dict[str, Callable[[], object]] = {
        "a typed decode of the answer": lambda: decode(whole),
        "answer of 3 kB": lambda: exchange(answers.GENERATE, [whole]),
        "20 events in one piece": lambda: exchange(answers.STREAM, [stream]),
        "20 events in 20 pieces": lambda: exchange(answers.STREAM, pieces),
    }
    times = least(works)
    yardstick = times["a typed decode of the answer"]
    for name, microseconds in times.items():
        print(f"{name:30} {microseconds:8.1f} us {microseconds / yardstick:8.1f} x the decode")
    for name, (intent, event) in (
        ("answer of 3 kB", exchange(answers.GENERATE, [whole])),
        ("20 events", exchange(answers.STREAM, [stream])),
    ):
        print(f"{name:30} intent {len(intent)} bytes, event {len(event)} bytes")


if __name__ == "__main__":
    main()

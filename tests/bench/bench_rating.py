"""How long rating takes: microseconds a record over batches of 1,000, and the loading of the bundled book.

Run: `python tests/bench/bench_rating.py`. The bound is 15 microseconds a record.
"""

import time
from datetime import UTC, datetime

from msgspec.structs import replace

from gembill.model import Api, Meter, Modality, Operation, Reading, Record, Status, Tokens
from gembill.rules.prices import bundled
from gembill.rules.rating import rate

AT = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp()) * 1_000_000
MODELS = ("gemini-2.5-flash", "gemini-3-flash-preview", "gemini-3.1-pro-preview", "gemini-3.8-flash", "gemini-4-argon")
ALIASES = ("gemini-2.0-flash-001", "gemini-flash-latest", "gemini-3.1-pro-preview-customtools", "gemini-unheard-of")


def _record(model: str) -> Record:
    quantities = {"input": 2000, "cached_input": 8000, "intermediate": 1200, "output": 310, "thinking": 542}
    readings = tuple(Reading(Meter(meter), Modality.TEXT, quantity) for meter, quantity in quantities.items())
    return Record(
        source_id=1, id="0", occurred_us=AT, ended_us=None, api=Api.GEMINI, operation=Operation.GENERATE_CONTENT,
        streamed=False, model=model, requested_model=model, agent=None, service_tier="standard", key=None,
        status=Status.COMPLETE, http_status=200, error=None, finish_reason="STOP", response_id=None, conversation=None,
        turns=1, tokens=Tokens(input=10000, intermediate=1200, output=852, total=12052, cached=8000, thinking=542),
        declared=True, executions=(), readings=readings, labels={},
    )  # fmt: skip


def _microseconds_a_record(models: tuple[str, ...]) -> float:
    book = bundled()
    records = [replace(_record(models[i % len(models)]), id=str(i)) for i in range(1000)]
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter_ns()
        for record in records:
            rate(record, book)
        best = min(best, time.perf_counter_ns() - start)
    return best / 1000 / len(records)


def main() -> None:
    start = time.perf_counter()
    book = bundled()
    print(f"load {1e3 * (time.perf_counter() - start):.1f} ms, {len(book.rows)} rows")
    print(f"rate, plain names {_microseconds_a_record(MODELS):.2f} us a record")
    print(f"rate, aliases and unknown models {_microseconds_a_record(ALIASES):.2f} us a record")


if __name__ == "__main__":
    main()

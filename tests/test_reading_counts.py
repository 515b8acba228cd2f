"""How often the reading of a call decodes and how many functions it runs through: its cost without a clock.

Owns: the bounds. They are what was measured and a tenth more, for other versions of Python; they go down with it.
"""

import sys
from collections import Counter
from types import FrameType
from typing import Any

import pytest

from tests.bench import answers
from tests.bench.bench_exchange import exchange

EVENTS = [event + b"\r\n\r\n" for event in answers.events().split(b"\r\n\r\n") if event]


def counts(path: str, pieces: list[bytes]) -> Counter[str]:
    """Decodes of JSON, Python functions and functions in C of one exchange whose caller is known by now."""
    exchange(path, pieces)
    counted: Counter[str] = Counter()

    def count(_: FrameType, event: str, function: Any) -> None:
        counted[event] += 1
        if event == "c_call" and function.__name__ == "decode" and type(function.__self__).__module__ == "msgspec.json":
            counted["decodes"] += 1

    sys.setprofile(count)
    try:
        exchange(path, pieces)
    finally:
        sys.setprofile(None)
    return counted


def test_an_answer_is_decoded_once_and_a_request_once_and_its_opening_once():
    counted = counts(answers.GENERATE, [answers.answer()])
    assert counted["decodes"] == 3
    assert counted["call"] <= 138  # measured: 126
    assert counted["c_call"] <= 158  # measured: 144, of which 20 are for the digests of turns


@pytest.mark.parametrize(("pieces", "most"), [([answers.events()], 465), (EVENTS, 590)], ids=["whole", "cut"])
def test_each_event_of_a_stream_is_decoded_once(pieces, most):
    counted = counts(answers.STREAM, pieces)
    assert counted["decodes"] == 2 + answers.EVENTS
    assert counted["call"] <= most  # measured: 427 and 541


def test_what_a_call_costs_does_not_grow_with_its_texts():
    short, long = (b'{"candidates": [{"content": {"parts": [{"text": "%s"}]}}]}' % (b"x" * n) for n in (10, 60_000))
    assert counts(answers.GENERATE, [short]) == counts(answers.GENERATE, [long])


def test_an_answer_that_no_strict_decoder_takes_costs_little_more():
    strict = b'{"candidates": [{"content": {"parts": [%s]}}], "x": 1}' % b",".join([b'{"thought": true}'] * 500)
    lenient = strict.replace(b'"x": 1', b'"x": NaN')
    plain, harder = (counts(answers.GENERATE, [body]) for body in (strict, lenient))
    assert harder["call"] - plain["call"] < 40  # measured: 28, however many parts there are

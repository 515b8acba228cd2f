"""The programs a simulated model writes: their output is what Python prints, their charts are whole."""

import contextlib
import io
import struct
import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator.programs import DEADLINE, FAILED, OK, bar_chart, choose, draws, ends_well, fails, never_ends
from tests.png import chunks

_QUESTIONS = [
    "first 50 primes",
    "fibonacci 30",
    "average of it",
    "squares up to 12",
    "anything 7",
    "nothing",
    "9999999999 primes",
]


@pytest.mark.parametrize("question", _QUESTIONS)
@pytest.mark.parametrize("seed", range(4))
def test_the_output_is_what_the_source_prints(question: str, seed: int) -> None:
    run = ends_well(choose(question, Random(seed)))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(run.code, "<simulated>", "exec"), {})
    assert run.outcome == OK
    assert run.output == printed.getvalue()


@pytest.mark.parametrize("attempt", range(6))
def test_a_failing_run_raises_what_its_traceback_says(attempt: int) -> None:
    run = fails(choose("first 5 primes", Random(0)), attempt)
    with pytest.raises(Exception) as caught:  # noqa: PT011 the kind is compared below
        exec(compile(run.code, "<simulated>", "exec"), {})
    assert run.outcome == FAILED
    assert run.output.endswith(f"{type(caught.value).__name__}: {caught.value}\n")


def test_attempts_make_different_mistakes() -> None:
    program = choose("first 5 primes", Random(0))
    assert len({fails(program, attempt).output for attempt in range(6)}) == 6


def test_a_plot_carries_an_image_and_a_stopped_run_prints_nothing() -> None:
    program = choose("first 5 primes", Random(0))
    image = draws(program).image
    assert image is not None
    assert image.startswith(b"\x89PNG")
    assert (never_ends(program).outcome, never_ends(program).output) == (DEADLINE, "")


@given(st.lists(st.integers(-5, 10**30), max_size=100))
def test_any_values_give_a_whole_picture(values: list[int]) -> None:
    (_, header), (kind, data), end = chunks(bar_chart(values))
    width, height = struct.unpack(">II", header[:8])
    assert (kind, end) == (b"IDAT", (b"IEND", b""))
    assert len(zlib.decompress(data)) == height * (1 + width)


def test_a_higher_value_has_more_ink() -> None:
    ink = [zlib.decompress(chunks(bar_chart([value, 100]))[1][1]).count(b"\x40") for value in (10, 50, 100)]
    assert ink[0] < ink[1] < ink[2]


def test_a_filled_picture_is_larger_and_still_whole() -> None:
    filled = chunks(bar_chart([1, 2], filling=5000))
    assert [kind for kind, _ in filled] == [b"IHDR", b"IDAT", b"gbFl", b"IEND"]
    assert len(zlib.compress(filled[2][1])) > 4900

"""The programs a simulated model writes: their output is what Python prints."""

import contextlib
import io
from random import Random

import pytest

from gembill_simulator.programs import DEADLINE, FAILED, OK, choose, draws, ends_well, fails, never_ends

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

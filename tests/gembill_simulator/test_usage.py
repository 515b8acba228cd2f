"""The laws of usage (wire.md 9), held over many prompts, seeds and models."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill_simulator.answer import Overrides, Piece, PieceKind, Script, Turn, compose
from gembill_simulator.models import MODELS
from gembill_simulator.request import ParsedRequest
from gembill_simulator.tokens import NOTHING, TokenTally
from gembill_simulator.usage import Counts, snapshots, whole

_RUNS = st.lists(st.sampled_from(["ok", "failed", "deadline_exceeded", "plot", "search", "call"]), max_size=6).map(
    tuple
)
_QUESTIONS = st.sampled_from(
    ["Hello", "Compute the sum of the first 20 primes", "Plot it", "Do it twice", "Run forever"]
)


@st.composite
def scripts(draw: st.DrawFn, generations: tuple[int, ...] = (2, 3, 4)) -> Script:
    names = [name for name, model in MODELS.items() if model.generation in generations]
    request = ParsedRequest(
        prompt=TokenTally(draw(st.integers(1, 5000)), image=draw(st.sampled_from([0, 258, 516]))),
        question=draw(_QUESTIONS),
        code_allowed=draw(st.booleans()),
        thinks=draw(st.sampled_from([None, True, False])),
        shows_thoughts=draw(st.booleans()),
        most_tokens=draw(st.sampled_from([None, None, 1, 100])),
    )
    overrides = Overrides(runs=draw(st.none() | _RUNS), cached=draw(st.none() | st.integers(0, 9000)))
    return compose(request, MODELS[draw(st.sampled_from(names))], seed=draw(st.binary(max_size=4)), overrides=overrides)


def rounds(script: Script) -> int:
    """Runs of code, and searches where they cost tool use (law 21)."""
    kinds = {PieceKind.RESULT} if script.model.resets else {PieceKind.RESULT, PieceKind.SEARCH_RESULT}
    return sum(piece.kind in kinds for piece in script.pieces)


@given(scripts())
def test_tool_use_is_there_exactly_when_code_ran_and_covers_the_prompt_once_a_round(script: Script) -> None:
    counts = whole(script)
    assert (counts.tool.total > 0) == (rounds(script) > 0)
    assert counts.tool.total >= rounds(script) * counts.prompt.total


@given(scripts())
def test_the_last_chunk_says_what_the_unary_answer_says(script: Script) -> None:
    seen = snapshots(script)
    assert seen[-1] == whole(script)
    assert len(seen) == sum(len(turn.pieces) for turn in script.turns)


@given(scripts(generations=(2,)))
def test_counts_of_a_2_5_stream_never_fall_and_a_result_changes_none(script: Script) -> None:
    seen = snapshots(script)
    pieces = [piece for turn in script.turns for piece in turn.pieces]
    for (before, after), piece in zip(pairwise(seen), pieces[1:], strict=True):
        assert after.prompt == before.prompt
        assert after.candidates >= before.candidates
        assert after.thoughts >= before.thoughts
        assert after.tool.total >= before.tool.total
        assert piece.kind is not PieceKind.RESULT or after == before


@given(scripts(generations=(3, 4)))
def test_counts_of_a_3_x_stream_start_again_with_each_turn_until_the_last_chunk(script: Script) -> None:
    seen = iter(snapshots(script)[:-1])
    for turn in script.turns[:-1]:
        inner = [next(seen) for _ in turn.pieces]
        assert inner[0].candidates == turn.pieces[0].candidates
        for counts, piece in zip(inner, turn.pieces, strict=True):
            assert counts.tool == NOTHING
            assert piece.kind is not PieceKind.RESULT or counts == Counts(script.prompt, script.cached)


@given(scripts(generations=(3, 4)))
def test_the_last_prompt_of_a_3_x_answer_has_grown_by_the_thoughts_of_the_inner_turns(script: Script) -> None:
    inner = sum(piece.thoughts for turn in script.turns if turn.uses_tool for piece in turn.pieces)
    assert whole(script).prompt == script.prompt + TokenTally(text=inner)


@given(scripts())
@settings(max_examples=50)
def test_cached_tokens_are_part_of_the_prompt_in_every_chunk(script: Script) -> None:
    assert all(counts.cached == script.cached <= counts.prompt.total for counts in snapshots(script))


def _hand_made(model: str) -> Script:
    code = Piece(PieceKind.CODE, "print(7)", candidates=10, thoughts=70)
    again = Piece(PieceKind.CODE, "print(8)", candidates=20)
    result = Piece(PieceKind.RESULT, "7", result=TokenTally(text=2), outcome="OUTCOME_OK")
    other = Piece(PieceKind.RESULT, "8", result=TokenTally(text=3), outcome="OUTCOME_OK")
    last = Turn((Piece(PieceKind.TEXT, "done", candidates=8),))
    turns = (Turn((code, result), uses_tool=True), Turn((again, other), uses_tool=True), last)
    return Script(MODELS[model], TokenTally(text=50), 0, turns)


def test_each_round_re_reads_prompt_candidates_thoughts_and_results_so_far() -> None:
    counts = whole(_hand_made("gemini-2.5-flash"))
    assert counts.tool.total == (50 + 10 + 70 + 2) + (50 + 30 + 70 + 5)
    assert (counts.prompt.total, counts.candidates, counts.thoughts) == (50, 38, 70)
    assert counts.total == 50 + 38 + 70 + 132 + 155


def test_a_3_x_round_re_reads_the_prompt_as_it_has_grown() -> None:
    counts = whole(_hand_made("gemini-3-flash-preview"))
    assert counts.prompt.total == 50 + 70
    assert counts.tool.total == (120 + 10 + 70 + 2) + (120 + 30 + 70 + 5)


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3.8-flash"])
def test_a_prompt_with_an_image_is_re_read_as_an_image(model: str) -> None:
    request = ParsedRequest(TokenTally(text=10, image=258), "Compute the sum of 3 primes", code_allowed=True)
    counts = whole(compose(request, MODELS[model], seed=b"", overrides=Overrides(runs=("ok", "ok"))))
    assert counts.prompt.image == 258
    assert counts.tool.image == 2 * 258

"""What the simulated model chooses to say."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator.answer import MOST_REGENERATIONS, Overrides, PieceKind, Script, compose
from gembill_simulator.calls import Function
from gembill_simulator.models import MODELS
from gembill_simulator.request import ParsedRequest
from gembill_simulator.tokens import TokenTally, count


def script(question: str, model: str = "gemini-2.5-flash", seed: bytes = b"", *, code: bool = True) -> Script:
    return compose(ParsedRequest(TokenTally(text=9), question, code_allowed=code), MODELS[model], seed=seed)


def outcomes(answer: Script) -> list[str]:
    return [piece.outcome for turn in answer.turns for piece in turn.pieces if piece.kind is PieceKind.RESULT]


@pytest.mark.parametrize(
    "question",
    ["Calculate 17 * 23", "what is 9001-77 * 3", "Compute the mean", "sum of the first 50 primes", "plot a line"],
)
def test_a_question_to_compute_uses_tool_if_the_tool_is_declared(question: str) -> None:
    assert outcomes(script(question))
    assert not outcomes(script(question, code=False))


@pytest.mark.parametrize("question", ["Hello!", "Tell me a story", "What is your name?", ""])
def test_other_questions_run_none_though_the_tool_is_declared(question: str) -> None:
    assert not outcomes(script(question))


@given(st.binary(max_size=8))
def test_failed_runs_are_tried_again_at_most_five_times(seed: bytes) -> None:
    ends = outcomes(script("Calculate something that fails", seed=seed))
    assert ends[-1] == "OUTCOME_OK"
    assert 1 <= ends.count("OUTCOME_FAILED") <= MOST_REGENERATIONS


def test_over_many_seeds_code_ends_in_every_way() -> None:
    ways = {tuple(outcomes(script("Compute a number", seed=b"%d" % seed))) for seed in range(400)}
    assert ("OUTCOME_OK",) in ways
    assert ("OUTCOME_OK", "OUTCOME_OK") in ways
    assert ("OUTCOME_FAILED",) * (MOST_REGENERATIONS + 1) in ways
    assert ("OUTCOME_DEADLINE_EXCEEDED", "OUTCOME_OK") in ways


def test_words_decide_on_plots_rounds_and_deadlines() -> None:
    drawn = script("Draw a histogram of the first 10 squares")
    assert any(piece.kind is PieceKind.IMAGE for turn in drawn.turns for piece in turn.pieces)
    assert outcomes(script("Compute it twice")) == ["OUTCOME_OK", "OUTCOME_OK"]
    assert outcomes(script("Calculate forever")) == ["OUTCOME_DEADLINE_EXCEEDED"]


def test_overrides_come_before_the_question() -> None:
    request = ParsedRequest(TokenTally(text=9), "Hello", code_allowed=False)
    wished = compose(request, MODELS["gemini-3.8-flash"], seed=b"", overrides=Overrides(runs=("failed", "ok")))
    assert outcomes(wished) == ["OUTCOME_FAILED", "OUTCOME_OK"]


def test_code_and_result_share_an_id_on_3_x_and_have_none_on_2_5() -> None:
    pieces = [piece for turn in script("Compute it twice", "gemini-3.8-flash").turns for piece in turn.pieces]
    codes = [piece.id for piece in pieces if piece.kind is PieceKind.CODE]
    assert codes == [piece.id for piece in pieces if piece.kind is PieceKind.RESULT]
    assert len(set(codes)) == 2
    assert all(re.fullmatch("[0-9a-f]{8}", name) for name in codes)
    assert not any(piece.id for turn in script("Compute it twice").turns for piece in turn.pieces)


def test_a_model_asked_not_to_think_does_not_and_lite_thinks_only_when_asked() -> None:
    def thoughts(model: str, thinks: bool | None) -> int:
        answer = compose(
            ParsedRequest(TokenTally(text=9), "Hi", code_allowed=False, thinks=thinks), MODELS[model], seed=b""
        )
        return sum(piece.thoughts for turn in answer.turns for piece in turn.pieces)

    assert thoughts("gemini-2.5-flash", None) > 0 == thoughts("gemini-2.5-flash", False)
    assert thoughts("gemini-2.5-flash-lite", None) == 0 < thoughts("gemini-2.5-flash-lite", True)


def test_thoughts_are_shown_when_asked_for_and_counted_once() -> None:
    request = ParsedRequest(TokenTally(text=9), "Hi", code_allowed=False, shows_thoughts=True)
    pieces = compose(request, MODELS["gemini-2.5-flash"], seed=b"").turns[0].pieces
    assert pieces[0].kind is PieceKind.THOUGHT
    assert pieces[0].thoughts > 0
    assert not any(piece.thoughts for piece in pieces[1:])


def test_the_output_limit_shortens_the_text_and_is_named() -> None:
    request = ParsedRequest(TokenTally(text=9), "Tell me a story", code_allowed=False, thinks=False, most_tokens=4)
    answer = compose(request, MODELS["gemini-2.5-flash"], seed=b"")
    assert answer.finish == "MAX_TOKENS"
    assert sum(piece.candidates for piece in answer.turns[0].pieces) <= 4


@given(st.text(max_size=60), st.binary(max_size=4), st.sampled_from(sorted(MODELS)))
def test_any_question_has_one_answer_whose_texts_are_counted(question: str, seed: bytes, model: str) -> None:
    answer = script(question, model, seed)
    assert answer == script(question, model, seed)
    texts = [piece for turn in answer.turns for piece in turn.pieces if piece.kind is PieceKind.TEXT]
    assert all(piece.candidates == count(piece.text) for piece in texts)


def test_a_cache_adds_its_tokens_to_the_prompt_and_every_use_counts_the_same() -> None:
    request = ParsedRequest(TokenTally(text=9), "Hi", code_allowed=True, cached_content="cachedContents/a")
    first, second = (compose(request, MODELS["gemini-2.5-flash"], seed=seed) for seed in (b"1", b"2"))
    assert first.cached == second.cached >= 1024
    assert first.prompt.total == 9 + first.cached


SEARCHES = ParsedRequest(TokenTally(text=9), "Search the latest news", code_allowed=False, search_allowed=True)
WEATHER = Function("get_weather", {"properties": {"city": {"type": "string"}}})


def kinds(answer: Script) -> list[list[PieceKind]]:
    return [[piece.kind for piece in turn.pieces] for turn in answer.turns]


def test_a_search_is_a_turn_on_2_5_and_part_of_one_on_3_x() -> None:
    older = compose(SEARCHES, MODELS["gemini-2.5-flash"], seed=b"")
    newer = compose(SEARCHES, MODELS["gemini-3.8-flash"], seed=b"")
    assert kinds(older)[0] == [PieceKind.SEARCH, PieceKind.SEARCH_RESULT]
    assert len(newer.turns) == 1
    assert kinds(newer)[0][:2] == [PieceKind.SEARCH, PieceKind.SEARCH_RESULT]
    assert older.findings == newer.findings is not None


def test_a_search_is_shown_only_where_a_search_is_shown_as_code() -> None:
    for request, shown_as_code in ((SEARCHES, False), (replace(SEARCHES, code_allowed=True), True)):
        answer = compose(request, MODELS["gemini-2.5-flash"], seed=b"")
        assert answer.shown_as_code is shown_as_code
        assert any(piece.kind is PieceKind.SEARCH and answer.shows(piece) for piece in answer.pieces) is shown_as_code


def test_a_function_is_called_after_code_ran_and_not_again_once_it_answered() -> None:
    request = ParsedRequest(TokenTally(text=9), "Compute the weather", code_allowed=True, functions=(WEATHER,))
    answer = compose(request, MODELS["gemini-3.8-flash"], seed=b"")
    assert outcomes(answer)
    assert answer.pieces[-1].kind is PieceKind.CALL
    answered = compose(replace(request, answered=True), MODELS["gemini-3.8-flash"], seed=b"")
    assert answered.pieces[-1].kind is not PieceKind.CALL


def test_a_call_may_be_wished_for_without_any_function() -> None:
    request = ParsedRequest(TokenTally(text=9), "Hello", code_allowed=False)
    wished = compose(request, MODELS["gemini-2.5-flash"], seed=b"", overrides=Overrides(runs=("call",)))
    assert wished.pieces[-1].name == "simulated_function"


def test_each_hop_reads_what_the_hops_before_it_put_out() -> None:
    request, model = ParsedRequest(TokenTally(text=9), "Hello", code_allowed=False), MODELS["gemini-4-argon"]
    first = compose(request, model, seed=b"", overrides=Overrides(hops=2))
    assert first.finish == "CONTINUATION"
    assert first.continues is not None
    assert first.continues.spent == sum(piece.candidates + piece.thoughts for piece in first.pieces)
    last = compose(replace(request, continues=first.continues), model, seed=b"", overrides=Overrides(hops=2))
    assert (last.finish, last.continues) == ("STOP", None)
    assert last.prompt.text == first.prompt.text + first.continues.spent


def test_a_plot_may_be_as_large_as_wished() -> None:
    overrides = Overrides(runs=("plot",), filling=300_000)
    answer = compose(
        ParsedRequest(TokenTally(text=9), "x", code_allowed=True),
        MODELS["gemini-2.5-flash"],
        seed=b"",
        overrides=overrides,
    )
    (image,) = [piece for piece in answer.pieces if piece.kind is PieceKind.IMAGE]
    assert len(image.text) > 400_000
    assert image.result == TokenTally(image=258)

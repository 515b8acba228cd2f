"""What each round re-read: shown by running counts, checked by the law, estimated where nothing is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.event import Part
from gembill.rules.rounds import rounds, tells_rounds
from gembill.wire.token_counts import Usage

CODE = Part(kind="code", chars=40)
RESULT = Part(kind="result", chars=8)


def state(candidates: int, thoughts: int, tool_use: int | None, prompt: int = 43) -> Usage:
    return Usage(prompt=prompt, candidates=candidates, thoughts=thoughts, tool_use=tool_use)


# counts as a 2.5 stream of two rounds shows them: what a round adds is prompt, output so far and the results so far
OUTLINE = [CODE, RESULT, CODE, RESULT, Part(kind="text", chars=9)]
STATES = [
    (1, state(16, 59, None)),
    (2, state(16, 59, None)),
    (3, state(40, 59, 123)),
    (4, state(40, 59, 123)),
    (5, state(44, 59, 276)),
]
LAST = state(48, 59, 276)


def test_a_shown_round_re_read_the_difference_and_the_law_explains_it():
    shown = rounds(OUTLINE, STATES, LAST)
    assert [(one.intermediate, one.expected, one.estimated) for one in shown] == [
        (123, 43 + 16 + 59, False),
        (153, 43 + 40 + 59, False),
    ]
    assert all(one.explained for one in shown)


def test_any_rise_is_a_round_and_a_count_that_stays_is_not():
    states = [(1, state(16, 59, None)), (2, state(16, 59, 1)), (3, state(20, 59, 1)), (4, state(20, 59, 3))]
    shown = rounds(OUTLINE, states, state(20, 59, 3))
    assert [(one.intermediate, one.estimated) for one in shown] == [(1, False), (2, False)]


@pytest.mark.parametrize("last", [276 + 500, 276 - 40])
def test_a_count_the_law_cannot_explain_carries_both_numbers(last):
    states = [*STATES[:-1], (5, state(44, 59, last))]
    first, second = rounds(OUTLINE, states, state(48, 59, last))
    assert first.explained
    assert not second.explained
    assert (second.intermediate, second.expected) == (last - 123, 142)


def test_code_inside_a_thought_need_not_be_re_read():
    outline = [Part(kind="code", chars=90, thought=True), Part(kind="result", chars=17, thought=True)]
    states = [(1, state(33, 413, None, 46)), (2, state(33, 413, None, 46)), (3, state(40, 500, 476, 46))]
    (one,) = rounds(outline, states, state(60, 500, 476, 46))
    assert one.explained
    assert (one.intermediate, one.expected) == (476, 46 + 33 + 413)


def test_counts_that_fall_show_no_rounds_and_are_estimated():
    states = [(1, state(51, 101, None, 46)), (2, state(0, 0, None, 46)), (3, state(22, 67, None, 46))]
    (one,) = rounds([CODE, RESULT], states, state(108, 168, 360, 147))
    assert (one.intermediate, one.estimated, one.explained) == (360, True, True)


def test_a_search_among_the_code_is_estimated_too():
    outline = [Part(kind="code", tool_call_as_code="concise_search"), RESULT, *OUTLINE]
    assert all(one.estimated for one in rounds(outline, STATES, LAST))


@given(
    st.integers(1, 10**9),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.lists(st.integers(0, 999), min_size=1, max_size=7),
)
def test_estimates_add_up_and_grow(tool_use, prompt, output, chars):
    outline = [part for n in chars for part in (CODE, Part(kind="result", chars=n))]
    shown = rounds(outline, (), Usage(prompt=prompt, candidates=output, tool_use=tool_use))
    assert sum(one.intermediate for one in shown) == tool_use
    assert len(shown) == len(chars)
    assert all(one.estimated and one.explained and one.intermediate >= 0 for one in shown)
    assert [one.expected for one in shown] == sorted(one.expected for one in shown)


@pytest.mark.parametrize("usage", [Usage(), state(1, 1, 0), state(1, 1, None), Usage(tool_use=5)])
def test_without_a_count_or_a_run_there_are_no_rounds(usage):
    assert rounds(OUTLINE, STATES, usage) == ()
    assert rounds([CODE, Part(kind="text")], STATES, LAST) == ()


@pytest.mark.parametrize(
    ("snapshots", "tool_use", "may"), [(0, 5, False), (1, 5, False), (2, None, False), (2, 5, True)]
)
def test_only_counts_that_were_shown_twice_can_be_unexplained(snapshots: int, tool_use: int | None, may: bool) -> None:
    usage = Usage(prompt=3, tool_use=tool_use)
    assert tells_rounds([object()] * snapshots, usage) is may

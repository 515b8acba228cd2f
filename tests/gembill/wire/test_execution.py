"""The pairing of code and results, for every dialect."""

from hypothesis import given
from hypothesis import strategies as st

from gembill.event import Part
from gembill.model import Outcome
from gembill.wire.execution import digest, digits, executions, tool_call_as_code

WORDS = {"fine": Outcome.OK, "bad": Outcome.FAILED}
parts = st.builds(
    Part,
    kind=st.sampled_from(["code", "result", "text"]),
    candidate=st.integers(0, 1),
    id=st.none() | st.sampled_from(["a", "b"]),
    outcome=st.none() | st.sampled_from(["fine", "bad", "new"]),
    chars=st.integers(0, 9),
)


@given(st.lists(parts, max_size=12))
def test_every_result_is_one_run_and_no_code_is_counted_twice(outline):
    runs = executions(outline, WORDS)
    results = sum(part.kind == "result" for part in outline)
    code = sum(part.kind == "code" for part in outline)
    assert max(results, code) <= len(runs) <= results + code
    assert sum(run.result_chars is not None for run in runs) == results
    assert sum(run.code_chars is not None for run in runs) == code


def test_a_search_shown_as_code_is_not_a_run_with_or_without_its_result():
    search = Part(kind="code", tool_call_as_code="concise_search")
    assert executions([search, Part(kind="result", outcome="fine")], WORDS) == ()
    assert executions([search], WORDS) == ()
    assert [
        tool_call_as_code(code) for code in ("print(concise_search('x'))", " default_api.f()", "x = concise_search")
    ] == [
        "concise_search",
        "default_api",
        None,
    ]


def test_an_outcome_of_another_version_is_unknown():
    (run,) = executions([Part(kind="result", outcome="a_new_word")], WORDS)
    assert run.outcome is Outcome.UNKNOWN


def test_digests_go_on_and_digits_of_elided_texts_are_lost():
    assert digest("ab") == digest("ab") != digest("b", digest("a")) != digest("ab", "x")
    assert (digits("a1b22"), digits("elided:70000:0123456789abcdef")) == (3, 0)
    assert digits("é1٣²½") == 2  # decimal digits of any script

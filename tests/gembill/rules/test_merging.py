import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gembill.model import Execution, Operation, Outcome, Record, Status
from gembill.rules.merging import amended, completed, is_fuller
from tests.gembill.ledger.making import LOST, START, record, runs, tokens

COUNT = st.none() | st.integers(0, 3)
answers = st.builds(
    lambda status, counts, ended: record(1, status=status, tokens=tokens(*counts), executions=runs(*ended)),
    st.sampled_from(Status),
    st.tuples(COUNT, COUNT, COUNT),
    st.lists(st.sampled_from(Outcome), max_size=2),
)


@pytest.mark.parametrize(
    ("poorer", "fuller"),
    [
        (record(1, **LOST), record(1, **{**LOST, "status": Status.ERROR})),
        (record(1, **{**LOST, "status": Status.ERROR}), record(1, status=Status.PARTIAL)),
        (record(1, status=Status.PARTIAL, tokens=tokens(900)), record(1)),
        (record(1, tokens=tokens(intermediate=None, output=9999)), record(1)),
        (record(1), record(1, tokens=tokens(output=61))),
        (record(1, executions=()), record(1)),
    ],
    ids=[
        "error over unknown",
        "partial over error",
        "complete over partial",
        "more known",
        "more counted",
        "more runs",
    ],
)
def test_the_fuller_answer_wins(poorer: Record, fuller: Record) -> None:
    assert is_fuller(fuller, poorer)
    assert not is_fuller(poorer, fuller)


@given(answers, answers, answers)
def test_fuller_is_a_strict_order(a: Record, b: Record, c: Record) -> None:
    assert not is_fuller(a, a)
    assert not (is_fuller(a, b) and is_fuller(b, a))
    assert is_fuller(a, c) or not (is_fuller(a, b) and is_fuller(b, c))


def test_the_question_stays_with_the_call() -> None:
    call = record(1, **LOST)
    poll = record(1, occurred_us=START + 10**9, labels={}, declared=None, requested_model=None, key=None, turns=None)
    assert completed(call, poll) == replace(
        poll,
        **{
            name: getattr(call, name)
            for name in ("occurred_us", "labels", "declared", "requested_model", "key", "turns")
        },
    )


def test_a_poll_that_came_first_gets_its_question_from_the_call() -> None:
    poll = record(1, **LOST, labels={}, declared=None, key=None)
    assert completed(poll, record(1)) == record(1)


def run(part_id: str | None, outcome: Outcome = Outcome.OK) -> Execution:
    return Execution(outcome=outcome, part_id=part_id)


def test_a_timeline_shows_no_run_twice_and_a_resumed_stream_adds_the_rest() -> None:
    call = record(1, executions=(run("a"), run("b", Outcome.UNKNOWN)))
    poll = record(1, turns=None, executions=(run("b", Outcome.FAILED), run("c")))
    wanted = (run("a"), run("b", Outcome.FAILED), run("c"))
    assert completed(call, poll).executions == wanted
    assert completed(poll, call).executions == wanted
    assert completed(record(1, executions=(run(None),)), record(1, executions=(run(None), run(None)))).executions == (
        run(None),
        run(None),
    )


def test_a_poll_brings_no_runs_to_a_call_that_allowed_none() -> None:
    call = record(1, turns=1, declared=False, executions=())
    poll = record(1, turns=None, declared=None, executions=runs(Outcome.OK))
    for merged in (completed(call, poll), completed(poll, call), amended(call, poll), amended(poll, call)):
        assert (merged.declared, merged.executions) == (False, ())


def test_a_call_that_is_posted_after_its_poll_brings_its_question_and_nothing_else() -> None:
    poll = record(1, turns=None, labels={}, key=None, requested_model=None, declared=None, occurred_us=START + 50)
    call = record(1, **LOST)
    joined = amended(poll, call)
    assert joined == replace(
        poll,
        labels=call.labels, key=call.key, requested_model=call.requested_model, declared=True, occurred_us=START + 1, turns=1,
    )  # fmt: skip
    assert amended(joined, call) == joined
    assert amended(record(1), replace(call, labels={"team": "another"})) == record(1)


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.ERROR])
def test_an_operation_that_is_done_replaces_what_was_estimated_when_it_began(status: Status) -> None:
    film = {**LOST, "operation": Operation.GENERATE_VIDEOS}
    begun = record(1, **{**film, "status": Status.PARTIAL})
    done = record(1, **{**film, "status": status})
    assert is_fuller(done, begun)
    assert not is_fuller(begun, done)
    assert not is_fuller(done, done)


def test_of_tokens_that_are_kept_the_last_word_counts_in_any_order() -> None:
    kept = {**LOST, "operation": Operation.CACHE_STORAGE, "status": Status.COMPLETE}
    made, changed, imported = (record(1, **{**kept, "ended_us": at}) for at in (START + 10, START + 20, None))
    assert is_fuller(changed, made)
    assert not is_fuller(made, changed)
    assert not is_fuller(made, made)
    assert is_fuller(made, imported)

"""Which of two answers to one call says more, and what stays of the poorer one.

Owns: the order of answers under one natural key (contract.md, Identity). Not here: SQL and prices.
Invariant: `is_fuller` is a strict order, so proxies that post the same answers in any order end with the same counts;
and the call ends with what it asked, and every run it was seen to make once, whether it or its poll was posted first.
"""

from msgspec.structs import astuple, replace

from gembill.model import Execution, Operation, Outcome, Record, Status
from gembill.wire.interactions import RUNNING

_RANK = {Status.UNKNOWN: 0, Status.ERROR: 1, Status.PARTIAL: 2, Status.COMPLETE: 4}
_FAILED = 3
_NEVER = 2**63  # microseconds


def is_fuller(new: Record, old: Record) -> bool:
    """Whether `new` should replace `old`: a better state, then more counts known, then more counted, then more runs.

    Of equal ones the one that was read first counts, whichever is posted first; but of two witnesses of the question,
    such as a proxy and an import, the one that is there: what is known already changes nothing.
    """
    if _fullness(new) != _fullness(old):
        return _fullness(new) > _fullness(old)
    return not (_asks(new) and _asks(old)) and (new.ended_us or _NEVER) < (old.ended_us or _NEVER)


def _fullness(record: Record) -> tuple[int, int, int, int]:
    if record.operation == Operation.CACHE_STORAGE:  # it may be kept shorter than was said: the last word counts
        return _rank(record), record.ended_us or record.occurred_us, 0, 0
    counts = [count for count in astuple(record.tokens) if count is not None]
    return _rank(record), len(counts), record.tokens.total or sum(counts), len(record.executions)


def _rank(record: Record) -> int:
    """An operation that failed is done: that says more than what was estimated when it began."""
    failed = record.status is Status.ERROR and record.operation == Operation.GENERATE_VIDEOS
    return _FAILED if failed else _RANK[record.status]


def completed(poorer: Record, fuller: Record) -> Record:
    """The fuller answer, with what only the other one knew of the question, the end and the runs.

    A poll asks nothing: it brings no labels, no declaration and a later time. A poll completes the record of a call, so
    the call keeps its time (contract.md, Calls and records), what was asked, and who asked. Of polls alone the earliest
    has the word, and so it is of two witnesses of the question.
    """
    call, other = _by_question(poorer, fuller)
    declared = other.declared if call.declared is None else call.declared
    tier = next((one for one in (fuller, poorer) if one.tier_reported), call)
    ended = fuller.finish_reason in RUNNING and poorer.finish_reason not in (None, *RUNNING)
    return replace(
        fuller,
        occurred_us=min(poorer.occurred_us, fuller.occurred_us),
        streamed=call.streamed,
        requested_model=call.requested_model or other.requested_model,
        location=call.location or other.location,
        project=call.project or other.project,
        agent=call.agent or other.agent,
        model=fuller.model or poorer.model,
        service_tier=tier.service_tier,
        tier_reported=tier.tier_reported,
        key=call.key or other.key,
        finish_reason=poorer.finish_reason if ended else fuller.finish_reason,
        declared=declared,
        labels=call.labels or other.labels,
        conversation=call.conversation or other.conversation,
        turns=other.turns if call.turns is None else call.turns,
        executions=_runs(declared, call.executions, other.executions),
    )


def supplemented(known: Record, poorer: Record) -> Record:
    """The record that is known, with what an answer that is not fuller adds: a run, the end, the question of a poll.

    A second witness of the question, such as an import of what the proxy recorded, does not move it.
    """
    if _asks(known) and _asks(poorer):
        poorer = replace(poorer, occurred_us=known.occurred_us)
    return completed(poorer, known)


def _by_question(poorer: Record, fuller: Record) -> tuple[Record, Record]:
    """The two, first the one that knows what was asked: the call, or the earlier where both or neither is one."""
    if (not _asks(poorer), poorer.occurred_us) < (not _asks(fuller), fuller.occurred_us):
        return poorer, fuller
    return fuller, poorer


def _asks(record: Record) -> bool:
    """Whether it is of the call itself: only a request has turns."""
    return record.turns is not None


def _runs(declared: bool | None, first: tuple[Execution, ...], more: tuple[Execution, ...]) -> tuple[Execution, ...]:
    """The runs of both, each once: a timeline shows again what a stream showed, a resumed stream only the rest.

    Runs without an id cannot be told apart: then the answer that shows more of them is believed. Where the call did not
    allow code execution there are none: a poll does not know that.
    """
    if declared is False:
        return ()
    if any(run.part_id is None for run in (*first, *more)):
        return more if len(more) > len(first) else first
    runs = {run.part_id: run for run in first}
    for run in more:
        if run.part_id not in runs or runs[run.part_id].outcome is Outcome.UNKNOWN:
            runs[run.part_id] = run
    return tuple(runs.values())

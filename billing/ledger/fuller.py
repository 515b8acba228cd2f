"""Which of two answers to one call says more, and what stays of the poorer one.

Owns: the order of answers under one natural key (contract.md, Identity). Owns no SQL and no price.
Invariant: `is_fuller` is a strict order, so proxies that post the same answers in any order end with the same counts.
"""

from dataclasses import astuple, replace

from billing.model import Record, Status

_RANK = {Status.UNKNOWN: 0, Status.ERROR: 1, Status.PARTIAL: 2, Status.COMPLETE: 3}


def is_fuller(new: Record, old: Record) -> bool:
    """Whether `new` should replace `old`: a better state, then more counts known, then more counted, then more runs."""
    return _fullness(new) > _fullness(old)


def _fullness(record: Record) -> tuple[int, int, int, int]:
    counts = [count for count in astuple(record.tokens) if count is not None]
    return _RANK[record.status], len(counts), record.tokens.total or sum(counts), len(record.executions)


def completed(old: Record, new: Record) -> Record:
    """The fuller answer with what only the first one knew of the question.

    A poll asks nothing: it brings no labels, no declaration and a later time. A poll completes the record of a call, so
    the call keeps its time (contract.md, Calls and records), what was asked, and who asked.
    """
    return replace(
        new,
        occurred_us=min(old.occurred_us, new.occurred_us),
        streamed=old.streamed,
        requested_model=old.requested_model or new.requested_model,
        agent=old.agent or new.agent,
        model=new.model or old.model,
        key=old.key or new.key,
        declared=new.declared if old.declared is None else old.declared,
        labels=old.labels or new.labels,
        conversation=old.conversation or new.conversation,
        turns=new.turns if old.turns is None else old.turns,
    )

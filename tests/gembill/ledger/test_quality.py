"""What is wrong is counted, and few calls are read for it."""

import random
from collections import Counter
from pathlib import Path

import pytest

from gembill.ledger import (
    Ledger,
    LedgerRecord,
    Quality,
    RatedEvent,
    Reason,
    Selection,
    open_ledger,
    read_quality,
    read_records,
)
from gembill.model import Anomaly, ApiError, Execution, Outcome, Rating, Status, Tokens
from tests.gembill.ledger.making import HOUR, LOST, SPOOL, START, append, posting, runs

FLASH, PRO = "gemini-3-flash-preview", "gemini-3-pro-preview"


def test_every_kind_of_problem_is_counted(ledger: Ledger) -> None:
    odd = Execution(outcome=Outcome.OK, part_id='","outcome":"failed"')  # quotes within a text are no outcome
    append(
        ledger,
        SPOOL,
        [
            posting(1, anomalies=("total_mismatch", "labels_cut"), flags=("incomplete",)),
            posting(
                2, anomalies=("total_mismatch",), executions=(*runs(Outcome.FAILED, Outcome.DEADLINE_EXCEEDED), odd)
            ),
            posting(3, Rating(unpriced_reason="no price"), model="new"),
            posting(
                4,
                tokens=Tokens(),
                status=Status.ERROR,
                error=ApiError(code=429, status="X", kind="rate"),
                executions=(),
            ),
            posting(5, **LOST),
            posting(6, occurred_us=START + 2 * HOUR),
        ],
    )
    ledger.add_dead_letter(SPOOL, 7, "e", b"x", "bad")
    counts = read_quality(ledger, Selection(end_us=START + HOUR))
    assert counts.calls == 5
    assert counts.unpriced == {("new", "no price"): 1}
    assert counts.statuses == {"complete": 3, "error": 1, "unknown": 1}
    assert counts.anomalies == {"total_mismatch": 2, "labels_cut": 1}
    assert counts.flags["incomplete"] == 1
    assert counts.errors == {("429", "X", "rate"): 1}
    assert counts.outcomes == {"ok": 1 + 1 + 1, "failed": 1, "deadline_exceeded": 1}
    assert counts.dead_letters == 1


def test_of_nothing_there_is_nothing(ledger: Ledger) -> None:
    counts = read_quality(ledger, Selection(models=("none",), labels={"a": "b"}))
    assert (counts.calls, counts.outcomes, counts.dead_letters) == (0, {}, 0)


def made_up(seq: int, draw: random.Random) -> RatedEvent:
    """A call of which anything may be odd."""
    error = ApiError(code=draw.choice([429, "x"]), status="X", kind="rate")
    status = draw.choice([*Status])
    return posting(
        seq,
        draw.choice([None, None, Rating(unpriced_reason="no price")]),
        occurred_us=START + draw.randrange(3 * HOUR),
        model=draw.choice([FLASH, PRO]),
        key=draw.choice(["k_1", None]),
        labels=draw.choice([{}, {"team": "a"}, {"team": "b"}]),
        executions=runs(*draw.choices([*Outcome], k=draw.randrange(4))),
        anomalies=tuple(draw.sample([one.value for one in Anomaly], k=draw.randrange(3))),
        flags=draw.choice([(), ("incomplete",), ("estimated", "free_tier")]),
        status=status,
        error=error if status is Status.ERROR else None,
        **({"tokens": Tokens()} if status is not Status.COMPLETE else {}),
    )


def counted(records: list[LedgerRecord]) -> Quality:
    """The same counts, of records read one by one."""
    every = [one.record for one in records]
    errors = [(str(one.error.code), one.error.status, one.error.kind) for one in every if one.error is not None]
    return Quality(
        calls=len(every),
        unpriced=Counter((one.record.model, one.unpriced_reason) for one in records if one.unpriced_reason is not None),
        statuses=Counter(one.status.value for one in every),
        anomalies=Counter(name for one in every for name in one.anomalies),
        flags=Counter(name for one in every for name in one.flags),
        errors=Counter(errors),
        outcomes=Counter(run.outcome.value for one in every for run in one.executions),
    )


SELECTIONS = [
    Selection(),
    Selection(start_us=START + HOUR // 3, end_us=START + 2 * HOUR + 7),
    Selection(models=(FLASH,), keys=("k_1",)),
    Selection(models=("*pro*",), labels={"team": ("a", "b")}),
    Selection(labels={"team": "a"}, code_execution=True),
    Selection(tiers=("standard",), unmetered=True),
    Selection(locations=("global",)),
    Selection(seen_us=0),
    Selection(models=("nobody",)),
]


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_counts_are_those_of_the_records_themselves(ledger: Ledger, selection: Selection) -> None:
    draw = random.Random(16)
    append(ledger, SPOOL, [made_up(seq, draw) for seq in range(1, 150)])
    revised = [one.record for one in read_records(ledger, Selection())][::5]
    ledger.correct([(one, Rating(unpriced_reason="gone")) for one in revised], reason=Reason.RERATE)
    assert read_quality(ledger, selection) == counted([*read_records(ledger, selection)])


def test_of_a_call_that_is_in_order_nothing_is_read(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    append(ledger, SPOOL, [posting(seq, executions=runs(Outcome.OK)) for seq in range(1, 9)])
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entry SET executions = NULL")  # an entry that is read would show it
    assert read_quality(ledger, Selection()).outcomes == {"ok": 8}
    ledger.close()

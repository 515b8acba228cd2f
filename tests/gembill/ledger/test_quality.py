"""What is wrong is counted from the records."""

from gembill.ledger import Ledger, Selection, read_quality
from gembill.model import ApiError, Execution, Outcome, Rating, Status, Tokens
from tests.gembill.ledger.making import HOUR, LOST, SPOOL, START, append, posting, runs


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

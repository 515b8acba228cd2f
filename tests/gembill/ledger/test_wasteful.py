"""The conversations in which failed executions cost most."""

import pytest
from sqlalchemy import text

from gembill.ledger import (
    Ledger,
    Reason,
    Selection,
    read_conversations,
    read_records,
    read_wasteful_conversations,
    wasteful,
)
from gembill.ledger.engine import snapshot
from gembill.model import Operation, Outcome, Rating
from tests.gembill.ledger.making import HOUR, SPOOL, START, append, posting, runs, tokens

BAD = runs(Outcome.FAILED)


def fill(ledger: Ledger) -> None:
    append(
        ledger,
        SPOOL,
        [
            posting(1, conversation="alone", executions=BAD, tokens=tokens(0, 900)),
            posting(2, conversation="shared", executions=BAD, tokens=tokens(0, 500)),
            posting(3, conversation="shared", executions=(), occurred_us=START + 50 * HOUR),
            posting(4, conversation="c_chat", turns=3, executions=BAD, tokens=tokens(0, 100)),
            posting(5, conversation="c_chat", turns=4, executions=BAD, tokens=tokens(0, 600), occurred_us=START + HOUR),
            posting(6, conversation="c_good", turns=2, executions=runs(Outcome.OK)),
            posting(7, conversation="chain", operation=Operation.INTERACTIONS, executions=BAD, tokens=tokens(0, 10)),
            posting(8, conversation=None, executions=BAD, tokens=tokens(0, 10_000)),
        ],
    )


def listed(ledger: Ledger, selection: Selection, size: int = 10) -> list[tuple[str, int]]:
    return [
        (one.conversation.id, one.failed_execution_cost_pico)
        for one in read_wasteful_conversations(ledger, selection, size)
    ]


def expected(ledger: Ledger, selection: Selection) -> list[tuple[str, int]]:
    """The same from all records in Python."""
    wastes: dict[str, int] = {}
    for one in read_records(ledger, selection):
        if one.conversation_id and one.record.failed:
            wastes[one.conversation_id] = wastes.get(one.conversation_id, 0) + (one.failed_execution_cost_pico or 0)
    return sorted(wastes.items(), key=lambda pair: (-pair[1], pair[0]))


SELECTIONS = [
    Selection(),
    Selection(end_us=START + HOUR),
    Selection(start_us=START + HOUR, end_us=START + 2 * HOUR),
    Selection(models=("gemini-*",)),
    Selection(labels={"team": "nobody"}),
]


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("batch", [1, 2, 200])
def test_they_are_those_that_calls_show_the_most_wasteful_first(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, selection: Selection, batch: int
) -> None:
    monkeypatch.setattr(wasteful, "_BATCH", batch)
    fill(ledger)
    assert listed(ledger, selection) == expected(ledger, selection)
    assert listed(ledger, selection, 2) == expected(ledger, selection)[:2]
    assert "alone" not in dict(listed(ledger, selection))


def test_a_conversation_is_summed_up_whole(ledger: Ledger) -> None:
    fill(ledger)
    whole = {one.id: one for one in read_conversations(ledger, Selection(), 10)}
    for one in read_wasteful_conversations(ledger, Selection(), 10):
        assert one.conversation == whole[one.conversation.id]
    assert whole["shared"].calls == 2


def test_only_the_current_revision_of_a_call_counts(ledger: Ledger) -> None:
    fill(ledger)
    chats = [one for one in read_records(ledger, Selection()) if one.conversation_id == "c_chat"]
    ledger.correct([(one.record, Rating(unpriced_reason="no price")) for one in chats], reason=Reason.RERATE)
    assert listed(ledger, Selection()) == expected(ledger, Selection())
    assert dict(listed(ledger, Selection()))["c_chat"] == 0


def test_calls_that_did_not_fail_are_not_read(ledger: Ledger) -> None:
    if ledger.engine.dialect.name != "sqlite":
        pytest.skip("how PostgreSQL finds few rows depends on its statistics")
    query = wasteful._query(Selection(start_us=START, end_us=START + HOUR), "sqlite")
    with snapshot(ledger.engine) as connection:
        sql = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = " ".join(row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {sql}")))
    assert "entry_by_failure" in plan

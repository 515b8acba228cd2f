import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.schema import DropTable

from billing.errors import LedgerError
from billing.ledger import Ledger, Reason, Selection, UnfitPosting, open_ledger, read, schema
from billing.ledger.audit import audit
from billing.model import Rating, Status, Tokens
from tests.billing.ledger.making import (
    LOST,
    NATURAL,
    SPOOL,
    START,
    UNIT,
    natural,
    number,
    posting,
    rated,
    record,
    tokens,
)


def count(ledger: Ledger, table: object) -> int:
    with ledger.engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def test_appending_twice_is_appending_once(ledger: Ledger) -> None:
    batch = [posting(1), posting(2)]
    assert ledger.append(SPOOL, batch) == 2
    assert ledger.append(SPOOL, [*batch, posting(3), posting(3)]) == 1
    assert (count(ledger, schema.event), count(ledger, schema.record)) == (3, 3)
    assert read.totals(ledger, Selection())[0].calls == 3
    assert audit(ledger) == []


def test_what_was_appended_is_read_back(ledger: Ledger) -> None:
    item = posting(1, labels={"team": "ünï", "b": '"q"'}, flags=("incomplete",), anomalies=("total_mismatch",))
    ledger.append(SPOOL, [item])
    stored = read.record(ledger, number(1))
    assert stored is not None
    assert stored.record == item.record
    assert stored.cost_pico == (100 + 40 + 60) * UNIT
    assert stored.cost_parts == {"input": 100 * UNIT, "intermediate": 40 * UNIT, "output": 60 * UNIT, "grounding": 0}
    assert [posted.charge for posted in read.charges(ledger, stored)] == list(item.rating.charges)
    assert read.event_body(ledger, stored) == item.body


def test_a_fuller_answer_corrects_and_keeps_what_was_asked(ledger: Ledger) -> None:
    ledger.append(SPOOL, [natural(1, **LOST)])
    poll = natural(2, occurred_us=START + 10**10, labels={}, declared=None, key=None)
    ledger.append(SPOOL, [poll])
    stored = read.record(ledger, number(9_000))
    assert stored is not None
    assert (stored.revision, stored.record.tokens, stored.record.occurred_us) == (1, tokens(), START + 1)
    assert (stored.record.labels, stored.record.declared, stored.record.key) == ({"team": "search"}, True, "k_7f3a")
    (total,) = read.totals(ledger, Selection())
    assert (total.calls, total.incomplete_calls, total.cost_pico) == (1, 0, 200 * UNIT)
    assert audit(ledger) == []


def test_an_equal_or_poorer_answer_changes_nothing(ledger: Ledger) -> None:
    ledger.append(SPOOL, [natural(1)])
    assert ledger.append(SPOOL, [natural(2), natural(3, **LOST)]) == 2
    assert (count(ledger, schema.event), count(ledger, schema.record)) == (3, 1)
    assert audit(ledger) == []


def test_two_answers_to_one_call_fit_in_one_batch(ledger: Ledger) -> None:
    ledger.append(SPOOL, [natural(1, **LOST), natural(2, tokens=tokens(1, 1, 1), status=Status.PARTIAL), natural(3)])
    stored = read.record(ledger, number(9_000))
    assert stored is not None
    assert (stored.revision, stored.cost_pico) == (2, 200 * UNIT)
    assert audit(ledger) == []


def test_a_correction_leaves_old_and_new_price_visible(ledger: Ledger) -> None:
    ledger.append(SPOOL, [posting(1), posting(2)])
    changed = (record(1), rated(tokens(), 2 * UNIT, "p2"))
    assert ledger.correct([changed, (record(2), rated(tokens()))], reason=Reason.RERATE) == 1
    assert ledger.correct([changed], reason=Reason.RERATE) == 0
    stored = read.record(ledger, number(1))
    assert stored is not None
    assert stored.cost_pico == 2 * 200 * UNIT
    lines = [(p.revision, p.charge.quantity, p.charge.price_id) for p in read.charges(ledger, stored)]
    assert lines[:3] == [(0, 100, "p1"), (0, 40, "p1"), (0, 60, "p1")]
    assert sorted(lines[3:6]) == [(1, -100, "p1"), (1, -60, "p1"), (1, -40, "p1")]
    assert sum(p.charge.cost_pico for p in read.charges(ledger, stored)) == stored.cost_pico
    assert audit(ledger) == []


def test_a_correction_to_unpriced_takes_the_charges_back(ledger: Ledger) -> None:
    ledger.append(SPOOL, [posting(1)])
    ledger.correct([(record(1), Rating(unpriced_reason="no price for x"))], reason=Reason.RERATE)
    (total,) = read.totals(ledger, Selection())
    assert (total.unpriced_calls, total.cost_pico) == (1, None)
    assert audit(ledger) == []


def test_a_record_that_is_not_there_cannot_be_corrected(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="not in the ledger"):
        ledger.correct([(record(1), rated(tokens()))], reason=Reason.REPOST)


def test_a_cloned_spool_is_named(ledger: Ledger) -> None:
    ledger.append(SPOOL, [posting(1)])
    with pytest.raises(LedgerError, match=r"place 1 of spool 77 .* cloned or restored"):
        ledger.append(SPOOL, [replace(posting(1, id=number(5)), event_id=number(5))])
    assert count(ledger, schema.event) == 1


def test_a_spool_with_two_events_at_one_place_is_named(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="two events at place 1"):
        ledger.append(SPOOL, [posting(1), replace(posting(1, id=number(5)), event_id=number(5))])
    assert count(ledger, schema.event) == 0


def test_a_missing_table_is_no_fault_of_the_posting(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(DropTable(schema.charge))
    with pytest.raises(LedgerError) as caught:
        ledger.append(SPOOL, [posting(1)])
    assert not isinstance(caught.value, UnfitPosting)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "a\0b"},
        {"labels": {"team": "\ud800"}},
        {"tokens": Tokens(input=2**63)},
        {"tokens": Tokens(output=-1)},
        {"tokens": Tokens(input=1.5)},
        {"tokens": Tokens(input=True)},
        {"turns": float("nan")},
        {"id": "no-uuid"},
        {"source_id": -65},
        {"source_id": SPOOL + 1},
        {"key": "k" * 257},
    ],
    ids=str,
)
def test_a_poison_row_raises_and_writes_nothing(ledger: Ledger, changes: dict[str, object]) -> None:
    poison = posting(2, rating=Rating(known=False), **changes)
    with pytest.raises(UnfitPosting):
        ledger.append(SPOOL, [posting(1), poison])
    assert count(ledger, schema.event) == 0


def test_a_rollup_cell_that_overflows_refuses_the_batch(ledger: Ledger) -> None:
    huge = tokens(2**62, 0, 0)
    most = [posting(seq, tokens=huge, rating=Rating(known=False)) for seq in (1, 2)]
    ledger.append(SPOOL, most[:1])
    with pytest.raises(UnfitPosting):
        ledger.append(SPOOL, most[1:])
    assert read.totals(ledger, Selection())[0].tokens.input == 2**62


def test_what_is_buried_is_kept_once_whatever_it_holds(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.bury(SPOOL, 1, "any\0id", b"\x00\xff", "bad \ud800 " + "x" * 5000)
    with ledger.engine.connect() as connection:
        (row,) = connection.execute(select(schema.dead_letter))
    assert (row.seq, bytes(row.body), len(row.reason)) == (1, b"\x00\xff", 1000)


def test_proxies_that_meet_on_the_same_calls_lose_and_double_nothing(ledger_url: str) -> None:
    failures: list[BaseException] = []

    def work(source: int) -> None:
        ledger = open_ledger(ledger_url)
        try:
            for start in range(0, 60, 10):
                polls = [
                    replace(
                        natural(seq, id=number(9_000 + seq % 20), tokens=tokens(seq, source, 1)), event_id=number(seq)
                    )
                    for seq in range(start + 1, start + 11)
                ]
                ledger.append(source, polls)
        except BaseException as error:
            failures.append(error)
        finally:
            ledger.close()

    threads = [threading.Thread(target=work, args=(source,)) for source in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = open_ledger(ledger_url)
    assert failures == []
    assert audit(ledger) == []
    assert read.totals(ledger, Selection())[0].calls == 20
    assert {stored.record.source_id for stored in read.records(ledger, Selection())} == {NATURAL}
    assert sum(s.record.tokens.input or 0 for s in read.records(ledger, Selection())) == sum(range(41, 61))
    ledger.close()

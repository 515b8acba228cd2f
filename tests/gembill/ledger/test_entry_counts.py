"""Counts of entries, and of changes: any change of the calls of a time is seen in the second."""

from gembill.ledger import Ledger, Reason
from gembill.ledger.entry_counts import count_changes, count_entries
from tests.gembill.ledger.making import HOUR, SPOOL, START, append, posting, rated, record, tokens

NEXT = START + HOUR


def counts(ledger: Ledger, start_us: int) -> tuple[int, int]:
    with ledger.reading() as snapshot:
        entries = count_entries(snapshot, start_us, start_us + HOUR)
        return entries, count_changes(snapshot, start_us, start_us + HOUR, entries)


def test_where_nothing_was_corrected_there_are_as_many_changes_as_entries(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2), posting(3, occurred_us=NEXT)])
    assert [counts(ledger, hour) for hour in (START, NEXT, NEXT + HOUR)] == [(2, 2), (1, 1), (0, 0)]


def test_a_correction_is_one_more_entry_and_one_more_that_does_not_count(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1)])
    ledger.correct([(record(1, labels={"team": "ads"}), rated(tokens()))], reason=Reason.REPOST)
    assert counts(ledger, START) == (2, 3)


def test_a_call_that_is_moved_to_another_time_changes_both(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2, occurred_us=NEXT)])
    ledger.correct([(record(2, occurred_us=START), rated(tokens()))], reason=Reason.REPOST)
    assert [counts(ledger, hour) for hour in (START, NEXT)] == [(2, 2), (1, 2)]

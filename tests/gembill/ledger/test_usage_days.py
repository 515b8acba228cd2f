"""Sums of days are kept, hold as long as nothing was posted, and are proved by the audit."""

import pytest

from gembill.ledger import BillDay, Ledger, Reason, Selection, audit_ledger, read_usage_of_days, sum_usage
from gembill.ledger import engine as engines
from gembill.ledger.reading import Snapshot
from tests.gembill.ledger.making import SPOOL, append, posting, rated, record, tokens

DAY_US = 86_400_000_000
FIRST = BillDay(20_000, 20_000 * DAY_US, 20_001 * DAY_US)
SECOND = BillDay(20_001, 20_001 * DAY_US, 20_002 * DAY_US)
DAYS = [FIRST, SECOND]
NOON = FIRST.start_us + DAY_US // 2


def filled(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, occurred_us=NOON), posting(2, occurred_us=NOON + DAY_US)])


def read(ledger: Ledger, *, keep: bool = True) -> tuple[list[object], list[tuple[int, int]]]:
    """The usages, and what was reported of entries that had to be summed."""
    said: list[tuple[int, int]] = []
    usages = read_usage_of_days(ledger, DAYS, keep=keep, report=lambda done, total: said.append((done, total)))
    return sorted(usages, key=repr), said


def plain(ledger: Ledger) -> list[object]:
    return sorted(sum_usage(ledger, Selection(), DAYS), key=repr)


def test_days_are_summed_once_and_say_the_same_from_then_on(ledger: Ledger) -> None:
    filled(ledger)
    first, again = read(ledger), read(ledger)
    assert first == (plain(ledger), [(1, 2), (2, 2)])
    assert again == (plain(ledger), [])


def test_nothing_is_kept_unless_it_is_asked_for(ledger: Ledger) -> None:
    filled(ledger)
    read(ledger, keep=False)
    assert read(ledger)[1] == [(1, 2), (2, 2)]


def test_a_day_that_gained_a_call_or_a_correction_is_summed_again_and_no_other(ledger: Ledger) -> None:
    filled(ledger)
    read(ledger)
    append(ledger, SPOOL, [posting(3, occurred_us=NOON)])
    assert read(ledger) == (plain(ledger), [(2, 2)])
    changed = record(2, occurred_us=NOON + DAY_US, tokens=tokens(input=7))
    ledger.correct([(changed, rated(changed.tokens))], reason=Reason.RERATE)
    assert read(ledger) == (plain(ledger), [(2, 2)])


def test_a_day_that_lost_a_call_to_another_is_summed_again_too(ledger: Ledger) -> None:
    filled(ledger)
    read(ledger)
    moved = record(2, occurred_us=NOON)  # as a call is that was known by its poll only, which came after midnight
    ledger.correct([(moved, rated(moved.tokens))], reason=Reason.REPOST)
    assert read(ledger) == (plain(ledger), [(2, 3), (3, 3)])
    assert {usage.day for usage in plain(ledger)} == {20_000}  # type: ignore[attr-defined]
    assert audit_ledger(ledger) == []


def test_the_entries_of_a_day_are_counted_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(ledger)
    counted: list[int] = []
    count = BillDay.count_entries

    def count_aloud(day: BillDay, snapshot: Snapshot) -> int:
        counted.append(day.day)
        return count(day, snapshot)

    monkeypatch.setattr(BillDay, "count_entries", count_aloud)
    for _ in range(2):
        read(ledger)
        assert counted == [20_000, 20_001]
        counted.clear()
    plain(ledger)
    assert counted == [20_000, 20_001]
    counted.clear()
    assert audit_ledger(ledger) == []
    assert counted == [20_000, 20_001]


def test_a_day_with_other_hours_is_another_day(ledger: Ledger) -> None:
    filled(ledger)
    read(ledger)
    later = BillDay(20_000, FIRST.start_us, NOON)
    assert read_usage_of_days(ledger, [later]) == []


def test_the_audit_finds_sums_that_are_not_those_of_the_charges(ledger: Ledger) -> None:
    filled(ledger)
    read(ledger)
    assert audit_ledger(ledger) == []
    with engines.writing(ledger.engine) as connection:
        connection.exec_driver_sql("UPDATE usage_day SET document = '[]' WHERE day = 20000")
    assert audit_ledger(ledger) == ["usage_day 20000: its sums are not those of the charges of its calls"]

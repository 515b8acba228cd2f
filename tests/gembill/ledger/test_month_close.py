"""Closing months: kept for good, told apart from what is posted later, and held against the books."""

import json
from dataclasses import replace
from hashlib import sha256
from threading import Thread

import pytest
from sqlalchemy import update

from gembill.errors import ConfigurationError
from gembill.ledger import (
    Closing,
    Ledger,
    Reason,
    Selection,
    audit_ledger,
    close_month,
    price_lists,
    read_closings,
    read_totals,
    schema,
    sum_charges,
)
from gembill.period import parse, tz_version
from tests.gembill.calls import us
from tests.gembill.ledger.making import SPOOL, append, posting, rated, record, tokens

OCTOBER = parse(month="2026-10")
MIDDLE = us("2026-10-15T12:00:00+00:00")
NOW = us("2026-11-02T12:00:00+00:00")


def at(ledger: Ledger, now_us: int) -> Ledger:
    """The same ledger with a clock that stands."""
    return Ledger(lambda: ledger.engine, lambda: now_us)


@pytest.fixture
def october(ledger: Ledger) -> Ledger:
    append(at(ledger, NOW - 10), SPOOL, [posting(seq, occurred_us=MIDDLE + seq) for seq in range(1, 4)])
    append(at(ledger, NOW - 5), SPOOL, [posting(4, occurred_us=us("2026-11-01T12:00:00+00:00"))])
    return ledger


def test_a_closed_month_keeps_its_sums_its_charges_and_its_price_lists(october: Ledger) -> None:
    closing = close_month(october, "2026-10", OCTOBER, NOW)
    assert read_closings(october) == [closing]
    assert closing.digest == sha256(closing.document.encode()).hexdigest()
    assert (closing.sums["calls"], closing.sums["cost_pico"]) == (3, 3 * 200 * 500_000)
    document = json.loads(closing.document)
    assert document["timezone_database"] == tz_version()
    assert document["charges"] == [
        {"price_id": "p1", "meter": meter, "quantity": 3 * quantity, "cost_pico": 3 * quantity * 500_000}
        for meter, quantity in (("input", 100), ("intermediate", 40), ("output", 60))
    ]
    assert closing.period == OCTOBER
    assert audit_ledger(october) == []


def test_a_month_is_closed_once_in_a_calendar(october: Ledger) -> None:
    close_month(october, "2026-10", OCTOBER, NOW)
    with pytest.raises(ConfigurationError, match="2026-10 was closed at 2026-11-02T04:00:00-08:00"):
        close_month(october, "2026-10", OCTOBER, NOW + 1)
    close_month(october, "2026-10", parse(month="2026-10", tz="UTC"), NOW + 1)
    assert [one.timezone for one in read_closings(october)] == ["UTC", "America/Los_Angeles"]


def test_what_is_posted_later_does_not_change_what_was_closed(october: Ledger) -> None:
    closing = close_month(october, "2026-10", OCTOBER, NOW)
    later = at(october, NOW + 1)
    append(later, SPOOL, [posting(5, occurred_us=MIDDLE)])
    later.correct([(record(1, occurred_us=MIDDLE + 1), rated(tokens(), 7, "p2"))], reason=Reason.RERATE)
    (then,), (today,) = (
        read_totals(october, replace(closing.selection, seen_us=seen_us)) for seen_us in (closing.seen_us, None)
    )
    assert (then.calls, then.cost_pico) == (3, 3 * 200 * 500_000)
    assert (today.calls, today.cost_pico) == (4, 3 * 200 * 500_000 + 200 * 7)
    assert sum(one.cost_pico for one in sum_charges(october, closing.selection)) == then.cost_pico
    assert sum(one.cost_pico for one in sum_charges(october, replace(closing.selection, seen_us=None))) == (
        today.cost_pico
    )
    assert audit_ledger(october) == []


def test_a_call_that_came_after_the_closing_is_not_in_it_by_any_group(october: Ledger) -> None:
    closing = close_month(october, "2026-10", OCTOBER, NOW)
    append(at(october, NOW + 1), SPOOL, [posting(5, occurred_us=MIDDLE, labels={"team": "late"})])
    rows = read_totals(october, closing.selection, ["label.team", "key", "model"])
    assert [(row.group["label.team"], row.calls) for row in rows] == [("search", 3)]
    assert read_totals(october, replace(closing.selection, labels={"team": "late"}))[0].calls == 0


@pytest.mark.parametrize(
    ("table", "values", "says"),
    [
        (schema.closed_month, {"document": "{}"}, "its document is not the one of its digest"),
        (schema.entry, {"cost_pico": 1}, "its rows are not those of the calls"),
        (schema.template_line, {"unit_pico": 1}, "its charges are not those of the calls"),
    ],
)
def test_the_audit_finds_a_closed_month_that_was_changed(
    october: Ledger, table: object, values: dict[str, object], says: str
) -> None:
    close_month(october, "2026-10", OCTOBER, NOW)
    with october.engine.begin() as connection:
        connection.execute(update(table).values(**values))  # type: ignore[call-overload]
    assert any(says in finding for finding in audit_ledger(october))


def test_the_audit_finds_a_price_list_that_is_gone(october: Ledger) -> None:
    price_lists.add(october, price_lists.Origin.BUNDLED, (), "d" * 64)
    close_month(october, "2026-10", OCTOBER, NOW)
    assert audit_ledger(october) == []
    with october.engine.begin() as connection:
        connection.execute(update(schema.price_list).values(digest="e" * 64))
    assert any("price list 1 is not there any more" in finding for finding in audit_ledger(october))


def test_a_month_without_calls_is_closed_too(ledger: Ledger) -> None:
    closing = close_month(ledger, "2026-10", OCTOBER, NOW)
    assert (closing.seen_us, closing.sums["calls"]) == (0, 0)
    append(ledger, SPOOL, [posting(1, occurred_us=MIDDLE)])
    assert read_totals(ledger, closing.selection)[0].calls == 0
    assert read_totals(ledger, Selection())[0].calls == 1
    assert audit_ledger(ledger) == []


def test_a_call_that_was_moved_out_of_a_month_before_it_was_closed_is_not_in_it(october: Ledger) -> None:
    moved = record(1, occurred_us=us("2026-11-01T12:00:00+00:00"))
    at(october, NOW - 2).correct([(moved, rated(tokens()))], reason=Reason.REPOST)
    closing = close_month(october, "2026-10", OCTOBER, NOW)
    assert (closing.sums["calls"], closing.seen_us) == (2, NOW - 2)
    assert audit_ledger(october) == []


def test_a_writer_whose_clock_is_slow_or_that_waited_long_is_later_than_the_closing(october: Ledger) -> None:
    closing = close_month(october, "2026-10", OCTOBER, NOW)
    slow = at(october, NOW - 60)
    append(slow, SPOOL, [posting(5, occurred_us=MIDDLE)])
    slow.correct([(record(1, occurred_us=MIDDLE + 1), rated(tokens(), 7, "p2"))], reason=Reason.RERATE)
    (then,) = read_totals(october, closing.selection)
    assert (then.calls, then.cost_pico) == (3, 3 * 200 * 500_000)
    assert audit_ledger(october) == []


def test_a_month_is_closed_only_once_every_writer_is_done(october: Ledger) -> None:
    closed: list[Closing] = []
    closer = Thread(target=lambda: closed.append(close_month(october, "2026-10", OCTOBER, NOW)), daemon=True)
    for attempt in at(october, NOW - 60).attempts("post"):
        with attempt as transaction:
            closer.start()
            closer.join(0.3)  # it may not be done by now; a lock that is missing shows here
            assert closed == []
            for fresh in transaction.receive(SPOOL, [posting(5, occurred_us=MIDDLE)]):
                transaction.open(SPOOL, fresh)
    closer.join(30)
    assert closed[0].sums["calls"] == 4
    assert audit_ledger(october) == []


def test_closing_waits_for_no_reader(october: Ledger) -> None:
    closed: list[Closing] = []
    closer = Thread(target=lambda: closed.append(close_month(october, "2026-10", OCTOBER, NOW)), daemon=True)
    with october.reading() as snapshot:
        assert snapshot.rows("SELECT month FROM closed_month") == []
        closer.start()
        closer.join(30)
        assert len(closed) == 1

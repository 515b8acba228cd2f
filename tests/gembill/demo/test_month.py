"""The made-up month: the same every time, all of it in October, every fate in it."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from gembill import period
from gembill.capture.fingerprint import Fingerprint
from gembill.cli.demo import CALLS
from gembill.demo.month import MONTH, record_month
from gembill.event import Ending, Event
from gembill.model import Rating, Record, Status
from gembill.posting import read_event
from gembill.rules.metering import meter
from gembill.rules.prices import bundled
from gembill.rules.rating import rate
from gembill.spool import SegmentEntry, Spool

FINGERPRINT = Fingerprint(b"a secret of this test")


class Call(NamedTuple):
    """A call of the month: the place in its spool, what was seen, and what is read from that."""

    seq: int
    event: Event
    record: Record
    rating: Rating


def recorded(folder: Path, seed: int, count: int) -> list[Call]:
    """The month as posting finds it in a spool."""
    spool = Spool.claim(folder)
    try:
        assert sum(record_month(spool, FINGERPRINT, seed, count)) == count
        return [_call(entry, spool.source_id) for entry in spool.read(0, count + 1)]
    finally:
        spool.close(5)


def _call(entry: SegmentEntry, source_id: int) -> Call:
    event = read_event(entry.body)
    record = meter(event, source_id)
    return Call(entry.seq, event, record, rate(record, bundled()))


def worth(calls: list[Call]) -> list[tuple[object, ...]]:
    """What must be the same: ids, times, tokens, executions and costs."""
    return [
        (c.record.id, c.record.occurred_us, c.record.tokens, c.record.executions, c.rating.cost_pico) for c in calls
    ]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    return recorded(tmp_path_factory.mktemp("month"), 7, CALLS)


def test_the_same_seed_gives_the_same_month_and_another_one_another(tmp_path: Path) -> None:
    first, again, other = (recorded(tmp_path / name, seed, 60) for name, seed in (("a", 3), ("b", 3), ("c", 4)))
    assert worth(first) == worth(again)
    assert worth(first) != worth(other)
    assert not {call.event.id for call in first} & {call.event.id for call in other}


def test_a_month_of_any_size_is_recorded_some_calls_at_a_time(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    try:
        appended = [(some, len(spool.read(0, 5_000))) for some in record_month(spool, FINGERPRINT, 3, 4_100)]
    finally:
        spool.close(5)
    assert appended == [(2_000, 2_000), (2_000, 4_000), (100, 4_100)]


def test_every_call_is_an_event_of_that_month_on_googles_calendar(month: list[Call]) -> None:
    october = period.parse(month=MONTH)
    assert (october.start, october.end) == ("2026-10-01T00:00:00-07:00", "2026-11-01T00:00:00-07:00")
    assert len(month) == CALLS
    times = [call.event.occurred_us for call in month]
    assert all(october.start_us <= at < october.end_us for at in times)  # type: ignore[operator]
    assert {period.local(at, october.zone).day for at in times} == set(range(1, 32))
    assert all(call.event.occurred_us < (call.event.ended_us or 0) for call in month)


def test_calls_are_spooled_in_the_order_of_their_time(month: list[Call]) -> None:
    assert [call.seq for call in month] == list(range(1, CALLS + 1))
    times = [call.event.occurred_us for call in month]
    assert times == sorted(times)
    stamps = [UUID(call.event.id).int >> 80 for call in month]  # a UUIDv7 begins with its milliseconds
    assert stamps == [at // 1000 for at in times]
    assert {UUID(call.event.id).version for call in month} == {7}


def test_every_fate_occurs_and_most_calls_are_priced_to_the_end(month: list[Call]) -> None:
    fates = Counter((c.record.status, c.record.http_status, c.rating.unpriced_reason is None) for c in month)
    refused, cut, unpriced = (Status.ERROR, 429, True), (Status.PARTIAL, 200, True), (Status.COMPLETE, 200, False)
    assert set(fates) == {(Status.COMPLETE, 200, True), refused, cut, unpriced}
    assert sum(fates[fate] for fate in (refused, cut, unpriced)) < CALLS // 20
    assert {call.record.model for call in month if call.rating.unpriced_reason} == {"gemini-5-preview"}


def test_exactly_the_calls_that_were_cut_are_partial(month: list[Call]) -> None:
    assert all((c.event.ending is Ending.CUT) is (c.record.status is Status.PARTIAL) for c in month)


def test_code_runs_and_fails_and_every_team_shows(month: list[Call]) -> None:
    records = [call.record for call in month]
    assert {record.labels["team"] for record in records} == {"search", "data-qa", "report-bot", "ci"}
    assert len({record.key for record in records}) == 4
    assert {record.streamed for record in records} == {True, False}
    assert 0 < sum(record.failed for record in records) < sum(len(record.executions) for record in records)
    assert any(record.declared and not record.executions for record in records)


def test_calls_of_two_teams_are_turns_of_chats_as_the_proxy_tells_them(month: list[Call]) -> None:
    chats: dict[str, list[Record]] = {}
    for call in month:
        if call.record.conversation is not None:
            chats.setdefault(call.record.conversation, []).append(call.record)
    longer = [turns for turns in chats.values() if len(turns) > 1]
    assert len(longer) > 100
    assert {turn.labels["team"] for turns in longer for turn in turns} == {"data-qa", "report-bot"}
    assert max(map(len, longer)) <= 8
    for turns in longer:
        assert len({(turn.key, turn.requested_model) for turn in turns}) == 1

"""A revision goes into its row and comes back the same."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from gembill.ledger import Ledger, LedgerRecord, Reason, ledger_record, mapping, measures, schema, sql
from gembill.model import (
    COST_PARTS,
    Api,
    ApiError,
    CostParts,
    Execution,
    Operation,
    Outcome,
    Rating,
    Record,
    Status,
    Tokens,
)
from tests.gembill.ledger.making import HOUR, SPOOL, START, UNIT, append, number, posting, rated, record, runs, tokens

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)
NAME, COUNT = st.none() | TEXT, st.none() | WHOLE
EXECUTION = st.builds(Execution, outcome=st.sampled_from(Outcome), part_id=NAME, language=NAME, result_chars=COUNT)
RECORD = st.builds(
    Record,
    source_id=st.integers(1, 2**63 - 1),
    id=st.uuids().map(str),
    occurred_us=WHOLE,
    ended_us=COUNT,
    api=st.sampled_from(Api),
    operation=st.sampled_from(Operation),
    streamed=st.booleans(),
    model=NAME,
    requested_model=NAME,
    agent=NAME,
    service_tier=TEXT,
    key=NAME,
    status=st.sampled_from(Status),
    http_status=COUNT,
    error=st.none() | st.builds(ApiError, code=COUNT | TEXT, status=NAME, kind=NAME),
    finish_reason=NAME,
    response_id=NAME,
    conversation=NAME,
    turns=COUNT,
    tokens=st.builds(Tokens, **dict.fromkeys(measures.TOKEN_FIELDS, COUNT)),
    declared=st.none() | st.booleans(),
    executions=st.lists(EXECUTION, max_size=3).map(tuple),
    readings=st.none(),
    labels=st.dictionaries(TEXT, TEXT, max_size=3),
    flags=st.lists(TEXT, max_size=2).map(tuple),
    anomalies=st.lists(TEXT, max_size=2).map(tuple),
)
PRICED = st.integers(0, 2**61).map(lambda pico: (pico, CostParts(**dict.fromkeys(COST_PARTS, pico))))
STORED = st.builds(
    lambda made, cost, reason, revision: LedgerRecord(
        record=made,
        cost_pico=cost[0],
        cost_parts=cost[1],
        priced=reason is None,
        unpriced_reason=reason,
        revision=revision,
    ),
    RECORD,
    st.just((None, CostParts())) | PRICED,
    NAME,
    st.integers(0, 2**63 - 1),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STORED)
def test_a_revision_that_was_written_reads_back_the_same(ledger: Ledger, entry: LedgerRecord) -> None:
    engine, text = ledger.engine.dialect.name, mapping.labels_text(entry.record.labels)
    hashed, source_id = mapping.labels_hash(text), entry.record.source_id
    words = mapping.words(entry, Reason.POSTED)
    charged = mapping.Charged(schema.driver_id(engine, entry.record.id), hashed, mapping.figures(entry))
    row = mapping.row(entry, 4, (SPOOL, schema.driver_id(engine, number(1))), 5, charged)
    with ledger.engine.connect() as connection:  # never committed: the next example finds an empty table
        sql.insert(connection, schema.template, [(source_id, 4, *words)])
        sql.insert(connection, schema.label_set, [(source_id, hashed, text)])
        sql.insert(connection, schema.entry, [row])
        assert mapping.revision(connection.execute(select(schema.record)).one()) == entry


def test_what_reports_sum_is_worked_out_for_the_row() -> None:
    ended = runs(Outcome.FAILED, Outcome.OK, Outcome.DEADLINE_EXCEEDED)
    entry = ledger_record(record(1, executions=ended, occurred_us=START + HOUR + 1), rated(tokens()), 0)
    row = mapping.row(entry, 4, (SPOOL, "event"), 5, mapping.Charged("id", b"hash", mapping.figures(entry), (7, 9)))
    named = dict(zip(schema.entry.columns.keys(), row, strict=True))
    assert (named["executions_count"], named["executions_failed"]) == (3, 2)
    assert named["failed_execution_cost_pico"] == 40 * UNIT * 2 // 3
    assert (named["template"], named["event_id"], named["posted_us"]) == (4, "event", 5)
    assert (named["id"], named["labels_hash"], named["quantities"]) == ("id", b"hash", "[7,9]")


def test_what_follows_from_the_rest_takes_no_room() -> None:
    entry = ledger_record(record(1, executions=()), Rating(), 0)
    row = mapping.row(entry, 4, (SPOOL, "id"), 5, mapping.Charged("id", b"", mapping.figures(entry)))
    named = dict(zip(schema.entry.columns.keys(), row, strict=True))
    assert [named[name] for name in ("event_source_id", "event_id", "executions", "quantities")] == [None] * 4


def test_a_view_works_out_the_hour_and_whether_code_ran(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, occurred_us=START + HOUR + 1), posting(2, occurred_us=-1, executions=())])
    c = schema.record.c
    with ledger.engine.connect() as connection:
        rows = connection.execute(select(c.hour_utc, c.code_execution_used).order_by(c.id)).all()
    assert [tuple(row) for row in rows] == [(START // HOUR + 1, 1), (-1, 0)]


def test_the_number_of_a_template_is_the_same_everywhere_and_for_ever() -> None:
    words = mapping.words(ledger_record(record(1), rated(tokens()), 0), Reason.POSTED)
    line = ("input", "text", 500_000, "p1")
    assert mapping.template_number(words, (line,)) == -8757884720555122936
    assert len({mapping.template_number(words, lines) for lines in ((), (line,), (line, line))}) == 3


@pytest.mark.parametrize(("occurred_us", "hour"), [(-1, -1), (0, 0), (HOUR - 1, 0), (HOUR, 1)])
def test_hours_are_rounded_down(occurred_us: int, hour: int) -> None:
    assert mapping.hour_of(occurred_us) == hour


@given(st.dictionaries(TEXT, TEXT, max_size=4), st.dictionaries(TEXT, TEXT, max_size=4))
def test_labels_have_one_written_form_whatever_their_order(some: dict[str, str], others: dict[str, str]) -> None:
    text = mapping.labels_text(some)
    assert mapping.read_labels(text) == some
    assert mapping.labels_text(dict(reversed(some.items()))) == text
    hashed = mapping.labels_hash(text)
    assert len(hashed) == 16
    assert (mapping.labels_hash(mapping.labels_text(others)) == hashed) is (some == others)

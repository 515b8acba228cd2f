"""A revision goes into its row and comes back the same."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select

from gembill.ledger import Ledger, LedgerRecord, Reason, ledger_record, mapping, measures, schema, sql
from gembill.model import COST_PARTS, Api, ApiError, CostParts, Execution, Operation, Outcome, Record, Status, Tokens
from tests.gembill.ledger.making import HOUR, SPOOL, START, UNIT, number, rated, record, runs, tokens

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
    engine = ledger.engine.dialect.name
    row = mapping.row(entry, Reason.POSTED, (SPOOL, number(1)), 5, lambda text: schema.driver_id(engine, text))
    with ledger.engine.connect() as connection:  # never committed: the next example finds an empty table
        sql.insert(connection, schema.record, [row])
        assert mapping.revision(connection.execute(select(schema.record)).one()) == entry


def test_what_reports_sum_is_worked_out_for_the_row() -> None:
    ended = runs(Outcome.FAILED, Outcome.OK, Outcome.DEADLINE_EXCEEDED)
    entry = ledger_record(record(1, executions=ended, occurred_us=START + HOUR + 1), rated(tokens()), 0)
    row = mapping.row(entry, Reason.REPOST, (SPOOL, "event"), 5, str.upper)
    named = dict(zip(schema.record.columns.keys(), row, strict=True))
    assert (named["executions_count"], named["executions_failed"], named["code_execution_used"]) == (3, 2, 1)
    assert named["hour_utc"] == START // HOUR + 1
    assert named["failed_execution_cost_pico"] == 40 * UNIT * 2 // 3
    assert (named["reason"], named["event_id"], named["posted_us"]) == ("repost", "EVENT", 5)
    unused = mapping.row(replace(entry, record=record(1, executions=())), Reason.POSTED, (SPOOL, "event"), 5, str)
    assert unused[list(named).index("code_execution_used")] == 0


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

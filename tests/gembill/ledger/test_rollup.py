"""What revisions add to the rollups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.ledger import InvalidPosting, Ledger, LedgerRecord, Selection, ledger_record, read_totals, rollup
from gembill.ledger.mapping import figures
from gembill.ledger.schema import MEASURES, NARROW_KEY, WIDE_KEY
from gembill.model import Outcome, Rating, Status, Tokens
from tests.gembill.ledger.making import HOUR, SPOOL, START, UNIT, append, posting, rated, record, runs, tokens

HASH = b"h" * 16
COUNT = st.none() | st.integers(0, 3)
REVISION = st.builds(
    lambda counts, status, model, key, ended, price: ledger_record(
        record(1, status=status, model=model, key=key, tokens=counts, executions=runs(*ended)),
        rated(counts, price) if price else Rating(unpriced_reason="no price"),
        0,
    ),
    st.builds(tokens, COUNT, COUNT, COUNT),
    st.sampled_from(Status),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, "k"]),
    st.lists(st.sampled_from(Outcome), max_size=2),
    st.integers(0, 2),
)


def contribution(*entries: LedgerRecord) -> list[int]:
    return rollup.contribution([(entry.priced, figures(entry)) for entry in entries])


def test_a_revision_counts_its_tokens_runs_and_money() -> None:
    counts = Tokens(input=100, intermediate=40, output=60, total=200, cached=5, thinking=7)
    entry = ledger_record(record(1, tokens=counts, executions=runs(Outcome.OK, Outcome.FAILED)), rated(counts), 0)
    assert dict(zip(MEASURES, contribution(entry), strict=True)) == {
        "calls": 1,
        "unpriced_calls": 0,
        "executions": 2,
        "executions_failed": 1,
        "costed": 1,
        "tokens_input": 100,
        "tokens_intermediate": 40,
        "tokens_output": 60,
        "tokens_total": 200,
        "tokens_cached": 5,
        "tokens_thinking": 7,
        **{name: 1 for name in MEASURES if name.endswith("_known")},
        "cost_pico": 200 * UNIT,
        "cost_input_pico": 100 * UNIT,
        "cost_intermediate_pico": 40 * UNIT,
        "cost_output_pico": 60 * UNIT,
        "cost_grounding_pico": 0,
        "failed_execution_cost_pico": 40 * UNIT // 2,
    }


def test_what_is_not_known_adds_nothing_and_is_not_counted_as_known() -> None:
    counts = Tokens(output=3)
    entry = ledger_record(record(1, tokens=counts, executions=()), Rating(unpriced_reason="no price"), 0)
    values = dict(zip(MEASURES, contribution(entry), strict=True))
    assert {name: value for name, value in values.items() if value} == {
        "calls": 1,
        "unpriced_calls": 1,
        "tokens_output": 3,
        "tokens_output_known": 1,
    }


def test_revisions_count_together_what_each_counts_for() -> None:
    known, unknown = Tokens(input=1, output=2, total=3), Tokens(output=3)
    entries = [
        ledger_record(record(1, tokens=known, executions=runs(Outcome.FAILED)), rated(known), 0),
        ledger_record(record(2, tokens=unknown, executions=()), Rating(unpriced_reason="no price"), 0),
    ]
    assert contribution(*entries) == [sum(pair) for pair in zip(*map(contribution, entries), strict=True)]
    assert dict(zip(MEASURES, contribution(*entries), strict=True))["tokens_input_known"] == 1


def test_missing_names_are_empty_in_the_keys() -> None:
    differences = rollup.Differences()
    entry = ledger_record(record(1, model=None, key=None, executions=(), occurred_us=START + HOUR), Rating(), 0)
    differences.add(entry, HASH, figures(entry))
    (narrow,), (wide,) = differences.narrow, differences.wide
    assert dict(zip(NARROW_KEY, narrow, strict=True)) == {
        "source_id": SPOOL,
        "hour_utc": START // HOUR + 1,
        "model": "",
        "api": "gemini",
        "operation": "generate_content",
        "service_tier": "standard",
        "status": "complete",
        "code_execution_used": 0,
    }
    assert wide == (*narrow, "", HASH)


@given(st.lists(REVISION, min_size=1, max_size=5))
def test_what_is_left_of_many_revisions_is_the_last_one(revisions: list[LedgerRecord]) -> None:
    differences = rollup.Differences()
    for place, entry in enumerate(revisions):
        if place:
            differences.take(revisions[place - 1], HASH)
        differences.add(entry, HASH, figures(entry))
    last = revisions[-1]
    key = rollup.narrow_key(last)
    counts, more = contribution(last), (last.record.key or "", HASH)
    source_id, hour, *rest = key
    day = (source_id, hour // 24, *rest)
    assert [rows for _, rows in differences.rows()] == [
        [(*key, *counts)],
        [(*key, *more, *counts)],
        [(*day, *counts)],
        [(*day, *more, *counts)],
    ]


def test_hours_of_a_day_are_one_cell_of_its_rollup_and_what_cancels_is_in_none() -> None:
    differences = rollup.Differences()
    for place, hours in enumerate((0, 1, 23, 24)):
        midnight = START // (24 * HOUR) * 24 * HOUR
        entry = ledger_record(record(place, occurred_us=midnight + hours * HOUR), Rating(), 0)
        differences.add(entry, HASH, figures(entry))
    kept = {table.name: rows for table, rows in differences.rows()}
    assert [row[len(NARROW_KEY)] for row in kept["rollup_narrow"]] == [1, 1, 1, 1]
    assert [row[len(NARROW_KEY)] for row in kept["rollup_narrow_day"]] == [3, 1]
    assert [row[len(WIDE_KEY)] for row in kept["rollup_wide_day"]] == [3, 1]


def test_a_cell_that_overflows_refuses_the_batch(ledger: Ledger) -> None:
    huge = tokens(2**62, 0, 0)
    most = [posting(seq, tokens=huge, rating=Rating(known=False)) for seq in (1, 2)]
    append(ledger, SPOOL, most[:1])
    with pytest.raises(InvalidPosting):
        append(ledger, SPOOL, most[1:])
    assert read_totals(ledger, Selection())[0].tokens.input == 2**62

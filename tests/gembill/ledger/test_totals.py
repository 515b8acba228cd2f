from collections.abc import Iterable
from fnmatch import fnmatchcase

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from gembill.errors import ConfigurationError
from gembill.ledger import (
    Ledger,
    LedgerRecord,
    RatedEvent,
    Reason,
    Selection,
    Total,
    audit_ledger,
    open_ledger,
    read_hourly_totals,
    read_records,
    read_sums,
    read_totals,
    schema,
)
from gembill.model import COST_PARTS, CostParts, Outcome, Rating, Status, Tokens
from tests.gembill.ledger.making import (
    HOUR,
    NATURAL,
    SPOOL,
    START,
    UNIT,
    append,
    number,
    posting,
    rated,
    record,
    runs,
    tokens,
)

COUNT = st.none() | st.integers(0, 10**12)
MOMENT = st.one_of(
    st.integers(START - hours * HOUR, START + hours * HOUR) for hours in (2, 70)
)  # cut hours, whole days


@st.composite
def postings(draw: st.DrawFn, seq: int) -> RatedEvent:
    counts = tokens(draw(COUNT), draw(COUNT), draw(COUNT))
    rating = draw(st.sampled_from([rated(counts), Rating(unpriced_reason="no price")]))
    return posting(
        seq,
        rating,
        source_id=draw(st.sampled_from([SPOOL, NATURAL])),
        id=number(draw(st.integers(1, 4)) + 1000 * seq if draw(st.booleans()) else 500),
        occurred_us=draw(MOMENT),
        model=draw(st.sampled_from([None, "gemini-a", "gemini-b", "Gemini-a", "g_m%?"])),
        key=draw(st.sampled_from([None, "k1", "k2"])),
        status=draw(st.sampled_from(Status)),
        tokens=counts,
        executions=runs(*draw(st.lists(st.sampled_from(Outcome), max_size=3))),
        labels=draw(st.dictionaries(st.sampled_from(["team", 'we"ird', "$x"]), st.sampled_from(["a", "B'", "é"]))),
    )


@st.composite
def batches(draw: st.DrawFn) -> list[list[RatedEvent]]:
    seqs = iter(range(1, 100))
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    return [[draw(postings(next(seqs))) for _ in range(size)] for size in sizes]


selections = st.builds(
    Selection,
    start_us=st.none() | MOMENT | st.just(START),
    end_us=st.none() | MOMENT | st.just(START + HOUR),
    models=st.lists(st.sampled_from(["gemini-a", "gemini-*", "*", "g_m%?", "g*?"]), max_size=2).map(tuple),
    keys=st.lists(st.sampled_from(["k1", "k2"]), max_size=1).map(tuple),
    labels=st.dictionaries(st.sampled_from(["team", 'we"ird', "$x"]), st.sampled_from(["a", "B'", "é"]), max_size=2),
    code_execution=st.booleans(),
)
groups = st.lists(
    st.sampled_from(
        ["model", "api", "status", "key", "hour", "service_tier", "operation", "label.team", 'label.we"ird']
    ),
    unique=True,
    max_size=3,
)


def kept(stored: LedgerRecord, wanted: Selection) -> bool:
    r = stored.record
    inside = (wanted.start_us is None or r.occurred_us >= wanted.start_us) and (
        wanted.end_us is None or r.occurred_us < wanted.end_us
    )
    patterns = [pattern.replace("[", "[[]").replace("?", "[?]") for pattern in wanted.models]
    named = not patterns or any(r.model is not None and fnmatchcase(r.model, pattern) for pattern in patterns)
    keyed = not wanted.keys or r.key in wanted.keys
    labelled = all(r.labels.get(name) == value for name, value in wanted.labels.items())
    return inside and named and keyed and labelled and (bool(r.executions) or not wanted.code_execution)


def value_of(stored: LedgerRecord, word: str) -> object:
    if word == "hour":
        return stored.record.occurred_us // HOUR
    if word.startswith("label."):
        return stored.record.labels.get(word.removeprefix("label."))
    return getattr(stored.record, word)


def added(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def summed(group: dict[str, object], calls: list[LedgerRecord]) -> Total:
    """The totals worked out from the records alone."""

    def part(name: str) -> int | None:
        return added(getattr(s.cost_parts, name) for s in calls)

    fields = ("input", "intermediate", "output", "total", "cached", "thinking")
    return Total(
        group=group,  # type: ignore[arg-type]
        calls=len(calls),
        calls_code_execution=sum(bool(s.record.executions) for s in calls),
        executions=sum(len(s.record.executions) for s in calls),
        executions_failed=sum(s.record.failed for s in calls),
        unpriced_calls=sum(not s.priced for s in calls),
        incomplete_calls=sum(s.record.incomplete for s in calls),
        tokens=Tokens(**{name: added(getattr(s.record.tokens, name) for s in calls) for name in fields}),
        cost_pico=added(s.cost_pico for s in calls),
        cost_parts=CostParts(**{name: part(name) for name in COST_PARTS}),
        failed_execution_cost_pico=added(
            None
            if (cost := s.cost_parts.intermediate) is None
            else cost * s.record.failed // max(1, len(s.record.executions))
            for s in calls
        ),
    )


def expected(ledger: Ledger, wanted: Selection, by: list[str]) -> list[Total]:
    groups: dict[tuple[object, ...], list[LedgerRecord]] = {} if by else {(): []}
    for stored in read_records(ledger, Selection()):
        if kept(stored, wanted):
            groups.setdefault(tuple(value_of(stored, word) for word in by), []).append(stored)
    ordered = sorted(groups, key=lambda group: [(value is None, value) for value in group])
    return [summed(dict(zip(by, group, strict=True)), groups[group]) for group in ordered]


def emptied(ledger: Ledger) -> Ledger:
    with ledger.engine.begin() as connection:
        for table in schema.metadata.sorted_tables:
            connection.execute(delete(table))
    return ledger


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(batches=batches(), wanted=selections, by=groups, corrected=postings(50))
def test_totals_are_the_sums_of_the_records_whatever_was_posted(
    ledger: Ledger,
    ledger_url: str,
    batches: list[list[RatedEvent]],
    wanted: Selection,
    by: list[str],
    corrected: RatedEvent,
) -> None:
    emptied(ledger)
    for batch in batches:
        append(ledger, SPOOL, batch)
    first = batches[0][0].record
    changed = record(
        1, **{name: getattr(corrected.record, name) for name in ("tokens", "status", "executions", "labels")}
    )
    changed = type(changed)(
        **{**{name: getattr(changed, name) for name in changed.__slots__}, "source_id": first.source_id, "id": first.id}
    )
    ledger.correct([(changed, corrected.rating)], reason=Reason.REPOST)
    assert audit_ledger(ledger) == []
    reader = open_ledger(ledger_url, read_only=True)  # which on SQLite does without SQLAlchemy
    assert read_totals(ledger, wanted, by) == read_totals(reader, wanted, by) == expected(ledger, wanted, by)
    reader.close()
    listed = [s for s in read_records(ledger, Selection()) if kept(s, wanted)]
    assert list(read_records(ledger, wanted)) == listed


def test_an_empty_ledger_has_one_total_and_no_group(ledger: Ledger) -> None:
    (total,) = read_totals(ledger, Selection())
    assert (total.calls, total.cost_pico, total.tokens) == (0, None, Tokens())
    assert read_totals(ledger, Selection(), ["model"]) == []


def test_sums_that_no_64_bits_hold_are_exact(ledger: Ledger, ledger_url: str) -> None:
    """Two cells of a rollup with 8 million dollars each."""
    counts = tokens(8 * 10**12, 0, 0)
    calls = [posting(n, rated(counts, 10**6), tokens=counts, occurred_us=START + n * 24 * HOUR) for n in (1, 2, 3)]
    append(ledger, SPOOL, calls)
    reader = open_ledger(ledger_url, read_only=True)
    for either in (ledger, reader):
        assert read_totals(either, Selection())[0].cost_pico == 24 * 10**18
        assert sum(cost for (cost,) in read_hourly_totals(either, Selection(), ["cost_pico"]).values()) == 24 * 10**18
    reader.close()


def test_an_unknown_word_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ConfigurationError, match="'colour'"):
        read_totals(ledger, Selection(), ["colour"])


def test_a_group_that_a_correction_emptied_is_gone(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, model="old")])
    ledger.correct([(record(1, model="new"), rated(tokens()))], reason=Reason.REPOST)
    assert [total.group for total in read_totals(ledger, Selection(), ["model"])] == [{"model": "new"}]
    assert read_totals(ledger, Selection())[0].cost_pico == 200 * UNIT


def test_where_a_call_ran_is_a_group_and_a_filter(ledger: Ledger) -> None:
    places = ({"location": "us-central1", "project": "p"}, {"location": "global", "project": "p"}, {})
    append(ledger, SPOOL, [posting(seq, **place) for seq, place in enumerate(places, 1)])
    by_location = read_totals(ledger, Selection(), ["location"])
    assert [(total.group["location"], total.calls) for total in by_location] == [
        ("global", 1),
        ("us-central1", 1),
        (None, 1),
    ]
    assert [total.calls for total in read_totals(ledger, Selection(), ["project"])] == [2, 1]
    (regional,) = read_totals(ledger, Selection(locations=("us-central1",)))
    assert regional.calls == 1


def test_sums_of_few_measures_are_those_of_all(ledger: Ledger) -> None:
    append(
        ledger,
        SPOOL,
        [
            posting(1, tokens=tokens(100), labels={"team": "ads"}, key="k1"),
            posting(2, tokens=tokens(300), labels={"team": "ads"}, occurred_us=START + 50 * HOUR),
            posting(3, tokens=Tokens(), rating=None, status=Status.UNKNOWN, executions=()),
        ],
    )
    by = ("label.team", "key")
    for start in (None, START + 1):  # from rollups, and where an hour is cut
        chosen = Selection(start_us=start)
        sums = read_sums(ledger, chosen, by, ("calls", "tokens_input", "cost_pico", "incomplete_calls"))
        wanted = {
            (one.group["label.team"], one.group["key"]): (
                one.calls,
                one.tokens.input or 0,
                one.cost_pico or 0,
                one.incomplete_calls,
            )
            for one in read_totals(ledger, chosen, by)
        }
        assert sums == wanted

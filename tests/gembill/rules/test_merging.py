"""Of the answers to one call, posted in whatever order: what counts, what stays, and what it costs."""

import json
from collections.abc import Sequence
from itertools import permutations, zip_longest
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gembill.event import Ending, Event, RequestFacts, ResponseFacts
from gembill.ledger import (
    Ledger,
    RatedEvent,
    Selection,
    audit_ledger,
    line_of,
    net_lines,
    read_charges_of,
    read_evidence,
    read_records,
)
from gembill.model import Api, Execution, Operation, Outcome, Record, Status
from gembill.money import unit_price
from gembill.posting import append, posting
from gembill.price_catalog import PricingTerms
from gembill.replay import rerate
from gembill.rules.identity import natural
from gembill.rules.merging import completed, is_fuller, supplemented
from gembill.rules.prices import bundled
from gembill.rules.rating import Policies
from gembill.spool import SegmentEntry
from tests.gembill.calls import SPOOL, us
from tests.gembill.ledger.making import LOST, START, record, runs, tokens

COUNT = st.none() | st.integers(0, 3)
answers = st.builds(
    lambda status, counts, ended: record(1, status=status, tokens=tokens(*counts), executions=runs(*ended)),
    st.sampled_from(Status),
    st.tuples(COUNT, COUNT, COUNT),
    st.lists(st.sampled_from(Outcome), max_size=2),
)


@pytest.mark.parametrize(
    ("poorer", "fuller"),
    [
        (record(1, **LOST), record(1, **{**LOST, "status": Status.ERROR})),
        (record(1, **{**LOST, "status": Status.ERROR}), record(1, status=Status.PARTIAL)),
        (record(1, status=Status.PARTIAL, tokens=tokens(900)), record(1)),
        (record(1, tokens=tokens(intermediate=None, output=9999)), record(1)),
        (record(1), record(1, tokens=tokens(output=61))),
        (record(1, executions=()), record(1)),
    ],
    ids=[
        "error over unknown",
        "partial over error",
        "complete over partial",
        "more known",
        "more counted",
        "more runs",
    ],
)
def test_the_fuller_answer_wins(poorer: Record, fuller: Record) -> None:
    assert is_fuller(fuller, poorer)
    assert not is_fuller(poorer, fuller)


@given(answers, answers, answers)
def test_fuller_is_a_strict_order(a: Record, b: Record, c: Record) -> None:
    assert not is_fuller(a, a)
    assert not (is_fuller(a, b) and is_fuller(b, a))
    assert is_fuller(a, c) or not (is_fuller(a, b) and is_fuller(b, c))


def test_a_second_witness_of_a_call_that_knows_no_more_changes_nothing() -> None:
    proxy = record(1, turns=1, occurred_us=START + 60_000_000, ended_us=START + 61_000_000)
    imported = record(1, turns=1, occurred_us=START, ended_us=START, labels={"team": "other"})
    for known, new in ((proxy, imported), (imported, proxy)):
        assert not is_fuller(new, known)
        assert supplemented(known, new) == known


def test_the_question_stays_with_the_call() -> None:
    call = record(1, **LOST)
    poll = record(1, occurred_us=START + 10**9, labels={}, declared=None, requested_model=None, key=None, turns=None)
    assert completed(call, poll) == replace(
        poll,
        **{
            name: getattr(call, name)
            for name in ("occurred_us", "labels", "declared", "requested_model", "key", "turns")
        },
    )


def test_a_poll_that_came_first_gets_its_question_from_the_call() -> None:
    poll = record(1, **LOST, labels={}, declared=None, key=None)
    assert completed(poll, record(1)) == record(1)


def run(part_id: str | None, outcome: Outcome = Outcome.OK) -> Execution:
    return Execution(outcome=outcome, part_id=part_id)


def test_a_timeline_shows_no_run_twice_and_a_resumed_stream_adds_the_rest() -> None:
    call = record(1, executions=(run("a"), run("b", Outcome.UNKNOWN)))
    poll = record(1, turns=None, executions=(run("b", Outcome.FAILED), run("c")))
    wanted = (run("a"), run("b", Outcome.FAILED), run("c"))
    assert completed(call, poll).executions == wanted
    assert completed(poll, call).executions == wanted
    assert completed(record(1, executions=(run(None),)), record(1, executions=(run(None), run(None)))).executions == (
        run(None),
        run(None),
    )


def test_a_poll_brings_no_runs_to_a_call_that_allowed_none() -> None:
    call = record(1, turns=1, declared=False, executions=())
    poll = record(1, turns=None, declared=None, executions=runs(Outcome.OK))
    for merged in (completed(call, poll), completed(poll, call)):
        assert (merged.declared, merged.executions) == (False, ())


def test_a_call_that_is_posted_after_its_poll_brings_its_question_and_nothing_else() -> None:
    poll = record(1, turns=None, labels={}, key=None, requested_model=None, declared=None, occurred_us=START + 50)
    call = record(1, **LOST)
    joined = completed(call, poll)
    assert joined == replace(
        poll,
        labels=call.labels, key=call.key, requested_model=call.requested_model, declared=True, occurred_us=START + 1, turns=1,
    )  # fmt: skip
    assert completed(call, joined) == joined
    assert completed(replace(call, labels={"team": "another"}), record(1)) == record(1)


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.ERROR])
def test_an_operation_that_is_done_replaces_what_was_estimated_when_it_began(status: Status) -> None:
    film = {**LOST, "operation": Operation.GENERATE_VIDEOS}
    begun = record(1, **{**film, "status": Status.PARTIAL})
    done = record(1, **{**film, "status": status})
    assert is_fuller(done, begun)
    assert not is_fuller(begun, done)
    assert not is_fuller(done, done)


def test_of_tokens_that_are_kept_the_last_word_counts_in_any_order() -> None:
    kept = {**LOST, "operation": Operation.CACHE_STORAGE, "status": Status.COMPLETE}
    made, changed, imported = (record(1, **{**kept, "ended_us": at}) for at in (START + 10, START + 20, None))
    assert is_fuller(changed, made)
    assert not is_fuller(made, changed)
    assert not is_fuller(made, made)
    assert is_fuller(made, imported)


MADE, POLLED = us("2026-11-30T12:00:00-08:00"), us("2026-12-01T12:00:00-08:00")
ARGON = "gemini-4-argon"  # twice as expensive from 2026-12-01 on
ASKED = RequestFacts(model=ARGON, turns=1)
TERMS = PricingTerms(bundled(), Policies(free_tier_keys=frozenset({"k_free"})))


def told(number: int, at: int, key: str | None, counts: int, more: dict[str, Any], **changes: object) -> Event:
    """An event about one interaction whose usage, if it shows any, counts so many tokens."""
    usage = json.dumps({"total_input_tokens": counts, "total_tokens": counts}) if counts else None
    state = "completed" if counts > 50 else "in_progress"
    seen = ResponseFacts(response_id="i", finish_reason=state, usage=usage, **more)
    return Event(
        id=str(UUID(int=number)), occurred_us=at, ended_us=at + 10, api=Api.GEMINI, key=key, seen=seen,
        operation=Operation.INTERACTIONS, ending=Ending.FINISHED, http_status=200, **changes,
    )  # fmt: skip


def call_and_polls(random: Random) -> list[Event]:
    """A call made before the price changed, and polls around that moment: what each knows is drawn.

    A poll that shows more counts does not hide the tier that one with less of them shows.
    """
    asked = replace(ASKED, service_tier=random.choice([None, "flex", "priority"]))
    served, from_count = {"service_tier": random.choice(["standard", "flex"])}, random.choice([0, 100, 999])
    more: dict[str, Any] = {"asked": asked, "labels": {"team": "search"}}
    events = [told(1, MADE, random.choice(["k_free", "k_paid", None]), random.choice([0, 0, 40]), {}, **more)]
    for number in range(2, 5):
        at, counts = random.choice([MADE, POLLED]) + number, random.choice([0, 40, 100, 100])
        shown = served if counts >= from_count else {}
        events.append(told(number, at, "k_poll", counts, {"model_version": ARGON, **shown}))
    return events[1:] if random.random() < 0.2 else events


def named(events: Sequence[Event], number: int) -> list[RatedEvent]:
    """The same as events about an interaction of that number, read and rated as posting does."""
    made = []
    for one in events:
        key = ("interaction", "gemini", str(number))
        own = replace(one, id=str(UUID(int=number << 8 | int(one.id[-2:], 16))), natural=key)
        made.append(posting(SegmentEntry(0, own.id, msgspec.json.encode(own)), SPOOL, TERMS))
    return [replace(one, seq=None) for one in made]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_call_and_its_polls_make_the_same_record_and_charges_in_any_order(ledger: Ledger, at_once: bool) -> None:
    random = Random(13)
    examples = [call_and_polls(random) for _ in range(25)]
    orders = [(n, order) for n, events in enumerate(examples) for order in permutations(events)]
    made = [named(order, number) for number, (_, order) in enumerate(orders)]
    steps = [[one for each in made for one in each]] if at_once else zip_longest(*made)
    for step in steps:
        append(ledger, SPOOL, [one for one in step if one], TERMS.rate)
    by_id = {one.record.id: one for one in read_records(ledger, Selection())}
    charges = read_charges_of(ledger, list(by_id.values()))
    outcomes: dict[int, set[str]] = {}
    for number, (example, _) in enumerate(orders):
        source_id, record_id = natural("interaction", "gemini", str(number))
        one = by_id[record_id]
        net = net_lines((line_of(c.charge), c.charge.quantity) for c in charges.get((source_id, record_id), ()))
        same = replace(one, revision=0, record=replace(one.record, source_id=0, id=""))
        outcomes.setdefault(example, set()).add(repr((same, sorted(net.items()))))
    assert {n: (examples[n], each) for n, each in outcomes.items() if len(each) > 1} == {}
    assert {one.record.occurred_us for one in by_id.values()} >= {MADE}
    assert len({one.cost_pico for one in by_id.values()}) > 4, "the examples differ"
    assert audit_ledger(ledger) == []
    assert rerate(ledger, Selection(), TERMS, lambda *_: None).total.changed == 0


def test_a_call_that_is_posted_after_its_poll_is_priced_by_its_own_time_tier_and_key(ledger: Ledger) -> None:
    call = told(1, MADE, "k_paid", 0, {}, asked=replace(ASKED, service_tier="flex"))
    poll = told(2, POLLED, "k_free", 100, {"model_version": ARGON})
    for event in named([poll, call], 1):
        append(ledger, SPOOL, [event], TERMS.rate)
    (one,) = read_records(ledger, Selection())
    assert (one.record.occurred_us, one.record.service_tier, one.record.key) == (MADE, "flex", "k_paid")
    assert (one.cost_pico, one.record.flags, one.revision) == (100 * unit_price("1.00"), (), 1)
    (charge,) = read_evidence_lines(ledger)
    assert charge == (100, unit_price("1.00"))


def read_evidence_lines(ledger: Ledger) -> list[tuple[int, int]]:
    """Quantity and unit price of what is charged in the end."""
    ((one,),) = read_evidence(ledger, Selection())
    return [(quantity, unit) for (_, _, unit, _), quantity in one.lines.items()]


def test_without_its_event_a_record_gets_its_question_and_keeps_its_charges(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    call, poll = told(1, MADE, "k_paid", 0, {}, asked=ASKED), told(2, POLLED, "k_poll", 100, {"model_version": ARGON})
    first, second = named([poll, call], 1)
    append(ledger, SPOOL, [replace(first, body=b'{"version":99}')], TERMS.rate)
    append(ledger, SPOOL, [second], TERMS.rate)
    (one,) = read_records(ledger, Selection())
    assert (one.record.occurred_us, one.record.key) == (MADE, "k_paid")
    assert one.cost_pico == 100 * unit_price("4.00")
    assert "keeps its charges" in caplog.text
    assert audit_ledger(ledger) == []


def test_charging_again_repairs_a_record_that_kept_the_charges_of_its_polls_time(ledger: Ledger) -> None:
    call, poll = told(1, MADE, "k_paid", 0, {}, asked=ASKED), told(2, POLLED, "k_poll", 100, {"model_version": ARGON})
    first, second = named([poll, call], 1)
    append(ledger, SPOOL, [first], TERMS.rate)
    for attempt in ledger.attempts("amend"):  # as versions did that did not rate again
        with attempt as work:
            work.load({(first.record.source_id, first.record.id)})
            stored = work.current(first.record)
            assert stored is not None
            work.amend(completed(second.record, stored.record))
    assert {one.cost_pico for one in read_records(ledger, Selection())} == {100 * unit_price("4.00")}
    result = rerate(ledger, Selection(), TERMS, lambda *_: None)
    assert (result.total.changed, result.total.difference_pico) == (1, -100 * unit_price("2.00"))
    assert read_evidence_lines(ledger) == [(100, unit_price("2.00"))]
    assert audit_ledger(ledger) == []

"""Conversations: exactly the calls that show a conversation id, summed up."""

import itertools
import random
from dataclasses import replace as replace_dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select

from gembill.ledger import (
    Conversation,
    ConversationOrder,
    ConversationPage,
    Ledger,
    Selection,
    conversations,
    read_conversation_page,
    read_conversations,
    read_records,
    schema,
)
from gembill.ledger.conversations import goes_on
from gembill.model import Operation, Record
from gembill.rules import conversation
from tests.gembill.ledger.making import HOUR, LOST, SPOOL, START, UNIT, append, number, posting, record, tokens


def fill(ledger: Ledger) -> None:
    append(
        ledger,
        SPOOL,
        [
            posting(1, conversation="single"),
            posting(2, conversation="chain", operation=Operation.INTERACTIONS),
            posting(3, conversation="c_chat", turns=3, occurred_us=START + HOUR),
            posting(4, conversation="twice", tokens=tokens(5, 6, 7), occurred_us=START + 2 * HOUR),
            posting(5, conversation="twice", model="other", occurred_us=START + 3 * HOUR, **LOST),
            posting(6, conversation=None),
            posting(7, conversation="alone", response_id="alone", operation=Operation.INTERACTIONS),
        ],
    )


def test_they_are_those_that_records_show(ledger: Ledger) -> None:
    fill(ledger)
    shown = {one.conversation_id for one in read_records(ledger, Selection())} - {None}
    assert {one.id for one in read_conversations(ledger, Selection(), 10)} == shown == {"chain", "c_chat", "twice"}


def test_their_calls_are_summed_up_and_the_newest_comes_first(ledger: Ledger) -> None:
    fill(ledger)
    first, second, third = read_conversations(ledger, Selection(), 10)
    assert (first.id, second.id, third.id) == ("twice", "c_chat", "chain")
    assert (first.calls, first.models, first.model) == (2, 2, None)
    assert (first.tokens.input, first.tokens.output) == (5, 7)
    assert first.cost_pico == (5 + 6 + 7) * UNIT
    assert (first.first_us, first.last_us) == (START + 2 * HOUR, START + 3 * HOUR)
    assert third.operation == Operation.INTERACTIONS


def test_pages_go_on_where_the_last_ended(ledger: Ledger) -> None:
    fill(ledger)
    ids = []
    after = None
    while some := read_conversations(ledger, Selection(), 1, after):
        ids += [one.id for one in some]
        after = (some[-1].last_us, some[-1].id)
    assert ids == ["twice", "c_chat", "chain"]


def test_only_selected_calls_count(ledger: Ledger) -> None:
    fill(ledger)
    (only,) = read_conversations(ledger, Selection(models=("other",)), 10)
    assert (only.id, only.calls) == ("twice", 1)  # its other call is of another model, and still makes it one
    early = read_conversations(ledger, Selection(start_us=START + HOUR, end_us=START + 2 * HOUR), 10)
    assert [one.id for one in early] == ["c_chat"]


@pytest.mark.parametrize("order", list(ConversationOrder))
@pytest.mark.parametrize("ascending", [False, True])
def test_every_order_has_every_conversation_once_and_counts_them(
    ledger: Ledger, order: ConversationOrder, ascending: bool
) -> None:
    fill(ledger)
    page = ConversationPage(selection=Selection(), order=order, ascending=ascending)
    shown, there = read_conversation_page(ledger, page, 10)
    assert there == len(shown) == 3
    assert sorted(one.id for one in shown) == ["c_chat", "chain", "twice"]
    values = [_sorted_by(one, order) for one in shown]
    assert values == sorted(values, reverse=not ascending)
    second = read_conversation_page(ledger, replace_dataclass(page, skip=1), 1)
    assert second == (shown[1:2], 3)


@pytest.mark.parametrize("chosen", [Selection(), Selection(models=("other",)), Selection(start_us=START + 40)], ids=str)
def test_the_newest_are_found_in_the_last_calls_as_they_are_in_all(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, chosen: Selection
) -> None:
    draw = random.Random(16)
    names = [None, "alone", *(f"c_{n}" for n in range(25))]
    calls = [
        posting(
            n,
            occurred_us=START + n // 3,
            conversation=draw.choice(names),
            model=draw.choice(["other", "one"]),
            turns=draw.choice([1, 2]),
        )
        for n in range(1, 120)
    ]
    append(ledger, SPOOL, calls)
    whole = read_conversations(ledger, chosen, 1000)
    monkeypatch.setattr(conversations, "COUNTED", 3)
    monkeypatch.setattr(conversations, "_CALLS_EACH", (1, 2))
    for skip in range(0, len(whole) + 2, 2):
        page = ConversationPage(selection=chosen, skip=skip)
        shown, there = read_conversation_page(ledger, page, 2)
        assert shown == whole[skip : skip + 2]
        assert there in ((page.counted(2) or 0) + 1, len(whole) if shown else 0)


def test_of_many_newest_only_so_many_calls_are_looked_at(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "COUNTED", 3)
    monkeypatch.setattr(conversations, "_CALLS_EACH", (1,))
    append(ledger, SPOOL, [posting(n, conversation=f"c_{n}", turns=2) for n in range(1, 60)])
    shown, there = read_conversation_page(ledger, ConversationPage(selection=Selection()), 2)
    assert ([one.id for one in shown], there) == (["c_59", "c_58"], 4)
    everything = ConversationPage(selection=Selection(), order=ConversationOrder.COST)
    assert (everything.counted(2), read_conversation_page(ledger, everything, 2)[1]) == (None, 59)


def _sorted_by(one: Conversation, order: ConversationOrder) -> int:
    return {
        ConversationOrder.LAST: one.last_us,
        ConversationOrder.CALLS: one.calls,
        ConversationOrder.INPUT: one.tokens.input or 0,
        ConversationOrder.INTERMEDIATE: one.tokens.intermediate or 0,
        ConversationOrder.OUTPUT: one.tokens.output or 0,
        ConversationOrder.EXECUTIONS: one.executions,
        ConversationOrder.FAILED: one.executions_failed,
        ConversationOrder.COST: one.cost_pico or 0,
    }[order]


def test_words_are_looked_for_in_ids_and_models(ledger: Ledger) -> None:
    fill(ledger)
    for words, expected in ((("OTHER",), ["twice"]), (("chat", "c_"), ["c_chat"]), (("%",), []), (("twice", "x"), [])):
        shown, there = read_conversation_page(ledger, ConversationPage(selection=Selection(), words=words), 10)
        assert [one.id for one in shown] == expected
        assert there == len(shown)


NAMES = st.none() | st.sampled_from(["", "a", "b", "c_", "c_a"])
RECORDS = st.builds(
    lambda **changes: record(1, **changes),
    operation=st.sampled_from(list(Operation)),
    conversation=NAMES,
    response_id=NAMES,
    turns=st.none() | st.integers(0, 4),
)


places = itertools.count(1)  # a ledger serves all examples of a run


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORDS, min_size=1, max_size=8))
@example([record(1, conversation="c_a", turns=turns) for turns in (None, 0, 1, 2, 3)])
@example([record(1, conversation="a", turns=3)])
def test_sql_and_python_agree_on_which_calls_go_on_from_an_earlier_turn(ledger: Ledger, rows: list[Record]) -> None:
    """The rule is written twice: the database cuts pages of conversations by it, single records are read in Python."""
    postings = [
        replace(posting(place), record=replace(one, id=number(place))) for one, place in zip(rows, places, strict=False)
    ]
    append(ledger, SPOOL, postings)
    expected = {one.record.id for one in postings if conversation.goes_on(one.record)}
    with ledger.engine.connect() as connection:
        c = schema.record.c
        these = c.id.in_([one.record.id for one in postings])
        assert set(connection.scalars(select(c.id).where(these, goes_on()))) == expected

"""Which calls are turns of one conversation."""

import itertools

import pytest

from gembill.model import Api, Operation
from gembill.rules import identity
from gembill.rules.conversation import chained, goes_on, predecessor
from tests.gembill.ledger.making import record

CHAT, CHAIN = Operation.GENERATE_CONTENT, Operation.INTERACTIONS


def interaction(name: str, before: str | None = None):
    """An interaction under its natural key; without one before it, it is the first of its conversation."""
    source_id, record_id = identity.natural("interaction", Api.GEMINI.value, name)
    return record(
        source_id=source_id, id=record_id, operation=CHAIN, response_id=name, conversation=before or name, turns=1
    )


@pytest.mark.parametrize(("turns", "further"), [(None, False), (0, False), (1, False), (2, True), (3, True)])
def test_a_chat_recorded_until_0_2_goes_on_from_its_second_turn_on(turns, further):
    assert goes_on(record(operation=CHAT, conversation="c_1", turns=turns)) is further
    assert goes_on(record(operation=Operation.OPENAI_CHAT, conversation="c_1", turns=turns)) is further


@pytest.mark.parametrize("conversation", ["0199a0b0-0000-7000-8000-000000000001", "l_0123"])
def test_a_later_chat_goes_on_only_with_calls_that_are_there(conversation):
    """Examples that a prompt gives as turns, or turns that nobody recorded, are no conversation."""
    assert not goes_on(record(operation=CHAT, conversation=conversation, turns=9))


def test_an_interaction_goes_on_if_it_names_another_one_however_many_turns_it_sends():
    assert goes_on(interaction("i2", "i1"))
    assert not goes_on(record(operation=CHAIN, conversation="i1", response_id="i1", turns=9))


def test_a_call_without_a_conversation_goes_on_from_nothing():
    for operation in Operation:
        assert not goes_on(record(operation=operation, conversation=None, turns=9))


def test_the_predecessor_is_the_interaction_that_is_named():
    first, second = interaction("i1"), interaction("i2", "i1")
    assert predecessor(second) == (first.source_id, first.id)
    assert predecessor(first) is None
    assert predecessor(record(operation=CHAT, conversation="c", turns=5)) is None


def test_a_chain_is_followed_to_its_first_in_whatever_order_it_is_given():
    links = [interaction("i1"), interaction("i2", "i1"), interaction("i3", "i2"), interaction("i4", "i3")]
    for order in itertools.permutations(links):
        assert [one.conversation for one in chained(order, {})] == ["i1"] * 4


def test_a_chain_goes_back_beyond_the_records_given_as_far_as_it_is_known():
    third = interaction("i3", "i2")
    assert chained([third], {predecessor(third): "i1"})[0].conversation == "i1"
    assert chained([third], {})[0].conversation == "i2"


def test_a_chain_that_bites_its_tail_ends():
    circle = [interaction("i1", "i2"), interaction("i2", "i1")]
    assert {one.conversation for one in chained(circle, {})} <= {"i1", "i2"}

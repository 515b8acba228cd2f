"""Conversations: exactly the calls that show a conversation id, summed up."""

from gembill.ledger import Ledger, Selection, read
from gembill.ledger.conversations import conversations
from gembill.model import Operation
from tests.gembill.ledger.making import HOUR, LOST, SPOOL, START, UNIT, posting, tokens


def fill(ledger: Ledger) -> None:
    ledger.append(
        SPOOL,
        [
            posting(1, conversation="single"),
            posting(2, conversation="chain", operation=Operation.INTERACTIONS),
            posting(3, conversation="chat", turns=3, occurred_us=START + HOUR),
            posting(4, conversation="twice", tokens=tokens(5, 6, 7), occurred_us=START + 2 * HOUR),
            posting(5, conversation="twice", model="other", occurred_us=START + 3 * HOUR, **LOST),
            posting(6, conversation=None),
            posting(7, conversation="alone", response_id="alone", operation=Operation.INTERACTIONS),
        ],
    )


def test_they_are_those_that_records_show(ledger: Ledger) -> None:
    fill(ledger)
    shown = {one.conversation_id for one in read.records(ledger, Selection())} - {None}
    assert {one.id for one in conversations(ledger, Selection(), 10)} == shown == {"chain", "chat", "twice"}


def test_their_calls_are_summed_up_and_the_newest_stands_first(ledger: Ledger) -> None:
    fill(ledger)
    first, second, third = conversations(ledger, Selection(), 10)
    assert (first.id, second.id, third.id) == ("twice", "chat", "chain")
    assert (first.calls, first.models, first.model) == (2, 2, None)
    assert (first.tokens.input, first.tokens.output) == (5, 7)
    assert first.cost_pico == (5 + 6 + 7) * UNIT
    assert (first.first_us, first.last_us) == (START + 2 * HOUR, START + 3 * HOUR)
    assert third.operation is Operation.INTERACTIONS


def test_pages_go_on_where_the_last_ended(ledger: Ledger) -> None:
    fill(ledger)
    found = []
    after = None
    while some := conversations(ledger, Selection(), 1, after):
        found += [one.id for one in some]
        after = (some[-1].last_us, some[-1].id)
    assert found == ["twice", "chat", "chain"]


def test_only_selected_calls_count(ledger: Ledger) -> None:
    fill(ledger)
    (only,) = conversations(ledger, Selection(models=("other",)), 10)
    assert (only.id, only.calls) == ("twice", 1)  # its other call is of another model, and still makes it one
    early = conversations(ledger, Selection(start_us=START + HOUR, end_us=START + 2 * HOUR), 10)
    assert [one.id for one in early] == ["chat"]

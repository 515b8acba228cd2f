"""Turns of a chat are joined to the call that they repeat, and to no other that is alike."""

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gembill.capture import chats as module
from gembill.capture.chats import Chats
from gembill.capture.context import ContextCache
from gembill.event import Ending
from gembill.wire.turns import Turn, Turns
from tests.gembill.capture.test_exchange import event, exchange


def said(context: ContextCache, number: int, contents: list[str], answer: str, **who: Any) -> str | None:
    """The conversation of a call whose contents are by user and model in turn."""
    call = exchange(**who)
    call.event_id, call._context = f"call {number}", context
    roles = itertools.cycle(("user", "model"))
    written = [{"role": role, "parts": [{"text": text}]} for role, text in zip(roles, contents, strict=False)]
    call.sent(json.dumps({"contents": written}).encode())
    call.answered(200, [])
    call.received(json.dumps({"candidates": [{"content": {"parts": [{"text": answer}]}}]}).encode())
    return event(call.finish(Ending.FINISHED, 2_000_000)).asked.conversation


_chats = st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), min_size=1, max_size=3), max_size=6)


@given(_chats, st.randoms(use_true_random=False))
def test_turns_are_joined_that_repeat_a_prompt_with_its_answer_and_no_others(chats, random):
    """Held against the rule in its plainest form: all that was said so far, and the newest call that had it."""
    context, talks = ContextCache(), {}
    order = [place for place, chat in enumerate(chats) for _ in chat]
    random.shuffle(order)
    turns = {place: list(chat) for place, chat in enumerate(chats)}
    history: dict[int, list[str]] = {place: [] for place in turns}
    for number, place in enumerate(order):
        prompt, answer = turns[place].pop(0)
        before = tuple(history[place])
        expected = talks.get(before, f"call {number}")
        assert said(context, number, [*before, prompt], answer) == expected
        history[place] += [prompt, answer]
        talks[(*before, prompt, answer)] = expected


@given(st.text(max_size=20), st.text(max_size=20))
def test_calls_that_share_their_first_prompt_and_even_the_answer_are_two_conversations(prompt, answer):
    context = ContextCache()
    assert said(context, 1, [prompt], answer) == "call 1"
    assert said(context, 2, [prompt], answer) == "call 2"
    examples = [prompt, "an example of an answer", "a question"]  # not a turn that was recorded
    assert said(context, 3, examples, answer) == "call 3"
    assert said(context, 4, examples, answer) == "call 4"


def test_a_conversation_is_one_of_a_key():
    context = ContextCache()
    said(context, 1, ["a"], "x")
    assert said(context, 2, ["a", "x", "b"], "y", key="AIza-another-key-0123456789") == "call 2"
    assert said(context, 3, ["a", "x", "b"], "y") == "call 1"


def test_a_caller_names_the_conversation_with_a_label():
    context, label = ContextCache(), {"conversation": "chat 7"}
    first = said(context, 1, ["a"], "x", labels=label)
    assert (first or "").startswith("l_")
    assert said(context, 2, ["b"], "y", labels=label) == first
    assert said(context, 3, ["a", "x", "c"], "z") == first, "turns that go on from it are of it, too"
    assert said(context, 4, ["b"], "y", labels={"conversation": "chat 8"}) not in (first, None)
    assert said(context, 5, ["b"], "y", labels=label, key="AIza-another-key-0123456789") not in (first, None)
    assert said(context, 6, ["b"], "y", labels={"conversation": ""}) == "call 6"


def test_a_turn_belongs_to_its_caller_and_the_newest_call_that_had_it():
    memory, turn = Chats(), Turn(b"p", b"a")
    memory.note("me", turn, "first")
    memory.note("me", turn, "second")
    assert memory.conversation("me", Turns(b"", turn)) == "second"
    assert (memory.conversation("you", Turns(b"", turn)), memory.conversation("me", Turns(b"", Turn(b"p", b"b")))) == (
        None,
        None,
    )


def test_a_signature_that_was_sent_back_tells_calls_apart_that_are_alike():
    memory = Chats()
    for name in ("one", "two"):
        memory.note("me", Turn(b"p", b"a", (name.encode(), b"more of " + name.encode())), name)
    assert memory.conversation("me", Turns(b"", Turn(b"p", b"a", (b"more of one",)))) == "one"
    assert memory.conversation("me", Turns(b"", Turn(b"p", b"a", (b"lost", b"two")))) == "two"
    assert memory.conversation("me", Turns(b"", Turn(b"p", b"a", (b"another",)))) is None
    assert memory.conversation("me", Turns(b"", Turn(b"p", b"a"))) == "two"


def test_the_oldest_turns_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "MAX_TURNS", 3)
    memory = Chats()
    for n in (0, 1, 2, 0, 3):
        memory.note("me", Turn(b"p%d" % n, b"a"), str(n))
    assert [memory.conversation("me", Turns(b"", Turn(b"p%d" % n, b"a"))) for n in range(4)] == ["0", None, "2", "3"]

"""What is shown of an interaction at which time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gembill_simulator.interactions.record import Interaction
from gembill_simulator.interactions.steps import Step
from tests.gembill_simulator.contexts import START

SAID = {"type": "model_output", "content": [{"type": "text", "text": "Hi"}]}
ASKED = {"type": "user_input", "content": [{"type": "text", "text": "Hello"}]}


def made(**more: Any) -> Interaction:
    plain = Interaction(
        id="v1_a",
        model="gemini-2.5-flash",
        agent=None,
        tier="standard",
        created=START,
        inputs=(ASKED,),
        steps=(Step({"type": "model_output"}, (), SAID),),
        context=(ASKED, SAID),
        usage={"total_tokens": 9},
        outcome="completed",
    )
    return replace(plain, **more)


def test_a_finished_one_shows_usage_and_steps_with_the_input_in_the_timeline_only() -> None:
    answered, read = made().show(START, timeline=False), made().show(START, timeline=True)
    assert answered["steps"] == [SAID]
    assert read["steps"] == [ASKED, SAID]
    assert answered["usage"] == read["usage"] == {"total_tokens": 9}
    assert "input" not in read
    assert made().show(START, timeline=True, inputs=True)["input"] == [ASKED]


def test_one_that_goes_on_shows_no_usage_until_its_polls_and_its_time_are_over() -> None:
    going = made(background=True, polls=1, ready=START + timedelta(seconds=3))
    assert "usage" not in going.show(START, timeline=False)
    polled = going.polled()
    assert polled.status(START + timedelta(seconds=2)) == "in_progress"
    assert polled.status(START + timedelta(seconds=3)) == "completed"
    assert going.finished().show(START, timeline=True)["usage"] == {"total_tokens": 9}


def test_a_deferred_one_is_queued_before_it_is_in_progress() -> None:
    waiting = made(background=True, polls=2, tier="deferred")
    assert [waiting.status(START), waiting.polled().status(START)] == ["queued", "in_progress"]


def test_a_cancelled_one_shows_neither_usage_nor_output() -> None:
    shown = made(background=True, polls=3, cancelled=START).show(START, timeline=True)
    assert shown["status"] == "cancelled"
    assert "usage" not in shown
    assert shown["steps"] == [ASKED]


@pytest.mark.parametrize(("agent", "key"), [(None, "model"), ("deep-research-preview-04-2026", "agent")])
def test_it_names_its_model_or_its_agent(agent: str | None, key: str) -> None:
    head = made(agent=agent, previous="v1_b", outcome="requires_continuation", token="t").head("requires_continuation")
    assert {"model", "agent"} & set(head) == {key}
    assert (head["previous_interaction_id"], head["continuation_token"]) == ("v1_b", "t")

"""Interactions as events, in the present schema and in the old one."""

import json

import pytest

from gembill.errors import Refusal
from gembill_simulator.interactions.events import DONE, after, all_events, frame, old_event, old_resource, trouble
from gembill_simulator.wire import error
from tests.gembill_simulator.contexts import START
from tests.gembill_simulator.interactions.test_record import made


def test_events_begin_with_created_and_end_with_the_usage() -> None:
    names = [event["event_type"] for event in all_events(made())]
    assert names == [
        "interaction.created",
        "interaction.status_update",
        "step.start",
        "step.stop",
        "interaction.completed",
    ]
    last = all_events(made())[-1]["interaction"]
    assert last["usage"] == {"total_tokens": 9}
    assert "steps" not in last


def test_a_stream_goes_on_after_any_event() -> None:
    events = all_events(made())
    assert after(events, "") == events
    for index, event in enumerate(events):
        assert after(all_events(made()), event["event_id"]) == events[index + 1 :]
    with pytest.raises(Refusal):
        after(events, "elsewhere")


def test_frames_are_named_events() -> None:
    event = all_events(made())[0]
    name, data, *rest = frame(event).decode().split("\n")
    assert name == "event: interaction.created"
    assert json.loads(data.removeprefix("data: ")) == event
    assert rest == ["", ""]
    assert DONE == b"event: done\ndata: [DONE]\n\n"


def test_trouble_is_an_error_event_with_a_word_for_a_code() -> None:
    name, data, *_ = trouble(error(503, "UNAVAILABLE", "No.")).decode().split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"] == {"code": "unavailable", "message": "No."}


def test_an_old_resource_has_outputs_in_place_of_steps_and_the_same_usage() -> None:
    new = made().show(START, timeline=True)
    old = old_resource(new)
    assert "steps" not in old
    assert old["outputs"] == [{"type": "text", "text": "Hi"}]
    assert (old["usage"], old["role"]) == (new["usage"], "model")


def test_old_events_have_their_old_names_and_the_same_ids() -> None:
    new = all_events(made())
    old = [old_event(event) for event in new]
    assert [event["event_type"] for event in old] == [
        "interaction.start",
        "interaction.status_update",
        "content.start",
        "content.stop",
        "interaction.complete",
    ]
    assert [event["event_id"] for event in old] == [event["event_id"] for event in new]
    assert old[2]["content"] == {"type": "text", "text": ""}
    assert old[-1]["interaction"]["usage"] == {"total_tokens": 9}


def test_other_steps_are_old_contents_as_they_are() -> None:
    step = {"type": "code_execution_call", "id": "1", "arguments": {"code": "x"}}
    assert old_resource({"steps": [step]})["outputs"] == [step]

"""Interactions as events."""

import json

import pytest

from gembill.errors import Refusal
from gembill_simulator.interactions.events import DONE, after, frame, told, trouble
from gembill_simulator.wire import error
from tests.gembill_simulator.interactions.test_record import made


def test_events_begin_with_created_and_end_with_the_usage() -> None:
    names = [event["event_type"] for event in told(made())]
    assert names == [
        "interaction.created",
        "interaction.status_update",
        "step.start",
        "step.stop",
        "interaction.completed",
    ]
    last = told(made())[-1]["interaction"]
    assert last["usage"] == {"total_tokens": 9}
    assert "steps" not in last


def test_a_stream_goes_on_after_any_event() -> None:
    events = told(made())
    assert after(events, "") == events
    for index, event in enumerate(events):
        assert after(told(made()), event["event_id"]) == events[index + 1 :]
    with pytest.raises(Refusal):
        after(events, "elsewhere")


def test_frames_are_named_events() -> None:
    event = told(made())[0]
    name, data, *rest = frame(event).decode().split("\n")
    assert name == "event: interaction.created"
    assert json.loads(data.removeprefix("data: ")) == event
    assert rest == ["", ""]
    assert DONE == b"event: done\ndata: [DONE]\n\n"


def test_trouble_is_an_error_event_with_a_word_for_a_code() -> None:
    name, data, *_ = trouble(error(503, "UNAVAILABLE", "No.")).decode().split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"] == {"code": "unavailable", "message": "No."}

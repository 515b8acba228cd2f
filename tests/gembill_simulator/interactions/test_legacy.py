"""The old schema."""

from gembill_simulator.interactions import legacy
from gembill_simulator.interactions.events import told
from tests.gembill_simulator.interactions.test_record import made
from tests.gembill_simulator.visits import START


def test_a_resource_has_outputs_in_place_of_steps_and_the_same_usage() -> None:
    new = made().show(START, timeline=True)
    old = legacy.resource(new)
    assert "steps" not in old
    assert old["outputs"] == [{"type": "text", "text": "Hi"}]
    assert (old["usage"], old["role"]) == (new["usage"], "model")


def test_events_have_their_old_names_and_the_same_ids() -> None:
    new = told(made())
    old = [legacy.event(event) for event in new]
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


def test_other_steps_are_contents_as_they_are() -> None:
    step = {"type": "code_execution_call", "id": "1", "arguments": {"code": "x"}}
    assert legacy.resource({"steps": [step]})["outputs"] == [step]

"""Events: what is stored of a call, small on disk and readable by other versions."""

import inspect

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill import event as events
from gembill.event import EVENT_VERSION, Ending, Event, Part, RequestFacts, ResponseFacts, UnreadReason
from gembill.model import Anomaly, Api, Operation

EVENT = Event(id="i", occurred_us=1, api=Api.GEMINI, operation=Operation.GENERATE_CONTENT, ending=Ending.FINISHED)


def anomaly_of(reason: UnreadReason) -> Anomaly:
    return Anomaly(f"answer_unread_{reason}")


def test_every_part_of_an_event_is_frozen():
    kinds = [
        kind
        for _, kind in inspect.getmembers(events, inspect.isclass)
        if kind.__module__ == events.__name__ and issubclass(kind, msgspec.Struct)
    ]
    assert len(kinds) > 4
    assert all(kind.__struct_config__.frozen for kind in kinds)


def test_an_event_holds_only_what_was_seen():
    assert msgspec.json.decode(msgspec.json.encode(EVENT)) == {
        "id": "i", "occurred_us": 1, "api": "gemini", "operation": "generate_content", "ending": "finished",
    }  # fmt: skip


_word = st.none() | st.text(max_size=8)
_number = st.none() | st.integers(0, 2**53)
_parts = st.builds(
    Part,
    kind=st.text(max_size=5),
    outcome=_word | st.integers(-5, 5),
    candidate=st.integers(0, 9),
    thought=st.booleans(),
    chars=st.integers(0, 99),
    id=_word,
)
_events = st.builds(
    Event, id=st.text(), occurred_us=st.integers(0, 2**53), ended_us=_number, api=st.sampled_from(Api), operation=st.sampled_from(Operation), ending=st.sampled_from(Ending),
    labels=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), labels_cut=st.booleans(), key=_word, http_status=_number,
    asked=st.builds(RequestFacts, model=_word, declared=st.none() | st.booleans(), turns=_number),
    seen=st.builds(ResponseFacts, usage=_word, outline=st.lists(_parts, max_size=3).map(tuple), searches=st.integers(0, 9), finish_reason=_word),
)  # fmt: skip


@given(_events)
def test_an_event_is_the_same_after_storage(event):
    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


def test_none_and_zero_and_false_stay_apart_in_storage():
    for declared in (None, False, True):
        stored = msgspec.json.encode(msgspec.structs.replace(EVENT, asked=RequestFacts(declared=declared, turns=0)))
        facts = msgspec.json.decode(stored, type=Event).asked
        assert (facts.declared, facts.turns) == (declared, 0)


def test_an_event_of_a_later_version_can_still_be_read():
    later = msgspec.json.decode(msgspec.json.encode(EVENT)) | {"version": EVENT_VERSION + 1, "news": {"a": 1}}
    read = msgspec.json.decode(msgspec.json.encode(later), type=Event)
    assert (read.id, read.version) == ("i", EVENT_VERSION + 1)


@pytest.mark.parametrize("missing", ["id", "occurred_us", "api", "operation", "ending"])
def test_an_event_without_its_essentials_is_refused(missing):
    stored = msgspec.json.decode(msgspec.json.encode(EVENT))
    del stored[missing]
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(stored), type=Event)


@pytest.mark.parametrize("reason", UnreadReason)
def test_every_reason_for_not_reading_is_an_anomaly_and_survives_storage(reason):
    stored = msgspec.json.encode(msgspec.structs.replace(EVENT, seen=ResponseFacts(unread=reason)))
    assert f'"unread":"{anomaly_of(reason).removeprefix("answer_unread_")}"' in stored.decode()
    assert msgspec.json.decode(stored, type=Event).seen.unread == reason


def test_a_reason_of_another_version_can_still_be_read():
    stored = msgspec.json.encode(msgspec.structs.replace(EVENT, seen=ResponseFacts(unread="a_later_reason")))
    assert msgspec.json.decode(stored, type=Event).seen.unread == "a_later_reason"

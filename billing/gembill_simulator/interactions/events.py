"""An interaction as server-sent events.

Owns: the order, names and ids of its events (wire.md 2.6). Owns no step. Invariant: the same interaction gives
the same events each time it is streamed, so that a stream can be resumed after any of them; usage is in the last
event before `done`.
"""

from collections.abc import Iterator

import msgspec

from gembill.errors import Refusal
from gembill_simulator.context import stamp
from gembill_simulator.interactions.record import Interaction
from gembill_simulator.wire import Document, interactions_error

DONE = b"event: done\ndata: [DONE]\n\n"


def told(interaction: Interaction) -> list[Document]:
    """All events but `done`, in order."""
    events = list(_bare(interaction))
    return [event | {"event_id": f"ev_{index:05d}"} for index, event in enumerate(events)]


def after(events: list[Document], last_event_id: str) -> list[Document]:
    """The events that follow the one of this id, all for an empty id; raises `Refusal` (400) for an unknown one."""
    if not last_event_id:
        return events
    for index, event in enumerate(events):
        if event["event_id"] == last_event_id:
            return events[index + 1 :]
    raise Refusal(400, "INVALID_ARGUMENT", f"last_event_id {last_event_id!r} is no event of this interaction.")


def frame(event: Document) -> bytes:
    """An event as it travels."""
    return b"event: %b\ndata: %b\n\n" % (event["event_type"].encode(), msgspec.json.encode(event))


def trouble(document: Document) -> bytes:
    """An error, in Google's shape, as an event."""
    return frame({"event_type": "error", **interactions_error(document)})


def _bare(interaction: Interaction) -> Iterator[Document]:
    begun = interaction.head("in_progress")
    yield {"event_type": "interaction.created", "interaction": begun}
    yield {"event_type": "interaction.status_update", "interaction_id": interaction.id, "status": "in_progress"}
    for index, step in enumerate(interaction.steps):
        yield {"event_type": "step.start", "index": index, "step": step.start}
        for delta in step.deltas:
            yield {"event_type": "step.delta", "index": index, "delta": delta}
        yield {"event_type": "step.stop", "index": index}
    ended = interaction.head(interaction.outcome) | {"usage": interaction.usage}
    created = stamp(interaction.created, seconds=True)
    dates = {"created": created, "updated": created, "service_tier": interaction.tier}
    yield {"event_type": "interaction.completed", "interaction": ended | dates}

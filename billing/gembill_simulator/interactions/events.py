"""An interaction as server-sent events, in the present schema and in that of before June 2026 (wire.md 2.8).

Owns: the order, names and ids of its events (wire.md 2.6), and turning resources and events into the old schema. Not
here: steps. Invariant: the same interaction gives the same events each time it is streamed, so that a stream can be
resumed after any of them; usage is in the last event before `done`; in the old schema nothing but names and places
differs.
"""

from collections.abc import Iterator

import msgspec

from gembill.errors import Refusal
from gembill_simulator.context import stamp
from gembill_simulator.interactions.record import Interaction
from gembill_simulator.wire import Document, interactions_error

DONE = b"event: done\ndata: [DONE]\n\n"
_OLD_NAMES = {
    "interaction.created": "interaction.start",
    "interaction.completed": "interaction.complete",
    "step.start": "content.start",
    "step.delta": "content.delta",
    "step.stop": "content.stop",
}


def all_events(interaction: Interaction) -> list[Document]:
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
    raise Refusal(400, "INVALID_ARGUMENT", f"last_event_id {last_event_id!r} is not an event of this interaction.")


def frame(event: Document) -> bytes:
    """An event as it travels."""
    return b"event: %b\ndata: %b\n\n" % (event["event_type"].encode(), msgspec.json.encode(event))


def trouble(document: Document) -> bytes:
    """An error, in Google's shape, as an event."""
    return frame({"event_type": "error", **interactions_error(document)})


def old_resource(shown: Document) -> Document:
    """A resource with `outputs`, a flat list of contents, in place of `steps`."""
    old = {name: value for name, value in shown.items() if name != "steps"}
    if "steps" in shown:
        old["outputs"] = [content for step in shown["steps"] for content in _contents(step)]
    return old | {"role": "model"}


def old_event(event: Document) -> Document:
    """An event under its old name; a step that starts is a content that starts."""
    old = event | {"event_type": _OLD_NAMES.get(event["event_type"], event["event_type"])}
    if "step" in old:
        step = old.pop("step")
        old["content"] = {"type": "text", "text": ""} if step["type"] == "model_output" else step
    if "interaction" in old:
        old["interaction"] = old["interaction"] | {"role": "model"}
    return old


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


def _contents(step: Document) -> list[Document]:
    if step["type"] == "user_input":
        return []
    if step["type"] == "model_output":
        contents: list[Document] = step["content"]
        return contents
    return [step]

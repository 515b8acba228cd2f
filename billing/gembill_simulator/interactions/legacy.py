"""The schema of the Interactions API before June 2026 (wire.md 2.8).

Owns: turning resources and events of the new schema into the old one. Owns no interaction. Invariant: nothing but
names and places differ; usage is the same.
"""

from gembill_simulator.wire import Document

_NAMES = {
    "interaction.created": "interaction.start",
    "interaction.completed": "interaction.complete",
    "step.start": "content.start",
    "step.delta": "content.delta",
    "step.stop": "content.stop",
}


def resource(shown: Document) -> Document:
    """A resource with `outputs`, a flat list of contents, in place of `steps`."""
    old = {name: value for name, value in shown.items() if name != "steps"}
    if "steps" in shown:
        old["outputs"] = [content for step in shown["steps"] for content in _contents(step)]
    return old | {"role": "model"}


def event(told: Document) -> Document:
    """An event under its old name; a step that starts is a content that starts."""
    old = told | {"event_type": _NAMES.get(told["event_type"], told["event_type"])}
    if "step" in old:
        step = old.pop("step")
        old["content"] = {"type": "text", "text": ""} if step["type"] == "model_output" else step
    if "interaction" in old:
        old["interaction"] = old["interaction"] | {"role": "model"}
    return old


def _contents(step: Document) -> list[Document]:
    if step["type"] == "user_input":
        return []
    if step["type"] == "model_output":
        found: list[Document] = step["content"]
        return found
    return [step]

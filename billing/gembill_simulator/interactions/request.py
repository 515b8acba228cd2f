"""What a request for an interaction asks for.

Owns: reading the JSON of `POST interactions` (wire.md 2.2), and the tokens of steps. Not here: the answer. Invariant:
any JSON object gives an `InteractionRequest` or a `Refusal` with status 400 or 404; nothing else is raised.
"""

from dataclasses import dataclass, replace

import msgspec

from gembill_simulator import routes
from gembill_simulator.calls import Function
from gembill_simulator.fields import Json, Object, bad, entries, entry, integer, text, value
from gembill_simulator.models import SimulatedModel
from gembill_simulator.request import Continuation, ParsedRequest, tier
from gembill_simulator.tokens import TokenTally, count, count_media

Step = Object
_CONTENTS = ("text", "image", "audio", "video", "document", "file")
_MEDIA = {"image": "image/", "audio": "audio/", "video": "video/", "document": "application/"}


@dataclass(frozen=True, slots=True)
class InteractionRequest:
    """A request, read. `inputs` are the steps that it adds; `parsed` counts them, without the history.

    `agent` is None for a model; an agent thinks and runs code like `model`.
    """

    model: SimulatedModel
    agent: str | None
    parsed: ParsedRequest
    inputs: tuple[Step, ...]
    tier: str
    streams: bool
    background: bool
    stored: bool
    previous: str

    @property
    def researches(self) -> bool:
        """Whether the agent is one that searches and reports (deep research)."""
        return self.agent is not None and self.agent.startswith("deep-research")


def read(document: Object) -> InteractionRequest:
    """The meaning of a body; raises `Refusal` (400) where it is wrong and (404) for an unknown model."""
    token = text(document, "continuationToken")
    inputs = _steps(value(document, "input"))
    if not inputs and not token:
        raise bad("The field 'input' is required.")
    model, agent = _subject(document)
    background, stored = value(document, "background") is True, value(document, "store") is not False
    if background and not stored:
        raise bad("An interaction in the background must be stored: 'store' cannot be false.")
    parsed = _parsed(document, inputs)
    if token:
        parsed = replace(parsed, continues=Continuation.read(token))
    if agent is not None:  # agents bring their own tools (wire.md 4)
        parsed = replace(parsed, code_allowed=True, search_allowed=True)
    tier_name = text(document, "serviceTier")
    return InteractionRequest(
        model,
        agent,
        parsed,
        inputs,
        tier_name if tier_name == "deferred" else parsed.tier,
        value(document, "stream") is True,
        background,
        stored,
        text(document, "previousInteractionId"),
    )


def question(inputs: tuple[Step, ...]) -> str:
    """The last text that a user put in."""
    for step in reversed(inputs):
        said = [text(part, "text") for part in entries(step, "content") if text(part, "type") == "text"]
        if text(step, "type") == "user_input" and said:
            return " ".join(said)
    return ""


def count_steps(steps: tuple[Step, ...]) -> TokenTally:
    """The tokens of steps when they are read."""
    return sum((_count_step(step) for step in steps), TokenTally())


def _subject(document: Object) -> tuple[SimulatedModel, str | None]:
    name, agent = text(document, "model"), text(document, "agent")
    if bool(name) == bool(agent):
        raise bad("Exactly one of 'model' and 'agent' must be set.")
    if name:
        return routes.model_named(name), None
    # Deep research counts its searches as tool use, as 2.x does; coding agents have the habits of 3.x.
    return SimulatedModel(agent, agent, generation=2 if agent.startswith("deep-research") else 3), agent


def _parsed(document: Object, inputs: tuple[Step, ...]) -> ParsedRequest:
    config, tools = entry(document, "generationConfig"), entries(document, "tools")
    kinds = {text(tool, "type") for tool in tools}
    functions = [tool for tool in tools if text(tool, "type") == "function"]
    return ParsedRequest(
        prompt=count_steps(inputs) + TokenTally(text=count(text(document, "systemInstruction"))),
        question=question(inputs),
        code_allowed="code_execution" in kinds,
        search_allowed="google_search" in kinds,
        functions=tuple(Function(text(tool, "name"), entry(tool, "parameters")) for tool in functions),
        answered=bool(inputs) and text(inputs[-1], "type") == "function_result",
        forced=value(config, "toolChoice") == "any",
        shows_thoughts=text(config, "thinkingSummaries") == "auto",
        most_tokens=integer(config, "maxOutputTokens") or None,
        tier=tier(document),
    )


def _steps(given: Json) -> tuple[Step, ...]:
    """The four forms of `input` as steps; turns of the old schema have a role in place of a type."""
    if given is None:
        return ()
    if isinstance(given, str):
        return (_said([{"type": "text", "text": given}]),)
    items = [given] if isinstance(given, dict) else given
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad("The field 'input' must be a text, a content, a list of contents or a list of steps.")
    if all(value(item, "type") in _CONTENTS for item in items):
        return (_said(items),) if items else ()
    return tuple(_said([item]) if value(item, "type") in _CONTENTS else _step(item) for item in items)


def _step(item: Object) -> Step:
    if "role" not in item or "type" in item:
        text(item, "type")
        return item
    content = item.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else entries(item, "content")
    return {"type": "model_output" if item["role"] == "model" else "user_input", "content": parts}


def _said(content: list[Object]) -> Step:
    return {"type": "user_input", "content": content}


def _count_step(step: Step) -> TokenTally:
    kind = text(step, "type")
    if kind in ("user_input", "model_output"):
        return sum((_count_content(part) for part in entries(step, "content")), TokenTally())
    if kind.endswith("_call"):
        return TokenTally(text=_count_json([step.get("name", ""), step.get("arguments")]))
    return (
        TokenTally(text=_count_json(step["result"])) if kind.endswith("_result") and "result" in step else TokenTally()
    )


def _count_content(part: Object) -> TokenTally:
    kind = text(part, "type")
    if kind in _MEDIA:
        return count_media(text(part, "mimeType") or _MEDIA[kind])
    return TokenTally(text=count(text(part, "text")))


def _count_json(given: Json) -> int:
    return count(given if isinstance(given, str) else msgspec.json.encode(given).decode())

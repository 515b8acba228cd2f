"""Where interactions are made and asked for.

Owns: the four verbs of the surface (wire.md 2.1) and the keeping of interactions. Not here: clocks, sockets and the
content of an answer. Invariant: one that is not stored is never shown again; one in the background is done after the
polls and the time its maker was given, whoever polls.
"""

from dataclasses import replace

from gembill.errors import Refusal
from gembill_simulator import answer, frames, wire
from gembill_simulator.answer import PieceKind, Script
from gembill_simulator.context import RequestContext
from gembill_simulator.fields import Object, bad, decode
from gembill_simulator.frames import Reply
from gembill_simulator.interactions import events, request, steps
from gembill_simulator.interactions.record import Interaction
from gembill_simulator.interactions.request import InteractionRequest
from gembill_simulator.names import IdFactory
from gembill_simulator.store import Store

_TROUBLE = wire.error(503, "UNAVAILABLE", "The model broke off in the middle of its answer.")


class InteractionsApi:
    """The interactions of one simulator."""

    def __init__(self, names: IdFactory) -> None:
        self._names = names
        self._store: Store[Interaction] = Store()

    def answer(self, context: RequestContext) -> Reply:
        """Answer a request; raises `Refusal` (400, 404)."""
        route = context.route
        if route.method == "POST" and not route.operation:
            return self._create(context)
        interaction = self._find(route.name)
        if route.method == "DELETE":
            self._store.drop(route.name)
            return frames.plain(200, {})
        if route.operation == "cancel":
            return _plain(self._cancel(interaction, context), context)
        if route.query.get("stream") == "true":
            return self._resume(interaction, context)
        if interaction.pends(context.now):
            self._store.put(interaction.id, interaction.polled())
        return _plain(interaction, context, timeline=True)

    def _create(self, context: RequestContext) -> Reply:
        body = decode(context.body)
        wanted = request.read(body)
        before = self._find(wanted.previous) if wanted.previous else None
        made = self._make(context, wanted, before)
        if not wanted.inputs and before is None:
            raise bad("A continuation token needs the 'input' or the 'previous_interaction_id' of its hop.")
        if wanted.stored:
            self._store.put(made.id, made.finished() if wanted.streams and context.fault == "ok" else made)
        if wanted.streams:
            return self._stream(made, context)
        if context.fault == "error_chunk":
            return frames.error(context.route, 500, wire.error(500, "INTERNAL", "The model broke off in its answer."))
        return frames.spoilt(_plain(made, context), context.fault, b"")

    def _make(self, context: RequestContext, wanted: InteractionRequest, before: Interaction | None) -> Interaction:
        history = before.context if before else ()
        parsed = replace(wanted.parsed, prompt=wanted.parsed.prompt + request.count_steps(history))
        if not wanted.inputs:  # a further hop of a stored interaction, whose history holds what was put out so far
            continues = None if parsed.continues is None else replace(parsed.continues, spent=0)
            parsed = replace(parsed, question=request.question(history), continues=continues)
        script = answer.compose(parsed, wanted.model, seed=context.origin, overrides=context.control.overrides)
        made = steps.output(script)
        pending = wanted.background
        return Interaction(
            id=self._names.give("v1_", context.draw, context.origin),
            model=wanted.model.served,
            agent=wanted.agent,
            tier=context.control.tier or wanted.tier,
            created=context.now,
            inputs=wanted.inputs,
            steps=made,
            context=(*history, *wanted.inputs, *(step.whole for step in made)),
            usage=steps.usage(script, agent=wanted.agent is not None, researches=wanted.researches),
            outcome=_outcome(script),
            previous=wanted.previous,
            token=script.continues.token() if script.continues else None,
            background=pending,
            polls=context.polls if pending else 0,
            ready=context.ready if pending else None,
        )

    def _stream(self, made: Interaction, context: RequestContext) -> Reply:
        sent = events.after(events.all_events(made), context.route.query.get("last_event_id", ""))
        if context.control.old_schema:
            sent = [events.old_event(event) for event in sent]
        packed = (*(events.frame(event) for event in sent), events.DONE)
        reply = Reply(200, packed, made.usage, made.tier, events=True, streams=True, name=made.id)
        return frames.spoilt(reply, context.fault, events.trouble(_TROUBLE))

    def _resume(self, interaction: Interaction, context: RequestContext) -> Reply:
        self._store.put(interaction.id, interaction.finished())
        return self._stream(interaction, context)

    def _cancel(self, interaction: Interaction, context: RequestContext) -> Interaction:
        if not interaction.background:
            raise bad("Only interactions in the background can be cancelled.")
        if not interaction.pends(context.now):
            raise bad(f"The interaction is {interaction.status(context.now)} already and cannot be cancelled.")
        interaction = replace(interaction, cancelled=context.now)
        self._store.put(interaction.id, interaction)
        return interaction

    def _find(self, name: str) -> Interaction:
        interaction = self._store.get(name)
        if interaction is None:
            raise Refusal(404, "NOT_FOUND", f"Interaction {name} was not found.")
        return interaction


def _plain(made: Interaction, context: RequestContext, *, timeline: bool = False) -> Reply:
    inputs = context.route.query.get("include_input") == "true"
    shown: Object = made.show(context.now, timeline=timeline, inputs=inputs)
    document = events.old_resource(shown) if context.control.old_schema else shown
    return Reply(200, frames.sliced(document), shown.get("usage"), made.tier, name=made.id)


def _outcome(script: Script) -> str:
    if script.continues is not None:
        return "requires_continuation"
    if script.pieces[-1].kind is PieceKind.CALL:
        return "requires_action"
    return "incomplete" if script.finish == "MAX_TOKENS" else "completed"

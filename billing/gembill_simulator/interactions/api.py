"""Where interactions are made and asked for.

Owns: the four verbs of the surface (wire.md 2.1) and the keeping of interactions. Owns no clock, no socket and
no answer's content. Invariant: one that is not stored is never shown again; one in the background is done after the
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
        self._shelf: Store[Interaction] = Store()

    def answer(self, visit: RequestContext) -> Reply:
        """Answer a request; raises `Refusal` (400, 404)."""
        route = visit.route
        if route.method == "POST" and not route.operation:
            return self._create(visit)
        found = self._find(route.name)
        if route.method == "DELETE":
            self._shelf.drop(route.name)
            return frames.plain(200, {})
        if route.operation == "cancel":
            return _plain(self._cancel(found, visit), visit)
        if route.query.get("stream") == "true":
            return self._resume(found, visit)
        if found.pends(visit.now):
            self._shelf.put(found.id, found.polled())
        return _plain(found, visit, timeline=True)

    def _create(self, visit: RequestContext) -> Reply:
        body = decode(visit.body)
        wanted = request.read(body)
        before = self._find(wanted.previous) if wanted.previous else None
        made = self._make(visit, wanted, before)
        if not wanted.inputs and before is None:
            raise bad("A continuation token needs the 'input' or the 'previous_interaction_id' of its hop.")
        if wanted.stored:
            self._shelf.put(made.id, made.finished() if wanted.streams and visit.fault == "ok" else made)
        if wanted.streams:
            return self._stream(made, visit)
        if visit.fault == "error_chunk":
            return frames.error(visit.route, 500, wire.error(500, "INTERNAL", "The model broke off in its answer."))
        return frames.spoilt(_plain(made, visit), visit.fault, b"")

    def _make(self, visit: RequestContext, wanted: InteractionRequest, before: Interaction | None) -> Interaction:
        history = before.context if before else ()
        ask = replace(wanted.ask, prompt=wanted.ask.prompt + request.count_steps(history))
        if not wanted.inputs:  # a further hop of a stored interaction, whose history holds what was put out so far
            continues = None if ask.continues is None else replace(ask.continues, spent=0)
            ask = replace(ask, question=request.question(history), continues=continues)
        script = answer.compose(ask, wanted.model, seed=visit.origin, wishes=visit.control.wishes)
        made = steps.output(script)
        pending = wanted.background
        return Interaction(
            id=self._names.give("v1_", visit.draw, visit.origin),
            model=wanted.model.served,
            agent=wanted.agent,
            tier=visit.control.tier or wanted.tier,
            created=visit.now,
            inputs=wanted.inputs,
            steps=made,
            context=(*history, *wanted.inputs, *(step.whole for step in made)),
            usage=steps.usage(script, agent=wanted.agent is not None, researches=wanted.researches),
            outcome=_outcome(script),
            previous=wanted.previous,
            token=script.continues.token() if script.continues else None,
            background=pending,
            polls=visit.polls if pending else 0,
            ready=visit.ready if pending else None,
        )

    def _stream(self, made: Interaction, visit: RequestContext) -> Reply:
        told = events.after(events.all_events(made), visit.route.query.get("last_event_id", ""))
        if visit.control.old_schema:
            told = [events.old_event(event) for event in told]
        packed = (*(events.frame(event) for event in told), events.DONE)
        found = Reply(200, packed, made.usage, made.tier, events=True, streams=True, name=made.id)
        return frames.spoilt(found, visit.fault, events.trouble(_TROUBLE))

    def _resume(self, found: Interaction, visit: RequestContext) -> Reply:
        self._shelf.put(found.id, found.finished())
        return self._stream(found, visit)

    def _cancel(self, found: Interaction, visit: RequestContext) -> Interaction:
        if not found.background:
            raise bad("Only interactions in the background can be cancelled.")
        if not found.pends(visit.now):
            raise bad(f"The interaction is {found.status(visit.now)} already and cannot be cancelled.")
        found = replace(found, cancelled=visit.now)
        self._shelf.put(found.id, found)
        return found

    def _find(self, name: str) -> Interaction:
        found = self._shelf.get(name)
        if found is None:
            raise Refusal(404, "NOT_FOUND", f"Interaction {name} was not found.")
        return found


def _plain(made: Interaction, visit: RequestContext, *, timeline: bool = False) -> Reply:
    inputs = visit.route.query.get("include_input") == "true"
    shown: Object = made.show(visit.now, timeline=timeline, inputs=inputs)
    document = events.old_resource(shown) if visit.control.old_schema else shown
    return Reply(200, frames.sliced(document), shown.get("usage"), made.tier, name=made.id)


def _outcome(script: Script) -> str:
    if script.continues is not None:
        return "requires_continuation"
    if script.pieces[-1].kind is PieceKind.CALL:
        return "requires_action"
    return "incomplete" if script.finish == "MAX_TOKENS" else "completed"

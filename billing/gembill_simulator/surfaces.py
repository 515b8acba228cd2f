"""The surfaces of the API behind one front.

Owns: which surface answers a request, and what the surfaces of one simulator share (names, caches, files). Owns no
socket, no fault by rate and no clock. Invariant: a visit gives a `Reply` or a `Refusal`.
"""

from collections.abc import Mapping

from gembill_simulator import completions, frames, request, wire
from gembill_simulator.batches import Batches
from gembill_simulator.caches import Caches
from gembill_simulator.context import RequestContext, stamp
from gembill_simulator.fields import decode
from gembill_simulator.files import Files
from gembill_simulator.frames import Reply
from gembill_simulator.interactions import InteractionsApi
from gembill_simulator.models import MODELS
from gembill_simulator.names import IdFactory
from gembill_simulator.names import text as written
from gembill_simulator.store import page
from gembill_simulator.wire import Stamp


class Surfaces:
    """All that one simulator answers, and all that it keeps."""

    def __init__(self, names: IdFactory) -> None:
        self._caches = Caches(names)
        self._files = Files(names)
        self._batches = Batches(names, self._files)
        self._interactions = InteractionsApi(names)

    def generate(self, visit: RequestContext) -> Reply:
        """Answer a call: of a model, an interaction or a completion."""
        if visit.route.surface == "interactions":
            return self._interactions.answer(visit)
        if visit.route.surface == "completions":
            return completions.reply(visit)
        ask = request.read(decode(visit.body), self._caches.bodies())
        wishes = visit.control.wishes
        return frames.reply(visit.route, ask, _stamp(visit), seed=visit.origin, wishes=wishes, fault=visit.fault)

    def inform(self, visit: RequestContext) -> Reply:
        """Answer what is no call."""
        surface = visit.route.surface
        if surface == "interactions":
            return self._interactions.answer(visit)
        if surface == "cachedContents":
            return self._caches.answer(visit)
        if surface == "batches":
            return self._batches.answer(visit, self._caches.bodies())
        if surface == "upload":
            return self._files.upload(visit)
        return self._files.answer(visit) if surface == "files" else _models(visit)


def _models(visit: RequestContext) -> Reply:
    """countTokens, one model, the list of models."""
    route = visit.route
    if route.operation:
        return frames.plain(200, wire.count_tokens(request.count_prompt(decode(visit.body))))
    show = wire.publisher_model if route.vertex else wire.model
    if route.model is not None:
        return frames.plain(200, show(route.model))
    shown, more = page([show(model) for model in MODELS.values()], route.query)
    return frames.plain(200, {"publisherModels" if route.vertex else "models": shown} | more)


def _stamp(visit: RequestContext) -> Stamp:
    if visit.route.vertex:
        return Stamp(written(visit.draw), traffic=_traffic(visit.headers), created=stamp(visit.now))
    return Stamp(written(visit.draw), tier=visit.control.tier or "")


def _traffic(headers: Mapping[str, str]) -> str:
    """Vertex says in `trafficType` what its two request headers asked for (wire.md 1.8)."""
    if headers.get("x-vertex-ai-llm-request-type") == "dedicated":
        return "PROVISIONED_THROUGHPUT"
    shared = headers.get("x-vertex-ai-llm-shared-request-type", "")
    return f"ON_DEMAND_{shared.upper()}" if shared in ("flex", "priority") else "ON_DEMAND"

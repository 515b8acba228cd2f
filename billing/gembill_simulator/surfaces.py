"""The surfaces of the API behind one front.

Owns: which surface answers a request, and what the surfaces of one simulator share (names, caches, files). Not
here: sockets, faults by rate and clocks. Invariant: a `RequestContext` gives a `Reply` or a `Refusal`.
"""

from collections.abc import Callable, Mapping

from gembill_simulator import compatible, completions, frames, request, wire
from gembill_simulator.batches import Batches
from gembill_simulator.caches import Caches
from gembill_simulator.context import RequestContext, stamp
from gembill_simulator.fields import decode
from gembill_simulator.files import Files
from gembill_simulator.frames import Reply
from gembill_simulator.interactions import InteractionsApi
from gembill_simulator.media import Media
from gembill_simulator.models import MODELS
from gembill_simulator.names import IdFactory, id_text
from gembill_simulator.store import page
from gembill_simulator.wire import Stamp


class Surfaces:
    """All that one simulator answers, and all that it keeps."""

    def __init__(self, names: IdFactory) -> None:
        self._caches = Caches(names)
        self._files = Files(names)
        self._batches = Batches(names, self._files)
        self._media = Media(names)
        self._interactions = InteractionsApi(names)

    def generate(self, context: RequestContext) -> Reply:
        """Answer a call: of a model, an interaction or a completion."""
        if context.route.surface == "interactions":
            return self._interactions.answer(context)
        if context.route.surface == "completions":
            return completions.reply(context)
        parsed = request.read(decode(context.body), self._caches.bodies())
        overrides = context.control.overrides
        return frames.reply(
            context.route, parsed, _stamp(context), seed=context.origin, overrides=overrides, fault=context.fault
        )

    def inform(self, context: RequestContext) -> Reply:
        """Answer a request that is not a call."""
        answers: dict[str, Callable[[RequestContext], Reply]] = {
            "interactions": self._interactions.answer,
            "cachedContents": self._caches.answer,
            "batches": lambda context: self._batches.answer(context, self._caches.bodies()),
            "media": self._media.answer,
            "openai": compatible.reply,
            "upload": self._files.upload,
            "files": self._files.answer,
            "models": _models,
        }
        return answers[context.route.surface](context)


def _models(context: RequestContext) -> Reply:
    """countTokens, one model, the list of models."""
    route = context.route
    if route.operation:
        return frames.plain(200, wire.count_tokens(request.count_prompt(decode(context.body))))
    show = wire.publisher_model if route.vertex else wire.model
    if route.model is not None:
        return frames.plain(200, show(route.model))
    shown, more = page([show(model) for model in MODELS.values()], route.query)
    return frames.plain(200, {"publisherModels" if route.vertex else "models": shown} | more)


def _stamp(context: RequestContext) -> Stamp:
    if context.route.vertex:
        return Stamp(id_text(context.draw), traffic=_traffic(context.headers), created=stamp(context.now))
    return Stamp(id_text(context.draw), tier=context.control.tier or "")


def _traffic(headers: Mapping[str, str]) -> str:
    """Vertex says in `trafficType` what its two request headers asked for (wire.md 1.8)."""
    if headers.get("x-vertex-ai-llm-request-type") == "dedicated":
        return "PROVISIONED_THROUGHPUT"
    shared = headers.get("x-vertex-ai-llm-shared-request-type", "")
    return f"ON_DEMAND_{shared.upper()}" if shared in ("flex", "priority") else "ON_DEMAND"

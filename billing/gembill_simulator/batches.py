"""Batches: many requests answered later.

Owns: their making from inline requests or a file, their states, and their results (wire.md 5.8). Not here: the answer
of an entry. Invariant: the results of a batch never change once it is made, however often it is read; usage is in the
results only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from gembill.errors import Refusal
from gembill_simulator import answer, frames, request, wire
from gembill_simulator.context import RequestContext, stamp
from gembill_simulator.fields import Object, bad, decode, entries, entry, text, value
from gembill_simulator.files import Files
from gembill_simulator.frames import Reply
from gembill_simulator.media import embedded
from gembill_simulator.models import SimulatedModel
from gembill_simulator.names import IdFactory, id_text
from gembill_simulator.store import Store, page
from gembill_simulator.wire import Document, Stamp

_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main."
_INLINED = {"GenerateContentBatch": "inlinedResponses", "EmbedContentBatch": "inlinedEmbedContentResponses"}
_KINDS = {"batchGenerateContent": "GenerateContentBatch", "asyncBatchEmbedContent": "EmbedContentBatch"}


@dataclass(frozen=True, slots=True)
class SimulatedBatch:
    """A batch. `results` are the entries of the output; `source` is the file they were read from, or empty; `kind` is
    the name of its type.

    `polls` is how often it is still to be found pending; `ended` is set when it is done or was cancelled.
    """

    name: str
    kind: str
    title: str
    model: str
    results: tuple[Document, ...]
    source: str
    created: datetime
    ready: datetime
    polls: int
    updated: datetime
    state: str = "PENDING"
    ended: datetime | None = None


class Batches:
    """The batches of one simulator; result files go to its files."""

    def __init__(self, names: IdFactory, files: Files) -> None:
        self._names = names
        self._files = files
        self._store: Store[SimulatedBatch] = Store()

    def answer(self, context: RequestContext, caches: Mapping[str, Object]) -> Reply:
        """Answer a request to the surface."""
        route = context.route
        if route.operation in _KINDS:
            return frames.plain(200, _show(self._make(context, caches)))
        if not route.name:
            shown, more = page([_show(batch) for batch in self._store], route.query)
            return frames.plain(200, {"operations": shown} | more)
        batch = self._find(route.name)
        if route.method == "DELETE":
            self._store.drop(route.name)
            return frames.plain(200, {})
        if route.operation == "cancel":
            if batch.ended is None:
                self._keep(replace(batch, state="CANCELLED", updated=context.now, ended=context.now))
            return frames.plain(200, {})
        return frames.plain(200, _show(self._poll(batch, context.now)))

    def _make(self, context: RequestContext, caches: Mapping[str, Object]) -> SimulatedBatch:
        kind = _KINDS[context.route.operation]
        batch = entry(decode(context.body), "batch")
        source = text(entry(batch, "inputConfig"), "fileName")
        requests = self._lines(source) if source else _inline(batch)
        if not requests:
            raise bad("A batch needs at least one request, inline or in a file.")
        results = tuple(_result(one, index, context, caches) for index, one in enumerate(requests))
        name = self._names.give("batches/", context.draw, context.origin)
        model = f"models/{_model_name(context)}"
        title, now = text(batch, "displayName"), context.now
        made = SimulatedBatch(name, kind, title, model, results, source, now, context.ready, context.polls, now)
        self._keep(made)
        return made

    def _lines(self, source: str) -> list[Object]:
        content = self._files.find(source).content
        if content is None:
            raise bad(f"The file {source} is too large for a batch of this simulator.")
        return [decode(line) for line in content.splitlines() if line.strip()]

    def _poll(self, batch: SimulatedBatch, now: datetime) -> SimulatedBatch:
        if batch.ended is not None:
            return batch
        if batch.polls or now < batch.ready:
            batch = replace(batch, polls=max(0, batch.polls - 1), state="RUNNING", updated=now)
        else:
            batch = replace(batch, state="SUCCEEDED", updated=now, ended=now)
            if batch.source:
                lines = b"".join(msgspec.json.encode(result) + b"\n" for result in batch.results)
                self._files.write(_results_file(batch), lines, now)
        self._keep(batch)
        return batch

    def _find(self, name: str) -> SimulatedBatch:
        batch = self._store.get(name)
        if batch is None:
            raise Refusal(404, "NOT_FOUND", f"The batch batches/{name} was not found.")
        return batch

    def _keep(self, batch: SimulatedBatch) -> None:
        self._store.put(batch.name.rpartition("/")[2], batch)


def _inline(batch: Object) -> list[Object]:
    return entries(entry(entry(batch, "inputConfig"), "requests"), "requests")


def _model_name(context: RequestContext) -> str:
    return context.route.path.rpartition("models/")[2].partition(":")[0]


def _result(one: Object, index: int, context: RequestContext, caches: Mapping[str, Object]) -> Document:
    """The entry of the output for one request: its answer, or its error."""
    model = context.route.model
    known: Document = {"key": one["key"]} if "key" in one else {}
    if value(one, "metadata") is not None:
        known["metadata"] = value(one, "metadata")
    try:
        asked = entry(one, "request")
        made = embedded(asked) if model is None else _answer(asked, index, context, model, caches)
    except Refusal as refusal:
        return known | {"error": {"code": 3, "message": str(refusal)}}
    return {"response": made} | known


def _answer(
    entry_request: Object, index: int, context: RequestContext, model: SimulatedModel, caches: Mapping[str, Object]
) -> Document:
    seed = b"%b %d" % (context.origin, index)
    script = answer.compose(request.read(entry_request, caches), model, seed=seed, overrides=context.control.overrides)
    name = id_text(bytes(byte ^ (index % 256) for byte in context.draw[:14]) + index.to_bytes(2, "big"))
    return wire.answer(script, Stamp(name))


def _show(batch: SimulatedBatch) -> Document:
    about: Document = {"@type": _TYPE + batch.kind, "model": batch.model, "displayName": batch.title or batch.name}
    done = batch.state == "SUCCEEDED"
    if done:
        about["output"] = _output(batch)
    about |= {"createTime": stamp(batch.created), "updateTime": stamp(batch.updated)}
    if batch.ended is not None:
        about["endTime"] = stamp(batch.ended)
    about |= {"batchStats": _statistics(batch, done=done), "state": f"BATCH_STATE_{batch.state}", "name": batch.name}
    shown: Document = {"name": batch.name, "metadata": about}
    if done:
        shown |= {"done": True, "response": {"@type": _TYPE + batch.kind + "Output", **_output(batch)}}
    elif batch.ended is not None:
        shown |= {"done": True, "error": {"code": 1, "message": "The batch was cancelled."}}
    return shown


def _statistics(batch: SimulatedBatch, *, done: bool) -> Document:
    whole = {"requestCount": str(len(batch.results))}
    if not done:
        return whole | {"pendingRequestCount": str(len(batch.results))}
    failed = sum("error" in result for result in batch.results)
    counts = {"successfulRequestCount": len(batch.results) - failed, "failedRequestCount": failed}
    return whole | {name: str(amount) for name, amount in counts.items() if amount}


def _output(batch: SimulatedBatch) -> Document:
    if batch.source:
        return {"responsesFile": _results_file(batch)}
    return {_INLINED[batch.kind]: {"inlinedResponses": list(batch.results)}}


def _results_file(batch: SimulatedBatch) -> str:
    return f"files/batch-{batch.name.rpartition('/')[2]}"

"""Cached contents: prompts that are sent once and counted as cached ever after.

Owns: their making, listing, changing and end (wire.md 4 and 5.1). Not here: the counts of a call that uses one.
Invariant: a cache counts the same tokens in every call; a name that is not there is a 403, as at Google.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gembill.errors import Refusal
from gembill_simulator import frames, request, routes
from gembill_simulator.context import RequestContext, stamp
from gembill_simulator.fields import Object, bad, decode, text
from gembill_simulator.frames import Reply
from gembill_simulator.names import IdFactory
from gembill_simulator.store import Store, page
from gembill_simulator.wire import Document

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache; `body` is the request that made it."""

    name: str
    model: str
    body: Object
    created: datetime
    updated: datetime
    expires: datetime


class Caches:
    """The caches of one simulator."""

    def __init__(self, names: IdFactory) -> None:
        self._names = names
        self._store: Store[Cache] = Store()

    def bodies(self) -> Mapping[str, Object]:
        """What the caches were made from, by the end of their names."""
        return {cache.name.rpartition("/")[2]: cache.body for cache in self._store}

    def answer(self, context: RequestContext) -> Reply:
        """Answer a request to the surface."""
        route = context.route
        if route.method == "POST":
            return frames.plain(200, self._make(context))
        if not route.name:
            shown, more = page([_show(cache) for cache in self._store], route.query)
            return frames.plain(200, {"cachedContents": shown} | more)
        cache = self._find(route.name)
        if route.method == "DELETE":
            self._store.drop(route.name)
            return frames.plain(200, {})
        if route.method == "PATCH":
            cache = replace(cache, updated=context.now, expires=_expiry(decode(context.body), context.now))
            self._store.put(route.name, cache)
        return frames.plain(200, _show(cache))

    def _make(self, context: RequestContext) -> Document:
        body = decode(context.body)
        if not request.count_content(body).total:
            raise bad("Cached content is too small: the simulator asks for at least one token.")
        model = text(body, "model").rpartition("/")[2]
        routes.model_named(model)
        name = self._names.give("cachedContents/", context.draw, context.origin)
        end = name.rpartition("/")[2]
        shown = text(body, "model") if context.route.family else f"models/{model}"
        made = Cache(
            context.route.family + name,
            shown,
            body,
            context.now,
            context.now,
            _expiry(body, context.now, default=_HOUR),
        )
        self._store.put(end, made)
        return _show(made)

    def _find(self, name: str) -> Cache:
        cache = self._store.get(name)
        if cache is None:
            raise Refusal(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)")
        return cache


def _show(cache: Cache) -> Document:
    return {
        "name": cache.name,
        "model": cache.model,
        "createTime": stamp(cache.created),
        "updateTime": stamp(cache.updated),
        "expireTime": stamp(cache.expires),
        "displayName": text(cache.body, "displayName"),
        "usageMetadata": {"totalTokenCount": request.count_content(cache.body).total},
    }


def _expiry(body: Object, now: datetime, *, default: timedelta | None = None) -> datetime:
    life, end = text(body, "ttl"), text(body, "expireTime")
    if life:
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?s", life):
            raise bad(f"Invalid value at 'ttl': {life!r} is not a duration such as 300s.")
        return now + timedelta(seconds=float(life[:-1]))
    if end:
        try:
            return datetime.fromisoformat(end)
        except ValueError as reason:
            raise bad(f"Invalid value at 'expire_time': {end!r} is not a time.") from reason
    if default is None:
        raise bad("A cached content can be given a new ttl or expire_time and nothing else.")
    return now + default

"""Cached contents as they are made, changed and deleted: what they keep is billed, and what they declare is remembered.

Owns: the record of a cached content's storage, from the answer that shows it, and the memory of its tools. Not here:
calls that use it, and the price of an hour. Invariant: whoever sees a cached content made or changed meets the same
record; one that is deleted ends then, if its making was seen, and not later than it would have ended anyway.
"""

from msgspec.structs import replace

from gembill.capture.context import Submitted
from gembill.capture.exchange import Exchange
from gembill.event import Ending, ResponseFacts
from gembill.wire.json_text import lenient_fields, value
from gembill.wire.request import declares_code_execution


class CacheExchange(Exchange):
    """A request that makes a cached content, or changes or deletes the one its path names."""

    def events(self, ending: Ending, ended_us: int, *, retried: int = 0) -> list[tuple[str, bytes]]:
        """An event once the API has made it, and when what is kept is known to have changed."""
        self._known: Submitted | None = None
        self._whole = ending is Ending.FINISHED
        body = self.finish(ending, ended_us, retried=retried)
        accepted = self._status is not None and self._status < 300
        if not accepted or (self._route.subject and self._known is None):
            return []
        return [(self.event_id, body)]

    def _response_facts(self) -> ResponseFacts:
        facts = super()._response_facts()
        name = facts.response_id or self._route.subject
        if name is None or not self._whole or (self._status or 500) >= 300:
            return facts
        if facts.response_id is None:
            facts = self._ended(facts, name)
        elif self._route.subject is None:
            self._note_tools(name)
        if facts.stored is not None:
            self._known = self._note_submitted(_end(name), facts.model_version, stored=facts.stored)
        return replace(facts, response_id=_end(name))

    def _ended(self, facts: ResponseFacts, name: str) -> ResponseFacts:
        """What was kept until it was deleted: the answer itself is empty."""
        known = self._context.batch(self._route.api, _end(name))
        if known is None or known.stored is None:
            return facts
        stored = replace(known.stored, until_us=min(known.stored.until_us, self._occurred_us))
        return replace(facts, stored=stored, model_version=known.model)

    def _note_tools(self, name: str) -> None:
        members = lenient_fields(self._body())
        if members is not None:
            tools = value(members.get("tools"))
            self._context.note_cached(self._route.api, name, declared=declares_code_execution(tools))


def _end(name: str) -> str:
    """The part of a name that its path has too: on Vertex project and location are in front."""
    return "/".join(name.split("/")[-2:])

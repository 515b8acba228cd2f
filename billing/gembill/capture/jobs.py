"""Work that is begun by one request and whose end is told by the answers to others: films.

Owns: what is remembered of such a call under the name that the API gave its operation, and the event of the poll that
shows the operation done. Not here: batches of prompts (`batch_results`) and the meaning of counts. Invariant: a poll
makes an event only where the call was seen and the operation is done, so that a call that nobody saw is never invented.
"""

from gembill.capture.context import Submitted
from gembill.capture.exchange import Exchange
from gembill.event import Event, RequestFacts
from gembill.model import Operation
from gembill.wire.video import DONE

JOBS = (Operation.GENERATE_VIDEOS, Operation.EMBED_CONTENT)
"""Operations of calls whose answer may name work that goes on."""


class JobExchange(Exchange):
    """A call that may begin such work: an `Exchange` that notes who asked for what."""

    def _remember(self, event: Event) -> None:
        if event.natural:
            self._note_submitted(event.natural[-1], event.asked.model, film=event.asked.film)


class OperationPoll(Exchange):
    """The answer to a poll of an operation: it completes the record of the call that began it."""

    def _request_facts(self) -> RequestFacts:
        submitted = self._submitted()
        if submitted is None:
            return RequestFacts()
        return RequestFacts(model=submitted.model, film=submitted.film)

    @property
    def _completes_record(self) -> bool:
        """Whether the operation is done and its end is one we can count."""
        seen = self._observation
        ended = seen.finish_reason == DONE and (seen.has_made or seen.has_error)
        return ended and (self._status or 500) < 300 and self._submitted() is not None

    def _submitted(self) -> Submitted | None:
        name = self._observation.response_id or self._route.subject
        return self._context.batch(self._route.api, name) if name else None

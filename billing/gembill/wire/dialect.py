"""Which dialect an operation speaks: the one place that chooses.

Owns: the choice, and what every dialect can do. Not here: the fields of a dialect. Invariant: every operation has one.
"""

from typing import Protocol

from gembill.model import Execution, Operation, Part, RequestFacts
from gembill.wire import batch, generate_content, interactions, openai_chat
from gembill.wire.observation import Observation
from gembill.wire.token_counts import Usage


class Dialect(Protocol):
    """What a dialect's module offers. Only `usage` raises: InvalidUsage."""

    def request_facts(self, body: bytes | None, model: str | None) -> tuple[RequestFacts, bytes | None]:
        """What a request asks for, and the bytes whose keyed hash names its conversation, if there are any."""
        ...

    def observe(self, document: bytes, observation: Observation) -> None:
        """Add one JSON document of an answer to the observation of it."""
        ...

    def usage(self, text: str) -> Usage:
        """The counts of a usage object, given as JSON text."""
        ...

    def executions(self, outline: tuple[Part, ...]) -> tuple[Execution, ...]:
        """The runs of generated code that an outline shows."""
        ...


_DIALECTS: dict[Operation, Dialect] = {
    Operation.GENERATE_CONTENT: generate_content,
    Operation.INTERACTIONS: interactions,
    Operation.BATCH: batch,
    Operation.OPENAI_CHAT: openai_chat,
}


def dialect(operation: Operation) -> Dialect:
    """The dialect of an operation."""
    return _DIALECTS[operation]

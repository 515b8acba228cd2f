"""Which dialect an operation speaks: the one place that chooses.

Owns: the choice, and what every dialect can do. Not here: the fields of a dialect. Invariant: every operation has one;
a surface nobody described to us is read by the form of its usage.
"""

from typing import Protocol

from gembill.event import Part, RequestFacts
from gembill.model import Execution, Operation
from gembill.wire import (
    any_form,
    batch,
    caches,
    embeddings,
    file_search,
    generate_content,
    interactions,
    live,
    openai_chat,
    predict,
    video,
)
from gembill.wire.observation import Observation
from gembill.wire.token_counts import Usage
from gembill.wire.turns import Turns


class Dialect(Protocol):
    """What a dialect's module offers. Only `usage` raises: InvalidUsage."""

    def request_facts(self, body: bytes | None, model: str | None) -> tuple[RequestFacts, Turns | None]:
        """What a request asks for, and digests of the turns of a chat that it repeats, if it is one."""
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


_DIALECTS: dict[str, Dialect] = {
    Operation.GENERATE_CONTENT: generate_content,
    Operation.INTERACTIONS: interactions,
    Operation.BATCH: batch,
    Operation.OPENAI_CHAT: openai_chat,
    Operation.DECISIONS: interactions,
    Operation.CACHE_STORAGE: caches,
    Operation.EMBED_CONTENT: embeddings,
    Operation.IMPORT_FILE: file_search,
    Operation.GENERATE_IMAGES: predict,
    Operation.PREDICT: predict,
    Operation.GENERATE_VIDEOS: video,
    Operation.LIVE: live,
}
TELLS_USAGE = frozenset(
    (
        Operation.GENERATE_CONTENT,
        Operation.INTERACTIONS,
        Operation.BATCH,
        Operation.OPENAI_CHAT,
        Operation.LIVE,
    )
)
"""Operations whose answers report tokens, by the documentation: where one does not, it is an answer without usage."""


def dialect(operation: str) -> Dialect:
    """The dialect of an operation, which may be the verb of a surface that no row names."""
    return _DIALECTS.get(operation, any_form)

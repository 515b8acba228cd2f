"""The dialect of imports into a file search store: what is billed is the embedding of the file (wire.md 5.9).

Owns: the model that embeds, and where an answer may tell the tokens: in itself, or in the result or the metadata of its
operation. Not here: the form of a usage (`embeddings`). Invariant: an import whose tokens nobody told is not counted.
"""

from gembill.event import Part, RequestFacts, UnreadReason
from gembill.model import Execution
from gembill.wire import embeddings
from gembill.wire.json_text import fields, lenient_fields, value
from gembill.wire.observation import Observation
from gembill.wire.token_counts import Usage

EMBEDDER = "gemini-embedding-001"
"""The model that file search embeds with, by the documentation; answers do not name it."""


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, None]:
    """What an import asks for: nothing that bears on its cost."""
    if lenient_fields(body) is None:
        return RequestFacts(model=model, unread=body is not None), None
    return RequestFacts(model=model, declared=False), None


def observe(document: bytes, observation: Observation) -> None:
    """Add the answer, which is an operation."""
    members = fields(document, deep=True)
    if members is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    for level in (members.get("metadata"), members.get("response")):
        observation.update_usage((fields(bytes(level or b"")) or {}).get("usageMetadata"))
    observation.update_usage(members.get("usageMetadata"))
    if observation.has_usage:
        observation.add_word("model_version", EMBEDDER)
    observation.add_error(value(members.get("error")))
    observation.end_document()


def usage(text: str) -> Usage:
    """The counts of a usage object; InvalidUsage if one of them is not a count."""
    return embeddings.usage(text)


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:  # noqa: ARG001
    """None: nothing runs."""
    return ()

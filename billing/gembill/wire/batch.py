"""The dialect of the Batch API (wire.md 4, 5.8).

Owns: of a batch `name`, `metadata.model`, `response` or `metadata.output` with `inlinedResponses.inlinedResponses[]`
and `responsesFile`; of an entry `key`, `response`, `error`; of a creation
`batch.inputConfig.requests.requests[].request.tools`.
Not here: what an entry's `response` says (the dialect of generateContent), natural keys, and finding the items of these
lists (`capture.listed`).
Invariant: an entry is identified by its place among the inlined ones, or by its key in a file; both are in the answer,
so reading it again gives the same.
"""

from dataclasses import dataclass

import msgspec

from gembill.wire.generate_content import executions, observe, request_facts, usage
from gembill.wire.json_text import fields, lenient_fields, mapping, mappings, value, word
from gembill.wire.observation import Observation
from gembill.wire.request import declares_code_execution

__all__ = [
    "INLINED",
    "MODEL",
    "REQUESTS",
    "TIER",
    "BatchEntry",
    "BatchJob",
    "allows_code",
    "declared",
    "entry_of_line",
    "executions",
    "has_response",
    "inlined_entry",
    "job",
    "observe",
    "request_facts",
    "usage",
]

TIER = "batch"
OUTPUTS = ((b"response",), (b"metadata", b"output"))  # the API says the output of a finished batch twice
INLINED = tuple((*output, b"inlinedResponses", b"inlinedResponses") for output in OUTPUTS)
"""The names that lead to the results in an answer."""
MODEL = (b"metadata", b"model")
REQUESTS = tuple((b"batch", config, b"requests", b"requests") for config in (b"inputConfig", b"input_config"))
"""The names that lead to the requests in a creation."""
_Members = dict[str, msgspec.Raw]


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One result: its key, and its response or error as JSON text."""

    key: str
    response: msgspec.Raw | None
    error: msgspec.Raw | None

    def observe(self, observation: Observation) -> None:
        """Add what the result shows."""
        if self.response is not None:
            observe(bytes(self.response), observation)
        observation.add_error(value(self.error))


@dataclass(frozen=True, slots=True)
class BatchJob:
    """What an answer says of a batch beside its results. `file` is where these are, if they are not inlined."""

    name: str | None
    model: str | None
    file: str | None


def job(document: bytes) -> BatchJob | None:
    """The batch of an answer to its creation or to a poll; None if it is not a JSON object."""
    members = fields(document)
    if members is None:
        return None
    metadata = _inner(members, "metadata")
    output = _inner(members, "response") or _inner(metadata, "output")
    return BatchJob(
        name=word(value(members.get("name"))),
        model=word(value(metadata.get("model"))),
        file=word(value(output.get("responsesFile"))),
    )


def inlined_entry(text: bytes, place: int) -> BatchEntry:
    """The result at a place of an answer, from 0; one that is not an object says nothing."""
    return _entry(fields(text) or {}, str(place))


def entry_of_line(document: bytes, place: int) -> BatchEntry | None:
    """The result on one line of a file; None if the line is not one. Without a key its place, from 0, is the key."""
    members = fields(document)
    if members is None or not ("response" in members or "error" in members):
        return None
    return _entry(members, word(value(members.get("key"))) or str(place))


def lost_line(place: int) -> BatchEntry:
    """What is left of a line that was too large to be kept: where it was, from 0."""
    return BatchEntry(f"line {place}", None, None)


def has_response(line: bytes) -> bool:
    """Whether a line of a file has a response, which an error has not."""
    return "response" in (fields(line) or {})


def declared(body: bytes | None) -> tuple[bool, ...] | None:
    """Which of the inlined requests allow code execution, in their order; None where the body cannot be read."""
    members = lenient_fields(body)
    if members is None:
        return None
    batch = mapping(value(members.get("batch")))
    config = mapping(batch.get("inputConfig")) or mapping(batch.get("input_config"))
    entries = mappings(mapping(config.get("requests")).get("requests"))
    return tuple(declares_code_execution(mapping(entry.get("request")).get("tools")) for entry in entries)


def allows_code(request: bytes) -> bool | None:
    """Whether one of the inlined requests allows code execution; None if it is not an object."""
    members = lenient_fields(request)
    if members is None:
        return None
    return declares_code_execution(mapping(value(members.get("request"))).get("tools"))


def _entry(members: _Members, key: str) -> BatchEntry:
    return BatchEntry(key, members.get("response"), members.get("error"))


def _inner(members: _Members, name: str) -> _Members:
    return fields(bytes(members[name])) or {} if name in members else {}

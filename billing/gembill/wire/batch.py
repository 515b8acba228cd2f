"""The dialect of the Batch API (wire.md 4, 5.8).

Owns: of a batch `name`, `metadata.model`, `response` or `metadata.output` with `inlinedResponses.inlinedResponses[]`
and `responsesFile`; of an entry `key`, `response`, `error`; of a creation
`batch.inputConfig.requests.requests[].request.tools`.
What an entry's `response` says is the dialect of generateContent. Owns no natural key.
Invariant: an entry is known by its place among the inlined ones, or by its key in a file; both are in the answer, so
whoever reads it again finds the same.
"""

from dataclasses import dataclass

import msgspec

from gembill.wire.generate_content import asked, executions, observe, usage
from gembill.wire.json_text import fields, items, mapping, mappings, value, word
from gembill.wire.observation import Observation
from gembill.wire.request import declares

__all__ = ["TIER", "BatchEntry", "BatchJob", "asked", "declared", "executions", "line", "observe", "read", "usage"]

TIER = "batch"
_Fields = dict[str, msgspec.Raw]


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One result: its key, and its response or error as JSON text."""

    key: str
    response: msgspec.Raw | None
    error: msgspec.Raw | None

    def observe(self, sighting: Observation) -> None:
        """Add what the result shows."""
        if self.response is not None:
            observe(bytes(self.response), sighting)
        sighting.fault(self.error)


@dataclass(frozen=True, slots=True)
class BatchJob:
    """What an answer tells of a batch. `file` is where its results are, if they are not inlined."""

    name: str | None
    model: str | None
    file: str | None
    entries: tuple[BatchEntry, ...]


def read(document: bytes) -> BatchJob | None:
    """The batch of an answer to its creation or to a poll; None if it is no JSON object."""
    found = fields(document)
    if found is None:
        return None
    metadata = _inner(found, "metadata")
    output = _inner(found, "response") or _inner(metadata, "output")
    listed = items(_inner(output, "inlinedResponses").get("inlinedResponses", msgspec.Raw(b"[]"))) or []
    return BatchJob(
        name=word(value(found.get("name"))),
        model=word(value(metadata.get("model"))),
        file=word(value(output.get("responsesFile"))),
        entries=tuple(_entry(fields(bytes(one)) or {}, str(place)) for place, one in enumerate(listed)),
    )


def line(document: bytes, place: int) -> BatchEntry | None:
    """The result on one line of a file; None where it is none. A line without a key is known by its place, from 0."""
    found = fields(document)
    if found is None or not ("response" in found or "error" in found):
        return None
    return _entry(found, word(value(found.get("key"))) or str(place))


def declared(body: bytes | None) -> tuple[bool, ...]:
    """Which of the inlined requests allow code execution, in their order; () if there are none."""
    found = fields(body) if body is not None else None
    if found is None:
        return ()
    config = mapping(mapping(value(found.get("batch"))).get("inputConfig", {}))
    config = config or mapping(mapping(value(found.get("batch"))).get("input_config"))
    entries = mappings(mapping(config.get("requests")).get("requests"))
    return tuple(declares(mapping(entry.get("request")).get("tools")) for entry in entries)


def _entry(found: _Fields, key: str) -> BatchEntry:
    return BatchEntry(key, found.get("response"), found.get("error"))


def _inner(found: _Fields, name: str) -> _Fields:
    return fields(bytes(found[name])) or {} if name in found else {}

"""A call as `gembill export --format jsonl` writes it.

Owns: which line is one, and what is taken of it: the events behind the record, which are read and rated again. Not
here: the writing. Invariant: a call keeps its id, so that the ledger it came from knows it, and a second import changes
nothing; what the line says besides its events decides nothing but the conversation of an interaction, and whether the
ledger says that made-up calls are in it.
"""

from dataclasses import dataclass

import msgspec

from gembill.importing.member import Members, RefusedLine, entries, shown, text
from gembill.model import Operation, Record
from gembill.posting import UnreadableEvent, read_event
from gembill.rules.identity import reserved_source
from gembill.rules.metering import meter


@dataclass(frozen=True, slots=True)
class ExportedEvent:
    """An event of an exported call: its bytes, the reserved source it has here, and the record it makes."""

    id: str
    source_id: int
    body: bytes
    record: Record


@dataclass(frozen=True, slots=True)
class ExportedCall:
    """A call of an export: the events behind its record, the first one first; `demo` where the ledger it comes from
    holds made-up calls."""

    events: tuple[ExportedEvent, ...]
    demo: bool = False


def is_exported(members: Members) -> bool:
    """Whether a line is a call of an export and not an exchange."""
    return "events" in members and "id" in members and "path" not in members


def read(members: Members) -> ExportedCall:
    """The call. Refused where it has no event, or one that cannot be read."""
    bodies = entries(members, "events") or []
    if not bodies:
        raise RefusedLine("it has no events; only `gembill export --format jsonl` of this version or later writes them")
    conversation = text(members, "conversation_id")
    demo = "demo_data" in members and bytes(members["demo_data"]).strip() == b"true"
    return ExportedCall(tuple(_event(bytes(body), conversation) for body in bodies), demo)


def _event(body: bytes, conversation: str | None) -> ExportedEvent:
    try:
        event = read_event(body)
        source_id = reserved_source(event.id)
    except (UnreadableEvent, ValueError) as error:
        raise RefusedLine(f"its event cannot be read ({shown(str(error))})") from None
    one_line = b" ".join(body.splitlines())  # it may be of a document that was spread, and is written in a line again
    return ExportedEvent(event.id, source_id, one_line, _chained(meter(event, source_id), conversation))


def _chained(record: Record, conversation: str | None) -> Record:
    """An interaction in the conversation it was in: the first of its chain may be in a later line, or in none."""
    if record.operation != Operation.INTERACTIONS or conversation is None or record.conversation is None:
        return record
    return msgspec.structs.replace(record, conversation=conversation)

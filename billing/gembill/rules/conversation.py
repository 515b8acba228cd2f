"""Which calls are turns of one conversation.

Owns: when a call goes on from an earlier one, and how a chain of interactions is followed to its first. Not here: the
ledger that is asked for earlier records. Invariant: following a chain ends, also where it bites its own tail.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from gembill.model import Operation, Record
from gembill.rules import identity

RecordKey = tuple[int, str]
OPENING = "c_"
"""How ids of chats began until 0.2, when calls were joined by their first content."""


def goes_on(record: Record) -> bool:
    """Whether there were turns before, whatever else is in the ledger: an interaction that this one names, or contents
    of a chat recorded until 0.2. Other chats show where calls share them (contract.md, Conversations)."""
    if record.conversation is None:
        return False
    if record.operation == Operation.INTERACTIONS:
        return record.conversation != record.response_id
    return record.conversation.startswith(OPENING) and (record.turns or 0) > 1


def predecessor(record: Record) -> RecordKey | None:
    """The source and id of the interaction that this one goes on from; None for a first one and for chats."""
    if record.operation != Operation.INTERACTIONS or not goes_on(record):
        return None
    return identity.natural("interaction", record.api.value, record.conversation or "")


def chained(records: Sequence[Record], earlier: Mapping[RecordKey, str]) -> list[Record]:
    """The records with every interaction in the conversation of the first of its chain, as far back as it is known.

    The one before is looked for among the records, in whatever order they are, and in `earlier`: the conversations of
    the records that `predecessor` names. Where it is in neither, its id is the conversation.
    """
    before = {_key(record): key for record in records if (key := predecessor(record)) is not None}
    known: dict[RecordKey, str | None] = {
        _key(record): record.conversation
        for record in records
        if record.operation == Operation.INTERACTIONS and record.conversation
    }
    known |= earlier
    return [_followed(record, before, known) for record in records]


def _followed(record: Record, before: Mapping[RecordKey, RecordKey], known: Mapping[RecordKey, str | None]) -> Record:
    conversation, key = record.conversation, _key(record)
    passed = set()
    while key in before and key not in passed:
        passed.add(key)
        key = before[key]
        conversation = known.get(key, conversation)
    return record if conversation == record.conversation else replace(record, conversation=conversation)


def _key(record: Record) -> RecordKey:
    return record.source_id, record.id

"""Whether what the ledger keeps for later is as it was written: bodies of events, and sets of labels.

Owns: these checks of an audit, against the digests and checksums that are kept with them. Not here: sums (`audit`).
Invariant: memory is bounded by a batch; a byte that flipped in one of these is named, on either engine.
"""

import hashlib
import zlib
from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from gembill.ledger import event_body, mapping, schema

_BATCH = 500


def audit_contents(connection: Connection) -> Iterable[str]:
    """Findings in plain sentences."""
    yield from _blocks(connection)
    yield from _alone(connection)
    yield from _labels(connection)


def _blocks(connection: Connection) -> Iterable[str]:
    c = schema.event_block.c
    rows = connection.execution_options(yield_per=_BATCH).execute(select(c.source_id, c.digest, c.bodies))
    for source_id, digest, bodies in rows:
        if hashlib.blake2b(bytes(bodies), digest_size=event_body.DIGEST).digest() != bytes(digest):
            yield f"source {source_id}: a block of bodies of events is not as it was written ({bytes(digest).hex()})"


def _alone(connection: Connection) -> Iterable[str]:
    """Bodies that are in no block have no digest, and are only seen to be damaged where they cannot be inflated."""
    c = schema.event.c
    outside = func.substr(c.body, 1, len(event_body.BLOCK_MARK)) != event_body.BLOCK_MARK
    query = select(c.source_id, c.id, c.body).where(outside)
    for source_id, event_id, body in connection.execution_options(yield_per=_BATCH).execute(query):
        try:
            event_body.inflated(bytes(body))
        except zlib.error as error:
            yield f"event {event_id} of source {source_id}: its body is damaged: {error}"


def _labels(connection: Connection) -> Iterable[str]:
    c = schema.label_set.c
    for source_id, known, labels in connection.execute(select(c.source_id, c.labels_hash, c.labels)):
        if mapping.labels_hash(labels) != bytes(known):
            yield f"source {source_id}: a set of labels is not as it was written: {labels}"

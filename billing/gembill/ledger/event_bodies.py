"""Where the bodies of events lie: with the event, or in a block of many that came together.

Owns: the rows of `event` and `event_block`, written and read. Not here: the form of a body (`event_body`). Invariant: a
body is given as it came, wherever it lies; an event whose block is missing has none.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select

from gembill.ledger import event_body, schema
from gembill.ledger.sql import Row

EventKey = tuple[int, str]
_Seen = tuple[str, int | None, bytes]  # id of an event, its place in its spool, its body


def rows_of(source_id: int, events: Sequence[_Seen], driver_id: Callable[[str], Any]) -> tuple[list[Row], list[Row]]:
    """The rows of `event`, ids as `driver_id` gives them, and of `event_block` for events that a source saw."""
    packed = event_body.packed((event_id, body) for event_id, _, body in events)
    kept = [
        (source_id, driver_id(event_id), seq, form)
        for (event_id, seq, _), form in zip(events, packed.forms, strict=True)
    ]
    return kept, [(source_id, digest, block) for digest, block in packed.blocks.items()]


def read_bodies(connection: Connection, keys: Collection[EventKey]) -> dict[EventKey, bytes]:
    """The bodies of these events, as far as the ledger has them."""
    ids: dict[int, list[str]] = {}
    for source_id, event_id in keys:
        ids.setdefault(source_id, []).append(event_id)
    bodies: dict[EventKey, bytes] = {}
    for source_id, wanted in ids.items():
        c = schema.event.c
        query = select(c.id, c.body).where(c.source_id == source_id, c.id.in_(wanted))
        forms = {event_id: bytes(form) for event_id, form in connection.execute(query)}
        bodies |= {(source_id, event_id): body for event_id, body in _bodies(connection, source_id, forms).items()}
    return bodies


def _bodies(connection: Connection, source_id: int, forms: dict[str, bytes]) -> dict[str, bytes]:
    """The bodies of events of one source, of their kept forms by id."""
    places = {event_id: digest for event_id, form in forms.items() if (digest := event_body.block_of(form)) is not None}
    c = schema.event_block.c
    query = select(c.digest, c.bodies).where(c.source_id == source_id, c.digest.in_(sorted(set(places.values()))))
    rows = connection.execute(query).all() if places else ()
    blocks = {bytes(row.digest): event_body.opened(bytes(row.bodies)) for row in rows}
    bodies: dict[str, bytes] = {}
    for event_id, form in forms.items():
        digest = places.get(event_id)
        if digest is None:
            bodies[event_id] = event_body.inflated(form)
        elif digest in blocks:
            bodies[event_id] = event_body.body_in(blocks[digest], form, event_id)
    return bodies

"""Bodies of events that came together are kept together, in blocks.

Revision 0009, after 0008. What is there stays as it is: only events posted from now on point to a block.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import INTEGER

from gembill.ledger import event_body

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(INTEGER(), "sqlite")
BYTES = sa.LargeBinary()
ID = sa.LargeBinary().with_variant(sa.Uuid(), "postgresql")
EVENT = sa.table("event", sa.column("source_id", WHOLE), sa.column("id", ID), sa.column("body", BYTES))
BLOCK = sa.table("event_block", sa.column("source_id", WHOLE), sa.column("digest", BYTES), sa.column("bodies", BYTES))


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "event_block",
        sa.Column("source_id", WHOLE, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("bodies", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("source_id", "digest", name="event_block_pk"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Backwards: each body is kept with its event again."""
    connection = op.get_bind()
    for source_id in connection.scalars(sa.select(BLOCK.c.source_id).distinct()).all():
        for digest, events in _by_block(source_id).items():
            own = sa.select(BLOCK.c.bodies).where(BLOCK.c.source_id == source_id, BLOCK.c.digest == digest)
            bodies = event_body.opened(bytes(connection.scalar(own) or b""))
            for key, form in events:
                alone = event_body.deflated(event_body.body_in(bodies, form, str(_uuid(key))))
                here = (EVENT.c.source_id == source_id, EVENT.c.id == key)
                connection.execute(sa.update(EVENT).where(*here).values(body=alone))
    op.drop_table("event_block")


def _by_block(source_id: int) -> dict[bytes, list[tuple[Any, bytes]]]:
    """Key and form of the events of a source that point to a block, by its digest."""
    in_block = sa.func.substr(EVENT.c.body, 1, len(event_body.BLOCK_MARK)) == event_body.BLOCK_MARK
    events: dict[bytes, list[tuple[Any, bytes]]] = {}
    query = sa.select(EVENT.c.id, EVENT.c.body).where(EVENT.c.source_id == source_id, in_block)
    for key, form in op.get_bind().execute(query):
        events.setdefault(event_body.block_of(bytes(form)) or b"", []).append((key, bytes(form)))
    return events


def _uuid(key: Any) -> UUID:  # noqa: ANN401 - as the driver has it
    return key if isinstance(key, UUID) else UUID(bytes=key)

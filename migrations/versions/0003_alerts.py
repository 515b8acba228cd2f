"""Alerts: which threshold of which budget was said to whom.

Revision 0003, after 0002. A small table that is the same for all sources, hence without `source_id`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(INTEGER(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Forwards."""
    key = ("budget", "period", "threshold", "channel")
    op.create_table(
        "alert",
        *(sa.Column(name, NAME, nullable=False) for name in key),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("raised_us", "claimed_us", "attempts")),
        sa.Column("sent_us", WHOLE),
        sa.Column("error", NAME),
        sa.PrimaryKeyConstraint(*key, name="alert_pk"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Backwards: what was said is forgotten."""
    op.drop_table("alert")

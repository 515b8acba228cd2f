"""Months that were closed: what they came to, and a digest of it.

Revision 0007, after 0006. A small table that is the same for all sources, hence without `source_id`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(INTEGER(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Forwards."""
    key = ("month", "timezone")
    op.create_table(
        "closed_month",
        *(sa.Column(name, NAME, nullable=False) for name in key),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("start_us", "end_us", "closed_us", "seen_us")),
        *(sa.Column(name, NAME, nullable=False) for name in ("digest", "document")),
        sa.PrimaryKeyConstraint(*key, name="closed_month_pk"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Backwards: that months were closed is forgotten, their calls stay."""
    op.drop_table("closed_month")

"""What was charged by day of Google's bill, kept so that a comparison need not look at each call.

Revision 0010, after 0009. It is the same for all sources, hence without `source_id`; empty until a bill is compared.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(INTEGER(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "usage_day",
        *(sa.Column(name, WHOLE, nullable=False, autoincrement=False) for name in ("day", "start_us", "end_us")),
        sa.Column("entries", WHOLE, nullable=False),
        sa.Column("document", NAME, nullable=False),
        sa.PrimaryKeyConstraint("day", name="usage_day_pk"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Backwards: it is made again when it is needed."""
    op.drop_table("usage_day")

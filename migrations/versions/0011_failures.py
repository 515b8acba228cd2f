"""Calls whose code failed are found by time without a look at the others.

Revision 0011, after 0010. An index over those calls alone: no other call makes it larger or slower to write.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAME = "entry_by_failure"
FAILED = sa.text("executions_failed > 0")


def upgrade() -> None:
    """Forwards."""
    columns = ["occurred_us", "conversation", "executions_failed", "failed_execution_cost_pico", "template"]
    op.create_index(NAME, "entry", columns, sqlite_where=FAILED, postgresql_where=FAILED)


def downgrade() -> None:
    """Backwards: no call is lost."""
    op.drop_index(NAME, "entry")

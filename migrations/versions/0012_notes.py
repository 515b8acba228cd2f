"""What is wrong with calls is counted without a look at the others.

Revision 0012, after 0011. The index by time holds the template too, whose words say what is odd about a call; calls
with a run whose end nobody saw have an index of their own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = ["occurred_us", "id", "source_id"]


def upgrade() -> None:
    """Forwards."""
    op.drop_index("entry_by_time", "entry")
    op.create_index("entry_by_time", "entry", [*TIME, "template"])
    unseen = {name: sa.text(f"""{name}(executions, '["unknown",') > 0""") for name in ("instr", "strpos")}
    where = {"sqlite_where": unseen["instr"], "postgresql_where": unseen["strpos"]}
    op.create_index("entry_by_unseen_run", "entry", ["occurred_us"], **where)


def downgrade() -> None:
    """Backwards: no call is lost."""
    op.drop_index("entry_by_unseen_run", "entry")
    op.drop_index("entry_by_time", "entry")
    op.create_index("entry_by_time", "entry", TIME)

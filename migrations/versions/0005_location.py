"""Where a call ran: the location and the project of a Vertex path, on its record.

Revision 0005, after 0004. Nullable columns at the end; calls that were recorded before keep null. Rollups stay as they
are: a location or a project is looked for in the records.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COLUMNS = ("location", "project")


def upgrade() -> None:
    """Forwards."""
    for name in COLUMNS:
        op.add_column("record", sa.Column(name, NAME, nullable=True))


def downgrade() -> None:
    """Backwards: only where a call ran is lost."""
    for name in reversed(COLUMNS):
        op.drop_column("record", name)

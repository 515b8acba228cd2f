"""Google's bill: the files that were taken in, and their lines.

Revision 0006, after 0005. They are the same for all sources, hence without `source_id`. The whole units of a currency
and their pico-parts are in columns of their own: nine million won is not much money.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(INTEGER(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BYTES = sa.LargeBinary()


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "bill_file",
        sa.Column("number", WHOLE, nullable=False, autoincrement=False),
        *(sa.Column(name, NAME, nullable=False) for name in ("digest", "name", "form", "project")),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("lines", "imported_us")),
        sa.PrimaryKeyConstraint("number", name="bill_file_pk"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bill_line",
        *(sa.Column(name, WHOLE, nullable=False, autoincrement=False) for name in ("file_number", "line", "part")),
        sa.Column("scope", BYTES, nullable=False),
        *(sa.Column(name, NAME, nullable=False) for name in ("form", "kind", "service", "sku_id", "sku", "unit")),
        *(sa.Column(name, NAME, nullable=False) for name in ("project", "location", "currency", "rate", "month")),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("first_day", "last_day", "decimals")),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("amount_micro", "cost_units", "cost_pico")),
        sa.Column("exported_us", WHOLE),
        sa.PrimaryKeyConstraint("file_number", "line", "part", name="bill_line_pk"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("bill_line_by_scope", "bill_line", ["scope", "file_number"])


def downgrade() -> None:
    """Backwards: the bill has to be imported again."""
    op.drop_index("bill_line_by_scope", "bill_line")
    op.drop_table("bill_line")
    op.drop_table("bill_file")

"""Prices: the lists that were added, and their rows.

Revision 0002, after 0001. Small tables that are the same for all sources, hence without `source_id` (reliability.md 4,
reference tables).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(INTEGER(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ROWS_LIE_BY_KEY = {"sqlite_strict": True, "sqlite_with_rowid": False}


def _all(
    kind: sa.types.TypeEngine[int] | sa.types.TypeEngine[str], names: str, *, null: bool = False
) -> list[sa.Column]:
    return [sa.Column(name, kind, nullable=null, autoincrement=False) for name in names.split()]


def upgrade() -> None:
    """Forwards."""
    lists = [*_all(WHOLE, "number"), *_all(NAME, "origin digest"), *_all(WHOLE, "added_us")]
    op.create_table("price_list", *lists, sa.PrimaryKeyConstraint("number", name="price_list_pk"), **_ROWS_LIE_BY_KEY)
    rows = [*_all(WHOLE, "list_number"), *_all(NAME, "id model meter modality service_tier")]
    rows += [
        *_all(WHOLE, "above_prompt_tokens unit_pico"),
        *_all(WHOLE, "effective_from_us effective_to_us", null=True),
    ]
    rows += _all(NAME, "source checked_on")
    op.create_table("price", *rows, sa.PrimaryKeyConstraint("list_number", "id", name="price_pk"), **_ROWS_LIE_BY_KEY)


def downgrade() -> None:
    """Backwards: every added price goes."""
    op.drop_table("price")
    op.drop_table("price_list")

"""Rollups by UTC day beside those by hour, filled from them.

Revision 0004, after 0003. A month is then about thirty cells of each kind and not seven hundred, however many calls.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(INTEGER(), "sqlite")
FLAG = sa.SmallInteger().with_variant(INTEGER(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BYTES = sa.LargeBinary()

KINDS = {"source_id": WHOLE, "day_utc": WHOLE, "code_execution_used": FLAG, "labels_hash": BYTES}
NARROW = ("source_id", "day_utc", "model", "api", "operation", "service_tier", "status", "code_execution_used")
ROLLUPS = {"rollup_narrow": NARROW, "rollup_wide": (*NARROW, "key", "labels_hash")}
TOKENS = ("input", "intermediate", "output", "total", "cached", "thinking")
COSTS = ("cost", "cost_input", "cost_intermediate", "cost_output", "cost_grounding", "failed_execution_cost")
MEASURES = (
    *("calls", "unpriced_calls", "executions", "executions_failed"),
    *(name for field in TOKENS for name in (f"tokens_{field}", f"tokens_{field}_known")),
    *("costed", *(f"{name}_pico" for name in COSTS)),
)


def upgrade() -> None:
    """Forwards."""
    for hourly, key in ROLLUPS.items():
        op.create_table(
            f"{hourly}_day",
            *(_column(name, KINDS.get(name, NAME)) for name in key),
            *(_column(name, WHOLE) for name in MEASURES),
            sa.PrimaryKeyConstraint(*key, name=f"{hourly}_day_pk"),
            sqlite_strict=True,
            sqlite_with_rowid=False,
        )
        _fill(hourly, key)


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, autoincrement=False)


def _fill(hourly: str, key: tuple[str, ...]) -> None:
    """The sums of each day; the database refuses one that does not fit in 64 bits."""
    cells = sa.table(hourly, *(sa.column(name) for name in ("hour_utc", *key, *MEASURES) if name != "day_utc"))
    days = sa.table(f"{hourly}_day", *(sa.column(name) for name in (*key, *MEASURES)))
    keys = [sa.cast(cells.c.hour_utc, sa.BigInteger) // 24 if name == "day_utc" else cells.c[name] for name in key]
    sums = [sa.func.sum(cells.c[name]) for name in MEASURES]
    op.execute(days.insert().from_select([*key, *MEASURES], sa.select(*keys, *sums).group_by(*keys)))


def downgrade() -> None:
    """Backwards: the hours still have it all."""
    for hourly in ROLLUPS:
        op.drop_table(f"{hourly}_day")

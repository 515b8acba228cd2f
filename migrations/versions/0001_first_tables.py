"""The first tables: sources, events, records, charges, rollups, label sets, dead letters.

Revision 0001, the first. The definitions are repeated here on purpose: a script says what was created then, whatever
`gembill.ledger.schema` says later.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(INTEGER(), "sqlite")
FLAG = sa.SmallInteger().with_variant(INTEGER(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BYTES = sa.LargeBinary()
ID = sa.LargeBinary().with_variant(sa.Uuid(), "postgresql")

TOKENS = ("input", "intermediate", "output", "total", "cached", "thinking")
COSTS = ("cost", "cost_input", "cost_intermediate", "cost_output", "cost_grounding", "failed_execution_cost")
MEASURES = (
    *("calls", "unpriced_calls", "executions", "executions_failed"),
    *(name for field in TOKENS for name in (f"tokens_{field}", f"tokens_{field}_known")),
    *("costed", *(f"{name}_pico" for name in COSTS)),
)


def _all(kind: sa.types.TypeEngine[Any], names: str, *, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=nullable, autoincrement=False) for name in names.split()]


def _table(name: str, columns: list[sa.Column[Any]], key: str, *more: sa.Constraint, rowid: bool = False) -> None:
    primary = sa.PrimaryKeyConstraint(*key.split(), name=f"{name}_pk")
    op.create_table(name, *columns, primary, *more, sqlite_strict=True, sqlite_with_rowid=rowid)


def upgrade() -> None:
    """Forwards."""
    _small_tables()
    _events()
    _records()
    _charges()
    key = "source_id hour_utc model api operation service_tier status code_execution_used"
    _rollup("rollup_narrow", key)
    _rollup("rollup_wide", f"{key} key labels_hash")


def _small_tables() -> None:
    source = [*_all(WHOLE, "source_id"), *_all(NAME, "kind"), *_all(NAME, "host", nullable=True)]
    source += [*_all(WHOLE, "created_us", nullable=True), *_all(WHOLE, "first_seen_us last_seen_us")]
    _table("source", source, "source_id")
    labels = [*_all(WHOLE, "source_id"), *_all(BYTES, "labels_hash"), *_all(NAME, "labels")]
    _table("label_set", labels, "source_id labels_hash")
    letter = [*_all(WHOLE, "source_id"), *_all(NAME, "id"), *_all(WHOLE, "seq", nullable=True)]
    letter += [*_all(BYTES, "body"), *_all(NAME, "reason"), *_all(WHOLE, "buried_us")]
    _table("dead_letter", letter, "source_id id", rowid=True)


def _events() -> None:
    columns = [*_all(WHOLE, "source_id"), *_all(ID, "id"), *_all(WHOLE, "seq", nullable=True)]
    columns += [*_all(WHOLE, "occurred_us posted_us"), *_all(BYTES, "body")]
    _table("event", columns, "source_id id", sa.UniqueConstraint("source_id", "seq", name="event_seq_key"), rowid=True)


def _records() -> None:
    columns = [*_all(WHOLE, "source_id"), *_all(ID, "id"), *_all(WHOLE, "revision"), *_all(NAME, "reason")]
    columns += [*_all(WHOLE, "event_source_id"), *_all(ID, "event_id")]
    columns += [*_all(WHOLE, "posted_us occurred_us hour_utc"), *_all(WHOLE, "ended_us", nullable=True)]
    columns += [*_all(NAME, "api operation"), *_all(FLAG, "streamed")]
    columns += [*_all(NAME, "model requested_model agent", nullable=True), *_all(NAME, "service_tier")]
    columns += [*_all(NAME, "key", nullable=True), *_all(NAME, "status"), *_all(WHOLE, "http_status", nullable=True)]
    columns += _all(NAME, "error finish_reason response_id conversation", nullable=True)
    columns += _all(WHOLE, " ".join(("turns", *(f"tokens_{field}" for field in TOKENS))), nullable=True)
    columns += [*_all(FLAG, "declared", nullable=True), *_all(NAME, "executions")]
    columns += [*_all(WHOLE, "executions_count executions_failed"), *_all(FLAG, "code_execution_used")]
    columns += [*_all(NAME, "labels"), *_all(BYTES, "labels_hash"), *_all(NAME, "flags anomalies")]
    columns += _all(WHOLE, " ".join(f"{name}_pico" for name in COSTS), nullable=True)
    columns += [*_all(FLAG, "priced"), *_all(NAME, "unpriced_reason", nullable=True)]
    _table("record", columns, "source_id id revision", rowid=True)
    op.create_index("record_by_time", "record", ["occurred_us", "id", "source_id"])
    op.create_index("record_by_conversation", "record", ["conversation"])


def _charges() -> None:
    columns = [*_all(WHOLE, "source_id"), *_all(ID, "record_id"), *_all(WHOLE, "revision line")]
    columns += [*_all(NAME, "meter modality"), *_all(WHOLE, "quantity unit_pico cost_pico"), *_all(NAME, "price_id")]
    _table("charge", columns, "source_id record_id revision line")


def _rollup(name: str, key: str) -> None:
    kinds: dict[str, sa.types.TypeEngine[Any]] = {
        "source_id": WHOLE,
        "hour_utc": WHOLE,
        "code_execution_used": FLAG,
        "labels_hash": BYTES,
    }
    columns = [column for part in key.split() for column in _all(kinds.get(part, NAME), part)]
    _table(name, [*columns, *_all(WHOLE, " ".join(MEASURES))], key)


def downgrade() -> None:
    """Backwards: everything goes."""
    for name in ["record", "event", "charge", "rollup_narrow", "rollup_wide", "label_set", "dead_letter", "source"]:
        op.drop_table(name)

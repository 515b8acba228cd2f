"""The tables of the ledger.

Owns: names, types, keys and indexes. Not here: statements, and history, which is in `migrations/`; a test holds the two
together. Invariant (reliability.md 4, "Schema rules from day 1" and the Citus rules): `source_id` comes first in every
primary key and unique constraint, no table refers to another, nothing is filled in by the database. Tables marked
`reference` are small and the same for all sources (on Citus: reference tables), so they have no `source_id`.

What many revisions of records have alike, words and price rows, lies in `template` once for a source; `entry` has the
rest of each. The views `record` and `charge` give both in full, and all reading is of them.

Missing names are the empty string in the keys of rollups, so that keys are never null; no model or key is called that.
Integers are 64 bits wide. Flags are 0 and 1. Texts compare by code point on both engines.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.sqlite import INTEGER
from sqlalchemy.types import TypeEngine

from gembill.ledger.measures import COSTS, MEASURES, TOKEN_FIELDS

NARROW_KEY = ("source_id", "hour_utc", "model", "api", "operation", "service_tier", "status", "code_execution_used")
WIDE_KEY = (*NARROW_KEY, "key", "labels_hash")


def daily(key: tuple[str, ...]) -> tuple[str, ...]:
    """The key of a rollup by UTC day in place of the hour."""
    return tuple("day_utc" if name == "hour_utc" else name for name in key)


class Id(TypeDecorator[str]):
    """A UUID as text in Python; native on PostgreSQL, 16 bytes on SQLite."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type the engine has for it."""
        return dialect.type_descriptor(Uuid() if dialect.name == "postgresql" else LargeBinary())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> UUID | bytes | None:
        """What the driver is given."""
        return None if value is None else driver_id(dialect.name, value)

    def process_result_value(self, value: UUID | bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """What Python sees."""
        if value is None:
            return None
        return str(value if isinstance(value, UUID) else UUID(bytes=value))


@lru_cache(maxsize=8192)
def driver_id(engine: str, value: str) -> UUID | bytes:
    """The UUID in the form the driver of `engine` (a dialect's name) takes; ValueError if it is not one."""
    return UUID(value) if engine == "postgresql" else id_bytes(value)


def id_bytes(value: str) -> bytes:
    """The 16 bytes of a UUID; ValueError if it is not one. A tenth of what parsing it whole costs."""
    plain = value.replace("-", "")
    known = bytes.fromhex(plain) if len(plain) == _HEX_DIGITS and plain.isalnum() else b""
    return known or UUID(value).bytes


WHOLE = BigInteger().with_variant(INTEGER(), "sqlite")
FLAG = SmallInteger().with_variant(INTEGER(), "sqlite")
NAME = Text().with_variant(Text(collation="C"), "postgresql")
BYTES = LargeBinary()
ID = Id()

_HEX_DIGITS = 32
_COMPACT: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}  # rows lie in the order of their key
_WIDE_ROWS: dict[str, Any] = {"sqlite_strict": True}

metadata = MetaData()
views = MetaData()
"""`record` and `charge`: what entries and templates say together, for reading."""


def _columns(kind: TypeEngine[Any], *names: str, nullable: bool = False) -> list[Column[Any]]:
    return [Column(name, kind, nullable=nullable) for name in names]


source = Table(
    "source",
    metadata,
    Column("source_id", WHOLE, nullable=False, autoincrement=False),
    Column("kind", NAME, nullable=False),
    Column("host", NAME),
    Column("created_us", WHOLE),
    *_columns(WHOLE, "first_seen_us", "last_seen_us"),
    PrimaryKeyConstraint("source_id", name="source_pk"),
    **_COMPACT,
)

event = Table(
    "event",
    metadata,
    Column("source_id", WHOLE, nullable=False, autoincrement=False),
    Column("id", ID, nullable=False),
    Column("seq", WHOLE),
    Column("body", BYTES, nullable=False),  # or where in a block of `event_block` it is
    PrimaryKeyConstraint("source_id", "id", name="event_pk"),
    UniqueConstraint("source_id", "seq", name="event_seq_key"),
    **_COMPACT,
)

event_block = Table(
    "event_block",
    metadata,
    Column("source_id", WHOLE, nullable=False, autoincrement=False),
    Column("digest", BYTES, nullable=False),
    Column("bodies", BYTES, nullable=False),
    PrimaryKeyConstraint("source_id", "digest", name="event_block_pk"),
    **_WIDE_ROWS,
)

WORDS = (
    *("reason", "api", "operation", "streamed", "model", "requested_model", "agent", "service_tier", "key", "status"),
    *("http_status", "error", "finish_reason", "declared", "flags", "anomalies", "priced", "unpriced_reason"),
    *("location", "project"),
)
"""The columns of a record that many have alike."""
_NULLABLE = (
    *("model", "requested_model", "agent", "key", "http_status", "error", "finish_reason", "declared"),
    *("unpriced_reason", "location", "project"),
)
_KINDS = {"streamed": FLAG, "declared": FLAG, "priced": FLAG, "http_status": WHOLE}


def _word(name: str) -> Column[Any]:
    return Column(name, _KINDS.get(name, NAME), nullable=name in _NULLABLE)


template = Table(
    "template",
    metadata,
    Column("source_id", WHOLE, nullable=False, autoincrement=False),
    Column("number", WHOLE, nullable=False, autoincrement=False),  # from what it says: the same everywhere
    *map(_word, WORDS),
    PrimaryKeyConstraint("source_id", "number", name="template_pk"),
    **_COMPACT,
)

template_line = Table(
    "template_line",
    metadata,
    Column("source_id", WHOLE, nullable=False, autoincrement=False),
    Column("number", WHOLE, nullable=False, autoincrement=False),
    Column("line", WHOLE, nullable=False, autoincrement=False),
    *_columns(NAME, "meter", "modality"),
    Column("unit_pico", WHOLE, nullable=False),
    Column("price_id", NAME, nullable=False),
    PrimaryKeyConstraint("source_id", "number", "line", name="template_line_pk"),
    **_COMPACT,
)

entry = Table(
    "entry",
    metadata,
    Column("source_id", WHOLE, nullable=False, autoincrement=False),
    Column("id", ID, nullable=False),
    Column("revision", WHOLE, nullable=False, autoincrement=False),
    Column("template", WHOLE, nullable=False),
    Column("event_source_id", WHOLE),  # null: that of the record, as is `event_id`
    Column("event_id", ID),
    *_columns(WHOLE, "posted_us", "occurred_us"),
    Column("ended_us", WHOLE),
    *_columns(NAME, "response_id", "conversation", nullable=True),
    Column("turns", WHOLE),
    *_columns(WHOLE, *(f"tokens_{field}" for field in TOKEN_FIELDS), nullable=True),
    Column("executions", NAME),  # null: none
    *_columns(WHOLE, "executions_count", "executions_failed"),
    Column("labels_hash", BYTES, nullable=False),
    *_columns(WHOLE, *COSTS, nullable=True),
    Column("quantities", NAME),  # a JSON array, one for each line of the template; null: none
    PrimaryKeyConstraint("source_id", "id", "revision", name="entry_pk"),
    Index("entry_by_time", "occurred_us", "id", "source_id", "template"),
    Index("entry_by_conversation", "conversation"),
    Index(
        "entry_by_failure",
        *("occurred_us", "conversation", "executions_failed", "failed_execution_cost_pico", "template"),
        sqlite_where=text("executions_failed > 0"),
        postgresql_where=text("executions_failed > 0"),
    ),
    Index(
        "entry_by_unseen_run",
        "occurred_us",
        sqlite_where=text("""instr(executions, '["unknown",') > 0"""),
        postgresql_where=text("""strpos(executions, '["unknown",') > 0"""),
    ),
    **_COMPACT,
)

record = Table(
    "record",
    views,
    Column("source_id", WHOLE, nullable=False),
    Column("id", ID, nullable=False),
    Column("revision", WHOLE, nullable=False),
    Column("reason", NAME, nullable=False),
    Column("event_source_id", WHOLE, nullable=False),
    Column("event_id", ID, nullable=False),
    *_columns(WHOLE, "posted_us", "occurred_us", "hour_utc"),
    Column("ended_us", WHOLE),
    *map(_word, WORDS[1:13]),
    *_columns(NAME, "response_id", "conversation", nullable=True),
    Column("turns", WHOLE),
    *_columns(WHOLE, *(f"tokens_{field}" for field in TOKEN_FIELDS), nullable=True),
    _word("declared"),
    Column("executions", NAME, nullable=False),
    *_columns(WHOLE, "executions_count", "executions_failed"),
    Column("code_execution_used", FLAG, nullable=False),
    Column("labels", NAME, nullable=False),
    Column("labels_hash", BYTES, nullable=False),
    *map(_word, ("flags", "anomalies")),
    *_columns(WHOLE, *COSTS, nullable=True),
    *map(_word, ("priced", "unpriced_reason", "location", "project")),
)

charge = Table(
    "charge",
    views,
    Column("source_id", WHOLE, nullable=False),
    Column("record_id", ID, nullable=False),
    *_columns(WHOLE, "revision", "line"),
    *_columns(NAME, "meter", "modality"),
    *_columns(WHOLE, "quantity", "unit_pico", "cost_pico"),
    Column("price_id", NAME, nullable=False),
)


def _rollup(name: str, key: tuple[str, ...]) -> Table:
    kinds: dict[str, TypeEngine[Any]] = {
        "source_id": WHOLE,
        "hour_utc": WHOLE,
        "day_utc": WHOLE,
        "code_execution_used": FLAG,
        "labels_hash": BYTES,
    }
    return Table(
        name,
        metadata,
        *(Column(column, kinds.get(column, NAME), nullable=False, autoincrement=False) for column in key),
        *_columns(WHOLE, *MEASURES),
        PrimaryKeyConstraint(*key, name=f"{name}_pk"),
        **_COMPACT,
    )


rollup_narrow = _rollup("rollup_narrow", NARROW_KEY)
rollup_wide = _rollup("rollup_wide", WIDE_KEY)
rollup_narrow_day = _rollup("rollup_narrow_day", daily(NARROW_KEY))
rollup_wide_day = _rollup("rollup_wide_day", daily(WIDE_KEY))
ROLLUPS = (rollup_narrow, rollup_wide, rollup_narrow_day, rollup_wide_day)

label_set = Table(
    "label_set",
    metadata,
    Column("source_id", WHOLE, nullable=False, autoincrement=False),
    Column("labels_hash", BYTES, nullable=False),
    Column("labels", NAME, nullable=False),
    PrimaryKeyConstraint("source_id", "labels_hash", name="label_set_pk"),
    **_COMPACT,
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("source_id", WHOLE, nullable=False, autoincrement=False),
    Column("id", NAME, nullable=False),  # text: what is buried need not have a proper id
    Column("seq", WHOLE),
    Column("body", BYTES, nullable=False),
    Column("reason", NAME, nullable=False),
    Column("buried_us", WHOLE, nullable=False),
    PrimaryKeyConstraint("source_id", "id", name="dead_letter_pk"),
    **_WIDE_ROWS,
)

price_list = Table(
    "price_list",
    metadata,
    Column("number", WHOLE, nullable=False, autoincrement=False),  # from 1, in the order in which lists were added
    *_columns(NAME, "origin", "digest"),
    Column("added_us", WHOLE, nullable=False),
    PrimaryKeyConstraint("number", name="price_list_pk"),
    info={"reference": True},
    **_COMPACT,
)

price = Table(
    "price",
    metadata,
    Column("list_number", WHOLE, nullable=False, autoincrement=False),
    Column("id", NAME, nullable=False),
    *_columns(NAME, "model", "meter", "modality", "service_tier"),
    *_columns(WHOLE, "above_prompt_tokens", "unit_pico"),
    *_columns(WHOLE, "effective_from_us", "effective_to_us", nullable=True),
    *_columns(NAME, "source", "checked_on"),
    PrimaryKeyConstraint("list_number", "id", name="price_pk"),
    info={"reference": True},
    **_COMPACT,
)

closed_month = Table(
    "closed_month",
    metadata,
    *_columns(NAME, "month", "timezone"),
    *_columns(WHOLE, "start_us", "end_us", "closed_us", "seen_us"),
    *_columns(NAME, "digest", "document"),
    PrimaryKeyConstraint("month", "timezone", name="closed_month_pk"),
    info={"reference": True},
    **_WIDE_ROWS,
)

alert = Table(
    "alert",
    metadata,
    *_columns(NAME, "budget", "period", "threshold", "channel"),
    *_columns(WHOLE, "raised_us", "claimed_us", "attempts"),
    Column("sent_us", WHOLE),
    Column("error", NAME),
    PrimaryKeyConstraint("budget", "period", "threshold", "channel", name="alert_pk"),
    info={"reference": True},
    **_COMPACT,
)

bill_file = Table(
    "bill_file",
    metadata,
    Column("number", WHOLE, nullable=False, autoincrement=False),  # from 1, in the order in which files came
    *_columns(NAME, "digest", "name", "form", "project"),
    *_columns(WHOLE, "lines", "imported_us"),
    PrimaryKeyConstraint("number", name="bill_file_pk"),
    info={"reference": True},
    **_COMPACT,
)

bill_line = Table(
    "bill_line",
    metadata,
    *(Column(name, WHOLE, nullable=False, autoincrement=False) for name in ("file_number", "line", "part")),
    Column("scope", BYTES, nullable=False),  # lines of the newest file with it count
    *_columns(NAME, "form", "kind", "service", "sku_id", "sku", "unit"),
    *_columns(NAME, "project", "location", "currency", "rate", "month"),  # empty where the file does not say
    *_columns(WHOLE, "first_day", "last_day", "decimals"),
    *_columns(WHOLE, "amount_micro", "cost_units", "cost_pico"),
    Column("exported_us", WHOLE),
    PrimaryKeyConstraint("file_number", "line", "part", name="bill_line_pk"),
    Index("bill_line_by_scope", "scope", "file_number"),
    info={"reference": True},
    **_COMPACT,
)

usage_day = Table(
    "usage_day",
    metadata,
    Column("day", WHOLE, nullable=False, autoincrement=False),
    *_columns(WHOLE, "start_us", "end_us", "entries"),  # `entries`: of `count_changes`
    Column("document", NAME, nullable=False),
    PrimaryKeyConstraint("day", name="usage_day_pk"),
    info={"reference": True},
    **_WIDE_ROWS,
)

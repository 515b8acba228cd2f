"""Records and charges in a third of the room: `entry`, `template` and `template_line` in place of their two tables.

Revision 0008, after 0007. `record` and `charge` become views with the same columns, so what reads them goes on; in
`executions` a run is now an array of its fields. The rows are read and written in Python, because the number of a
template is a hash. Of `event` the columns `occurred_us` and `posted_us` go: the body and the record have them. On
SQLite the bodies that are there are compressed on the way; on PostgreSQL they stay as they are.
"""

# ruff: noqa: S608 - every name in these statements is written here

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import INTEGER

from gembill.ledger.event_body import deflated, inflated

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(INTEGER(), "sqlite")
FLAG = sa.SmallInteger().with_variant(INTEGER(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BYTES = sa.LargeBinary()
ID = sa.LargeBinary().with_variant(sa.Uuid(), "postgresql")
KINDS: dict[str, sa.types.TypeEngine[Any]] = {
    **dict.fromkeys(["id", "event_id", "record_id"], ID),
    **dict.fromkeys(["streamed", "declared", "priced", "code_execution_used"], FLAG),
    **dict.fromkeys(["labels_hash", "body"], BYTES),
    **dict.fromkeys(
        ["reason", "api", "operation", "model", "requested_model", "agent", "service_tier", "key", "status", "error"],
        NAME,
    ),
    **dict.fromkeys(
        ["finish_reason", "flags", "anomalies", "unpriced_reason", "location", "project", "response_id"], NAME
    ),
    **dict.fromkeys(["conversation", "executions", "quantities", "labels", "meter", "modality", "price_id"], NAME),
}
WORDS = [
    "reason",
    "api",
    "operation",
    "streamed",
    "model",
    "requested_model",
    "agent",
    "service_tier",
    "key",
    "status",
    "http_status",
    "error",
    "finish_reason",
    "declared",
    "flags",
    "anomalies",
    "priced",
    "unpriced_reason",
    "location",
    "project",
]
TOKENS = "tokens_input tokens_intermediate tokens_output tokens_total tokens_cached tokens_thinking"
COSTS = (
    "cost_pico cost_input_pico cost_intermediate_pico cost_output_pico cost_grounding_pico failed_execution_cost_pico"
)
SAME = f"posted_us occurred_us ended_us response_id conversation turns {TOKENS}".split()
AFTER = f"executions_count executions_failed labels_hash {COSTS}".split()
ENTRY = [
    *("source_id", "id", "revision", "template", "event_source_id", "event_id"),
    *SAME,
    "executions",
    *AFTER,
    "quantities",
]
LINE = ["meter", "modality", "unit_pico", "price_id"]
CHARGE = [
    "source_id",
    "record_id",
    "revision",
    "line",
    "meter",
    "modality",
    "quantity",
    "unit_pico",
    "cost_pico",
    "price_id",
]
RECORD = (
    "source_id id revision reason event_source_id event_id posted_us occurred_us hour_utc ended_us api operation "
    "streamed model requested_model agent service_tier key status http_status error finish_reason response_id "
    f"conversation turns {TOKENS} declared executions executions_count executions_failed code_execution_used labels "
    f"labels_hash flags anomalies {COSTS} priced unpriced_reason location project"
).split()
NULLABLE = (
    "seq ended_us model requested_model agent key http_status error finish_reason response_id conversation turns "
    f"{TOKENS} declared {COSTS} unpriced_reason location project"
).split()
RUN = ["outcome", "part_id", "language", "code_chars", "result_chars", "result_digits"]
HOUR_US = 3_600_000_000
BATCH = 1_000


def upgrade() -> None:
    """Forwards."""
    _set_aside("record", "record_pk", "record_by_time", "record_by_conversation")
    _set_aside("charge", "charge_pk")
    _shrink_events()
    _make("template", ["source_id", "number", *WORDS], "source_id number")
    _make("template_line", ["source_id", "number", "line", *LINE], "source_id number line")
    _make("entry", ENTRY, "source_id id revision", ["event_source_id", "event_id", "executions", "quantities"])
    for rows in _pages("old_record", ["source_id", "id", "revision"]):
        _write_entries(rows, _charged(rows))
    op.create_index("entry_by_time", "entry", ["occurred_us", "id", "source_id"])
    op.create_index("entry_by_conversation", "entry", ["conversation"])
    op.drop_table("old_record")
    op.drop_table("old_charge")
    op.execute(_record_view())
    op.execute(_charge_view())


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _set_aside(name: str, key: str, *indexes: str) -> None:
    """Rename a table, so that its name and those of what belongs to it are free."""
    for index in indexes:
        op.drop_index(index, name)
    op.rename_table(name, f"old_{name}")
    if not _is_sqlite():
        op.execute(f"ALTER TABLE old_{name} RENAME CONSTRAINT {key} TO old_{key}")


def _shrink_events() -> None:
    if not _is_sqlite():
        for name in ("occurred_us", "posted_us"):
            op.drop_column("event", name)
        return
    op.rename_table("event", "old_event")
    kept = ["source_id", "id", "seq", "body"]
    _make("event", kept, "source_id id", (), sa.UniqueConstraint("source_id", "seq", name="event_seq_key"))
    for rows in _pages("old_event", ["source_id", "id"]):  # larger than a quarter of a page they would take one each
        events = [
            {"source_id": row.source_id, "id": row.id, "seq": row.seq, "body": deflated(row.body)} for row in rows
        ]
        op.bulk_insert(_table("event", kept), events)
    op.drop_table("old_event")


def _make(
    name: str, names: Iterable[str], key: str, nullable: Iterable[str] = (), *more: sa.Constraint, rowid: bool = False
) -> None:
    null = {*NULLABLE, *nullable} - set(key.split())
    columns = [
        sa.Column(column, KINDS.get(column, WHOLE), nullable=column in null, autoincrement=False) for column in names
    ]
    primary = sa.PrimaryKeyConstraint(*key.split(), name=f"{name}_pk")
    op.create_table(name, *columns, primary, *more, sqlite_strict=True, sqlite_with_rowid=rowid)


def _table(name: str, names: Iterable[str]) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, KINDS.get(column, WHOLE)) for column in names))


def _pages(name: str, key: list[str]) -> Iterator[list[Any]]:
    """All rows in the order of their key, some at a time."""
    after: tuple[Any, ...] | None = None
    places = ", ".join(key)
    while True:
        where = "" if after is None else f"WHERE ({places}) > ({', '.join(f':{column}' for column in key)})"
        query = sa.text(f"SELECT * FROM {name} {where} ORDER BY {places} LIMIT {BATCH}")
        rows = list(op.get_bind().execute(query, dict(zip(key, after or (), strict=False))))
        if not rows:
            return
        yield rows
        after = tuple(getattr(rows[-1], column) for column in key)


def _charged(rows: list[Any]) -> dict[tuple[Any, ...], list[Any]]:
    """The charges of these revisions of records, which follow each other in the order of their key."""
    key = "source_id record_id revision"
    first, last = ((row.source_id, row.id, row.revision) for row in (rows[0], rows[-1]))
    bounds = {f"{end}{place}": value for end, row in (("a", first), ("z", last)) for place, value in enumerate(row)}
    where = f"({', '.join(key.split())}) >= (:a0, :a1, :a2) AND ({', '.join(key.split())}) <= (:z0, :z1, :z2)"
    query = sa.text(f"SELECT * FROM old_charge WHERE {where} ORDER BY {', '.join(key.split())}, line")
    charges: dict[tuple[Any, ...], list[Any]] = {}
    for charge in op.get_bind().execute(query, bounds):
        charges.setdefault((charge.source_id, charge.record_id, charge.revision), []).append(charge)
    return charges


def _write_entries(rows: list[Any], charged: dict[tuple[Any, ...], list[Any]]) -> None:
    templates: dict[tuple[int, int], dict[str, Any]] = {}
    lines: dict[tuple[int, int, int], dict[str, Any]] = {}
    entries = []
    for row in rows:
        charges = charged.get((row.source_id, row.id, row.revision), [])
        words = [getattr(row, name) for name in WORDS]
        said = [[getattr(charge, name) for name in LINE] for charge in charges]
        number = int.from_bytes(blake2b(msgspec.json.encode((words, said)), digest_size=8).digest(), "big", signed=True)
        key = {"source_id": row.source_id, "number": number}
        templates[row.source_id, number] = key | dict(zip(WORDS, words, strict=True))
        for place, line in enumerate(said):
            lines[row.source_id, number, place] = key | {"line": place} | dict(zip(LINE, line, strict=True))
        entries.append(_entry(row, number, [charge.quantity for charge in charges]))
    _add("template", ["source_id", "number", *WORDS], templates)
    _add("template_line", ["source_id", "number", "line", *LINE], lines)
    op.bulk_insert(_table("entry", ENTRY), entries)


def _entry(row: sa.Row[Any], number: int, quantities: list[int]) -> dict[str, Any]:
    runs = [[run.get(name) for name in RUN] for run in msgspec.json.decode(row.executions)]
    return {
        **{name: getattr(row, name) for name in ("source_id", "id", "revision", *SAME, *AFTER)},
        "template": number,
        "event_source_id": None if row.event_source_id == row.source_id else row.event_source_id,
        "event_id": None if row.event_id == row.id else row.event_id,
        "executions": msgspec.json.encode(runs).decode() if runs else None,
        "quantities": msgspec.json.encode(quantities).decode() if quantities else None,
    }


def _add(name: str, names: list[str], rows: dict[Any, dict[str, Any]]) -> None:
    """Rows of which some may be there already."""
    values = ", ".join(f":{column}" for column in names)
    statement = sa.text(
        f"INSERT INTO {name} ({', '.join(map(_quoted, names))}) VALUES ({values}) ON CONFLICT DO NOTHING"
    )
    if rows:
        op.get_bind().execute(statement, [rows[key] for key in sorted(rows)])


def _quoted(name: str) -> str:
    return f'"{name}"' if name == "key" else name


def _record_view() -> str:
    own = dict.fromkeys([*SAME, *AFTER, "source_id", "id", "revision"], "e") | dict.fromkeys(WORDS, "t")
    used = "(e.executions_count > 0)" if _is_sqlite() else "(e.executions_count > 0)::int::smallint"
    down = f"CASE WHEN e.occurred_us % {HOUR_US} < 0 THEN 1 ELSE 0 END"  # division rounds towards 0
    worked_out = {
        "event_source_id": "coalesce(e.event_source_id, e.source_id)",
        "event_id": "coalesce(e.event_id, e.id)",
        "hour_utc": f"e.occurred_us / {HOUR_US} - {down}",
        "executions": "coalesce(e.executions, '[]')",
        "code_execution_used": used,
        "labels": "l.labels",
    }
    columns = [
        f"{worked_out[name]} AS {name}" if name in worked_out else f"{own[name]}.{_quoted(name)}" for name in RECORD
    ]
    return (
        f"CREATE VIEW record AS SELECT {', '.join(columns)} FROM entry e "
        "LEFT JOIN template t ON t.source_id = e.source_id AND t.number = e.template "
        "LEFT JOIN label_set l ON l.source_id = e.source_id AND l.labels_hash = e.labels_hash"
    )


def _charge_view() -> str:
    quantity = "(e.quantities::jsonb ->> t.line::int)::bigint"
    if _is_sqlite():
        quantity = "json_extract(e.quantities, '$[' || t.line || ']')"
    return (
        f"CREATE VIEW charge AS SELECT e.source_id, e.id AS record_id, e.revision, t.line, t.meter, t.modality, "
        f"{quantity} AS quantity, t.unit_pico, {quantity} * t.unit_pico AS cost_pico, t.price_id "
        "FROM entry e JOIN template_line t ON t.source_id = e.source_id AND t.number = e.template"
    )


def downgrade() -> None:
    """Backwards. When an event was posted is known of those that made a revision; others get the time of the call."""
    _make("new_record", RECORD, "source_id id revision", rowid=True)
    for rows in _pages("record", ["source_id", "id", "revision"]):
        op.bulk_insert(_table("new_record", RECORD), [_old_record(row) for row in rows])
    _make("new_charge", CHARGE, "source_id record_id revision line")
    names = ", ".join(CHARGE)
    op.execute(f"INSERT INTO new_charge ({names}) SELECT {names} FROM charge")
    kept = "source_id id seq occurred_us posted_us body"
    _make("new_event", kept.split(), "source_id id", (), rowid=True)
    for rows in _pages("event", ["source_id", "id"]):
        op.bulk_insert(_table("new_event", kept.split()), list(_old_events(rows)))
    for view in ("record", "charge"):
        op.execute(f"DROP VIEW {view}")
    for name in ("event", "entry", "template_line", "template"):
        op.drop_table(name)
    _restore_names()


def _old_record(row: sa.Row[Any]) -> dict[str, Any]:
    runs = [dict(sorted(zip(RUN, run, strict=True))) for run in msgspec.json.decode(row.executions)]
    return {**row._asdict(), "executions": msgspec.json.encode(runs).decode()}


def _old_events(rows: list[Any]) -> Iterator[dict[str, Any]]:
    query = "SELECT event_source_id, event_id, min(posted_us) FROM record WHERE event_source_id = :source"
    query += " AND event_id >= :first AND event_id <= :last GROUP BY event_source_id, event_id"
    for source_id in sorted({row.source_id for row in rows}):
        mine = [row for row in rows if row.source_id == source_id]
        bounds = {"source": source_id, "first": mine[0].id, "last": mine[-1].id}
        posted = {row[1]: row[2] for row in op.get_bind().execute(sa.text(query), bounds)}
        for row in mine:
            body = inflated(bytes(row.body))
            occurred_us = msgspec.json.decode(body).get("occurred_us", 0)
            yield {
                **row._asdict(), "body": body, "occurred_us": occurred_us, "posted_us": posted.get(row.id, occurred_us)
            }  # fmt: skip


def _restore_names() -> None:
    for name in ("record", "charge", "event"):
        op.rename_table(f"new_{name}", name)
        if not _is_sqlite():
            op.execute(f"ALTER TABLE {name} RENAME CONSTRAINT new_{name}_pk TO {name}_pk")
    with op.batch_alter_table("event") as event:
        event.create_unique_constraint("event_seq_key", ["source_id", "seq"])
    op.create_index("record_by_time", "record", ["occurred_us", "id", "source_id"])
    op.create_index("record_by_conversation", "record", ["conversation"])

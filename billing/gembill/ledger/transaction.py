"""The rows one transaction adds: revisions, charges, label sets and what they change in the rollups.

Owns: how a record is opened, completed or corrected, and the order in which rows are written. Owns no transaction
and no retry. Invariant: two writers that change one record at once cannot both succeed (the revision is in its key);
all writers take their locks in the same order, table by table and key by key.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from gembill.errors import LedgerError
from gembill.ledger import mapping, rollup, schema, sql
from gembill.ledger.correction import Line, correction, line_of, net
from gembill.ledger.entries import LedgerRecord, RatedEvent, Reason, billed, stored
from gembill.model import Rating, Record
from gembill.rules.merging import amended, completed, is_fuller

RecordKey = tuple[int, str]
EventKey = tuple[int, str]


class Transaction:
    """What is known of the records of one batch, and the rows to be written for them."""

    def __init__(self, connection: Connection, now_us: int) -> None:
        self._connection = connection
        self._engine = connection.dialect.name
        self._now_us = now_us
        self._current: dict[RecordKey, LedgerRecord] = {}
        self._events: dict[RecordKey, EventKey] = {}
        self._nets: dict[RecordKey, dict[Line, int]] = {}
        self._differences = rollup.Differences()
        self._records: list[sql.Row] = []
        self._charges: list[sql.Row] = []
        self._labels: dict[tuple[int, bytes], str] = {}

    def load(self, keys: Collection[RecordKey]) -> None:
        """Read the current revisions of these records."""
        for source_id in sorted({source_id for source_id, _ in keys}):
            ids = sorted(record_id for source, record_id in keys if source == source_id)
            table = schema.record
            query = select(table).where(table.c.source_id == source_id, table.c.id.in_(ids)).order_by(table.c.revision)
            for row in self._connection.execute(query):
                key = (source_id, row.id)
                self._current[key] = mapping.revision(row)
                self._events[key] = (row.event_source_id, row.event_id)

    def post(self, source_id: int, posting: RatedEvent) -> None:
        """Open a record, or complete it if the answer is fuller than what is there."""
        key, event = (posting.record.source_id, posting.record.id), (source_id, posting.event_id)
        old = self._current.get(key)
        if old is None:
            self._revise(None, stored(posting.record, posting.rating, 0), posting.rating, Reason.POSTED, event)
        elif is_fuller(posting.record, old.record):
            record = completed(old.record, posting.record)
            rating = posting.rating if posting.rate is None else posting.rate(record)
            self._revise(old, stored(record, rating, old.revision + 1), rating, Reason.FULLER_ANSWER, event)
        elif (record := amended(old.record, posting.record)) != old.record:
            new = replace(old, record=record, revision=old.revision + 1)
            self._revise(old, new, None, Reason.FULLER_ANSWER, self._events[key])

    def correct(self, record: Record, rating: Rating, reason: Reason, seen: int | None = None) -> bool:
        """Replace what is known of a record; False if it says the same already, or has another revision than `seen`."""
        key = (record.source_id, record.id)
        old = self._current.get(key)
        if old is None:
            raise LedgerError(
                f"record {record.id} of source {record.source_id} is not in the ledger, so it cannot be corrected"
            )
        if seen is not None and seen != old.revision:
            return False
        new = stored(record, rating, old.revision)
        if new == old and self._net(key) == net((line_of(c), c.quantity) for c in billed(rating)):
            return False
        self._revise(old, stored(record, rating, old.revision + 1), rating, reason, self._events[key])
        return True

    def _revise(
        self, old: LedgerRecord | None, new: LedgerRecord, rating: Rating | None, reason: Reason, event: EventKey
    ) -> None:
        """Write a revision; without a rating its charges stay those of the one before."""
        record = new.record
        key = (record.source_id, record.id)
        if rating is not None:
            self._charge(key, old, new.revision, rating)
        if old is not None:
            self._differences.add(old, mapping.labels_hash(mapping.labels_text(old.record.labels)), -1)
        text = mapping.labels_text(record.labels)
        hashed = mapping.labels_hash(text)
        self._differences.add(new, hashed)
        self._labels[record.source_id, hashed] = text
        self._records.append(mapping.row(new, reason, event, self._now_us, self._id))
        self._current[key] = new
        self._events[key] = event

    def _charge(self, key: RecordKey, old: LedgerRecord | None, revision: int, rating: Rating) -> None:
        lines: Iterable[tuple[Line, int]] = [(line_of(c), c.quantity) for c in billed(rating)]
        wanted = net(lines)
        if old is not None:
            lines = correction(self._net(key), wanted)
        self._nets[key] = wanted
        record_id = self._id(key[1])
        for number, ((meter, modality, unit, price), quantity) in enumerate(lines):
            charged = (meter, modality, quantity, unit, quantity * unit, price)
            self._charges.append((key[0], record_id, revision, number, *charged))

    def _net(self, key: RecordKey) -> dict[Line, int]:
        if key not in self._nets:
            c = schema.charge.c
            query = select(c.meter, c.modality, c.unit_pico, c.price_id, c.quantity)
            found = self._connection.execute(query.where(c.source_id == key[0], c.record_id == key[1]))
            self._nets[key] = net(((row[0], row[1], row[2], row[3]), row[4]) for row in found)
        return self._nets[key]

    def _id(self, text: str) -> Any:  # noqa: ANN401
        return schema.driver_id(self._engine, text)

    def write(self) -> None:
        """Insert everything that was gathered."""
        labels = [(*key, text) for key, text in self._labels.items()]
        sql.insert(self._connection, schema.record, self._records)
        sql.insert(self._connection, schema.charge, self._charges)
        sql.insert(self._connection, schema.label_set, labels, sql.OnConflict.IGNORE)
        for table, rows in self._differences.rows():
            sql.insert(self._connection, table, rows, sql.OnConflict.ADD)

"""Revision 0008 on a ledger that has calls: what was in two wide tables is read from narrow ones, to the digit."""

from typing import Any

from alembic import command
from sqlalchemy import inspect, text

from gembill.ledger import (
    Ledger,
    Reason,
    Selection,
    audit_ledger,
    migration,
    read_charges_of,
    read_event_body,
    read_quality,
    read_records,
    read_totals,
    sum_charges,
)
from gembill.ledger import engine as engines
from gembill.model import ApiError, Outcome, Rating, Status, Tokens
from tests.gembill.ledger.making import HOUR, LOST, SPOOL, START, append, natural, posting, rated, record, runs, tokens
from tests.migrations.test_first_tables import config_for


def books(ledger: Ledger) -> Ledger:
    """Calls of every kind: priced, unpriced, refused, corrected, completed by a poll, with and without runs."""
    fault = ApiError(code=429, status="RESOURCE_EXHAUSTED")
    append(ledger, SPOOL, [posting(1), posting(2), posting(3, Rating(unpriced_reason="no price"), executions=())])
    append(
        ledger,
        SPOOL,
        [posting(4, Rating(), status=Status.ERROR, error=fault, executions=(), labels={}, tokens=Tokens())],
    )
    append(ledger, SPOOL, [posting(5, executions=runs(Outcome.FAILED, Outcome.OK), location="eu")])
    append(ledger, SPOOL + 1, [natural(1, **LOST)])
    append(ledger, SPOOL, [natural(6)])
    ledger.correct([(record(2), rated(tokens(), 7, "p2"))], reason=Reason.RERATE)
    return ledger


def said(ledger: Ledger) -> list[Any]:
    """All that the ledger says of its calls."""
    records = list(read_records(ledger, Selection()))
    bodies = [read_event_body(ledger, one) for one in records]
    sums = [read_totals(ledger, Selection(), ("model", "status", "label.team")), sum_charges(ledger, Selection())]
    return [records, bodies, read_charges_of(ledger, records), sums, read_quality(ledger, Selection())]


def test_an_earlier_ledger_says_the_same_after_the_upgrade(ledger: Ledger) -> None:
    before = said(books(ledger))
    with engines.writing(ledger.engine) as connection:
        command.downgrade(config_for(connection), "0007")
        assert "entry" not in inspect(connection).get_table_names()
        assert {"record", "charge", "event"} <= set(inspect(connection).get_table_names())
        assert inspect(connection).get_view_names() == []
    assert migration.upgrade(ledger.engine) == ("0007", migration.SCHEMA_REVISION)
    assert said(ledger) == before
    assert audit_ledger(ledger) == []
    assert append(ledger, SPOOL, [posting(1), posting(7)]) == 1


def test_the_earlier_tables_are_what_the_earlier_version_reads(ledger: Ledger) -> None:
    books(ledger)
    with engines.writing(ledger.engine) as connection:
        command.downgrade(config_for(connection), "0007")
        query = "SELECT executions, hour_utc, code_execution_used, labels FROM record WHERE executions_count = 2"
        first = tuple(connection.execute(text(query)).first() or ())
        charges = connection.execute(text("SELECT count(*), sum(cost_pico), max(line) FROM charge")).one()
        events = list(connection.execute(text("SELECT body, occurred_us FROM event WHERE seq = 5")))
        indexes = {index["name"] for index in inspect(connection).get_indexes("record")}
    assert first[0].startswith('[{"code_chars":12,"language":"PYTHON","outcome":"failed","part_id":null,')
    assert first[1:] == (START // HOUR, 1, '{"team":"search"}')
    assert (charges[0], int(charges[1]), charges[2]) == (18, 3 * 100_000_000 + 1400, 5)
    assert [(bytes(row.body), row.occurred_us) for row in events] == [(b'{"seq":5}', 0)]
    assert indexes == {"record_by_time", "record_by_conversation"}

"""Everything that may be read, from a ledger that cannot be written."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

import gembill.ledger
from gembill.ledger import (
    Ledger,
    Selection,
    open_ledger,
    read_charges,
    read_event_body,
    read_record,
    read_records,
    read_totals,
)
from tests.gembill.ledger.making import SPOOL, append, natural, number, posting


@pytest.fixture
def reader(ledger_url: str) -> Iterator[Ledger]:
    """Two calls in a ledger opened for reading."""
    writer = open_ledger(ledger_url)
    append(writer, SPOOL, [posting(1), natural(2)])
    writer.close()
    opened = open_ledger(ledger_url, read_only=True)
    yield opened
    opened.close()


def test_records_charges_and_events_are_read_without_writing(reader: Ledger) -> None:
    assert [stored.record.id for stored in read_records(reader, Selection())] == [number(9_000), number(1)]
    stored = read_record(reader, number(1))
    assert stored is not None
    assert [posted.charge for posted in read_charges(reader, stored)] == list(posting(1).rating.charges)
    assert read_event_body(reader, stored) == posting(1).body


def test_sums_of_either_rollup_and_of_cut_hours_are_read_without_writing(reader: Ledger) -> None:
    first = posting(1).record.occurred_us
    assert read_totals(reader, Selection())[0].calls == 2
    assert read_totals(reader, Selection(), ["label.team"])[0].calls == 2
    assert read_totals(reader, Selection(start_us=first, end_us=first + 1))[0].calls == 1


def test_each_name_at_the_door_leads_to_a_thing_of_its_module():
    for name in gembill.ledger.__all__:
        assert getattr(gembill.ledger, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'read_everything'"):
        gembill.ledger.read_everything  # noqa: B018


def test_a_name_at_the_door_is_imported_when_it_is_asked_for():
    code = "import sys, gembill.ledger; print('sqlalchemy' in sys.modules, gembill.ledger.Ledger.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "Ledger"]

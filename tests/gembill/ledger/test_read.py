"""Everything that may be read, from a ledger that cannot be written."""

from collections.abc import Iterator

import pytest

from gembill.ledger import Ledger, Selection, open_ledger, read
from tests.gembill.ledger.making import SPOOL, natural, number, posting


@pytest.fixture
def reader(ledger_url: str) -> Iterator[Ledger]:
    """Two calls in a ledger opened for reading."""
    writer = open_ledger(ledger_url)
    writer.append(SPOOL, [posting(1), natural(2)])
    writer.close()
    opened = open_ledger(ledger_url, read_only=True)
    yield opened
    opened.close()


def test_records_charges_and_events_are_read_without_writing(reader: Ledger) -> None:
    assert [stored.record.id for stored in read.records(reader, Selection())] == [number(9_000), number(1)]
    stored = read.record(reader, number(1))
    assert stored is not None
    assert [posted.charge for posted in read.charges(reader, stored)] == list(posting(1).rating.charges)
    assert read.event_body(reader, stored) == posting(1).body


def test_sums_of_either_rollup_and_of_cut_hours_are_read_without_writing(reader: Ledger) -> None:
    first = posting(1).record.occurred_us
    assert read.totals(reader, read.Selection())[0].calls == 2
    assert read.totals(reader, read.Selection(), ["label.team"])[0].calls == 2
    assert read.totals(reader, read.Selection(start_us=first, end_us=first + 1))[0].calls == 1

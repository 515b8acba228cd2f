"""The write-ahead log of a file stays short, also where a program reads and does not end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gembill import sqlite
from gembill.ledger import Selection, open_ledger, read_records, write_ahead
from gembill.ledger.errors import LedgerUnavailable
from gembill.posting import Poster
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import bundled
from gembill.rules.rating import DEFAULT
from gembill.spool import Spool
from tests.gembill.calls import answered

LONGEST = 200_000

pytestmark = pytest.mark.skipif(not sqlite.wal_is_safe(sqlite.version), reason="this SQLite has no such log here")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Any]:
    """A program that reads the ledger and has not ended."""
    open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}").close()
    connection = sqlite.driver.connect(tmp_path / "ledger.db", isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM source").fetchone()
    yield connection
    connection.close()


def test_a_reader_that_never_ends_delays_posting_and_the_log_stays_short(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(write_ahead, "LONGEST", LONGEST)
    url, log = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "ledger.db-wal"
    spool = Spool.claim(tmp_path / "spool")
    poster = Poster(lambda: open_ledger(url), lambda _: PricingTerms(bundled(), DEFAULT))
    with pytest.raises(LedgerUnavailable, match="reading the ledger for so long"):
        _post_many(poster, spool)
    assert LONGEST < log.stat().st_size < 3 * LONGEST
    waiting = spool.backlog().unposted
    assert waiting > 0
    with pytest.raises(LedgerUnavailable):
        poster.drain(spool)
    reader.execute("COMMIT")
    assert poster.drain(spool) == waiting
    assert log.stat().st_size <= LONGEST
    poster.close()
    ledger = open_ledger(url)
    assert len(list(read_records(ledger, Selection()))) == spool.posted
    ledger.close()
    spool.close()


def _post_many(poster: Poster, spool: Spool) -> None:
    for number in range(400):
        spool.append_wait(*answered(number))
        poster.drain(spool)


def test_a_long_log_that_nobody_reads_is_emptied(tmp_path, monkeypatch):
    monkeypatch.setattr(write_ahead, "LONGEST", 1_000)
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.keep_log_short()
    log = tmp_path / "ledger.db-wal"
    assert not log.exists() or log.stat().st_size == 0
    ledger.close()

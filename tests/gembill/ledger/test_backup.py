"""A backup is the ledger to the digit, on either engine, and a damaged one touches nothing."""

import gzip
import random
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from gembill.errors import ConfigurationError, LedgerError
from gembill.ledger import (
    Ledger,
    Reason,
    Selection,
    audit_ledger,
    back_up,
    checked,
    count_events,
    open_ledger,
    price_lists,
    put_back,
    read_charges,
    read_records,
    read_totals,
)
from gembill.ledger.price_lists import Origin
from tests.gembill.ledger.making import LOST, SPOOL, append, natural, posting, rated, record, tokens
from tests.gembill.pricing import price


@pytest.fixture
def books(ledger: Ledger) -> Ledger:
    """Calls, a correction, a poll, a dead letter and a price list."""
    append(ledger, SPOOL, [posting(1), posting(2, labels={"a": "ä€"}), natural(4, **LOST), natural(5)])
    ledger.correct([(record(2), rated(tokens(), 7, "p2"))], reason=Reason.RERATE)
    ledger.add_dead_letter(SPOOL, 3, "no uuid", b"\x00\xff", "unreadable")
    price_lists.add(ledger, Origin.SET, [price("0.40")])
    return ledger


def content(url: str) -> object:
    ledger = open_ledger(url)
    try:
        records = list(read_records(ledger, Selection()))
        charges = [list(read_charges(ledger, one)) for one in records]
        return records, charges, read_totals(ledger, Selection(), ("model", "label.a")), audit_ledger(ledger)
    finally:
        ledger.close()


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_what_is_restored_is_the_same_on_either_engine(
    books: Ledger, ledger_url: str, tmp_path: Path, target: str, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "backup.db.gz"
    made = back_up(ledger_url, path)
    assert (made.events, path.stat().st_mode & 0o777) == (4, 0o600)
    url = f"sqlite:///{tmp_path / 'new.db'}"
    if target == "postgresql":
        url = request.getfixturevalue("empty_postgres_url")
    with checked(path) as (found, file):
        assert found == made
        put_back(url, file)
    assert content(url) == content(ledger_url)
    assert [each.name for each in tmp_path.glob(".gembill-*")] == []


def test_a_ledger_that_has_other_calls_is_as_the_backup_again(books: Ledger, ledger_url: str, tmp_path: Path) -> None:
    expected = content(ledger_url)
    back_up(ledger_url, tmp_path / "backup.db.gz")
    append(books, SPOOL, [posting(n) for n in range(6, 300)])
    assert count_events(ledger_url) == 298
    with checked(tmp_path / "backup.db.gz") as (_, file):
        put_back(ledger_url, file)
    assert content(ledger_url) == expected
    append(books, SPOOL, [posting(6)])
    assert count_events(ledger_url) == 5, "who had it open goes on with what is there now"


def test_a_backup_beside_a_writer_is_one_state(books: Ledger, ledger_url: str, tmp_path: Path) -> None:
    ended = threading.Event()

    def write() -> None:
        for n in range(6, 300):
            if ended.is_set():
                return
            append(books, SPOOL, [posting(n)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        back_up(ledger_url, tmp_path / "backup.db.gz")
    finally:
        ended.set()
        writer.join()
    with checked(tmp_path / "backup.db.gz") as (_, file):
        ledger = open_ledger(f"sqlite:///{file}", read_only=True)
        assert audit_ledger(ledger) == []
        ledger.close()


def test_a_flipped_bit_or_a_cut_anywhere_is_noticed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url)
    append(ledger, SPOOL, [posting(n) for n in range(1, 40)])
    ledger.close()
    path = tmp_path / "backup.db.gz"
    back_up(url, path)
    whole, chance = path.read_bytes(), random.Random(7)
    data = gzip.decompress(whole)
    for _ in range(30):
        place = chance.randrange(10, len(whole))
        harmed = bytearray(whole)
        harmed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(harmed if chance.random() < 0.7 else whole[:place])
        with suppress(LedgerError), checked(path) as (_, file):
            assert file.read_bytes()[100:] == data[100:], "what passes is what was written"


@pytest.mark.parametrize("text", [b"", b"no database" * 500, gzip.compress(b"no database" * 500, mtime=0)])
def test_what_is_no_backup_is_said_to_be_none(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(text)
    with pytest.raises(LedgerError, match="is not a backup of a ledger"), checked(path):
        pass


def test_an_unpacked_backup_is_one_too_and_nothing_is_written_over(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url)
    append(ledger, SPOOL, [posting(1)])
    ledger.close()
    path = tmp_path / "deep" / "backup.db.gz"
    back_up(url, path)
    (tmp_path / "plain.db").write_bytes(gzip.decompress(path.read_bytes()))
    with checked(tmp_path / "plain.db") as (found, _):
        assert found.events == 1
    with pytest.raises(ConfigurationError, match="is there already"):
        back_up(url, path)


def test_a_ledger_that_is_not_there_has_no_events_to_lose(tmp_path: Path) -> None:
    assert count_events(f"sqlite:///{tmp_path / 'none.db'}") is None
    assert not (tmp_path / "none.db").exists()

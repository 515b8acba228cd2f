import os
import stat
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Table, func, select
from sqlalchemy.exc import IntegrityError

from gembill import posting as entering
from gembill.errors import LedgerError
from gembill.ledger import (
    InvalidPosting,
    Ledger,
    LedgerUnavailable,
    Selection,
    audit_ledger,
    open_ledger,
    read_charges,
    read_event_body,
    read_record,
    read_records,
    read_totals,
    schema,
    store,
)
from gembill.ledger.transaction import Transaction
from gembill.model import CostParts, Rating, Record
from tests.gembill.ledger.making import (
    NATURAL,
    SPOOL,
    UNIT,
    append,
    natural,
    number,
    posting,
    tokens,
)


def count(ledger: Ledger, table: Table) -> int:
    with ledger.engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def test_appending_twice_is_appending_once(ledger: Ledger) -> None:
    batch = [posting(1), posting(2)]
    assert append(ledger, SPOOL, batch) == 2
    assert append(ledger, SPOOL, [*batch, posting(3), posting(3)]) == 1
    assert (count(ledger, schema.event), count(ledger, schema.record)) == (3, 3)
    assert read_totals(ledger, Selection())[0].calls == 3
    assert audit_ledger(ledger) == []


def test_what_was_appended_is_read_back(ledger: Ledger) -> None:
    item = posting(1, labels={"team": "ünï", "b": '"q"'}, flags=("incomplete",), anomalies=("total_mismatch",))
    append(ledger, SPOOL, [item])
    stored = read_record(ledger, number(1))
    assert stored is not None
    assert stored.record == item.record
    assert stored.cost_pico == (100 + 40 + 60) * UNIT
    assert stored.cost_parts == CostParts(input=100 * UNIT, intermediate=40 * UNIT, output=60 * UNIT, grounding=0)
    assert [posted.charge for posted in read_charges(ledger, stored)] == list(item.rating.charges)
    assert read_event_body(ledger, stored) == item.body


def test_a_cloned_spool_is_named(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1)])
    with pytest.raises(LedgerError, match=r"place 1 of spool 77 .* cloned or restored"):
        append(ledger, SPOOL, [replace(posting(1, id=number(5)), event_id=number(5))])
    assert count(ledger, schema.event) == 1


def test_a_spool_with_two_events_at_one_place_is_named(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="two events at place 1"):
        append(ledger, SPOOL, [posting(1), replace(posting(1, id=number(5)), event_id=number(5))])
    assert count(ledger, schema.event) == 0


def test_one_posting_that_cannot_be_kept_refuses_the_whole_batch(ledger: Ledger) -> None:
    with pytest.raises(InvalidPosting):
        append(ledger, SPOOL, [posting(1), posting(2, model="a\0b")])
    assert count(ledger, schema.event) == 0


def test_what_is_buried_is_kept_once_whatever_it_holds(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.add_dead_letter(SPOOL, 1, "any\0id", b"\x00\xff", "bad \ud800 " + "x" * 5000)
    with ledger.engine.connect() as connection:
        (row,) = connection.execute(select(schema.dead_letter))
    assert (row.seq, bytes(row.body), len(row.reason)) == (1, b"\x00\xff", 1000)


def test_proxies_that_meet_on_the_same_calls_lose_and_double_nothing(ledger_url: str) -> None:
    failures: list[BaseException] = []

    def work(source: int) -> None:
        ledger = open_ledger(ledger_url)
        try:
            for start in range(0, 60, 10):
                polls = [
                    replace(
                        natural(seq, id=number(9_000 + seq % 20), tokens=tokens(seq, source, 1)), event_id=number(seq)
                    )
                    for seq in range(start + 1, start + 11)
                ]
                append(ledger, source, polls)
        except BaseException as error:
            failures.append(error)
        finally:
            ledger.close()

    threads = [threading.Thread(target=work, args=(source,)) for source in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = open_ledger(ledger_url)
    assert failures == []
    assert audit_ledger(ledger) == []
    assert read_totals(ledger, Selection())[0].calls == 20
    assert {stored.record.source_id for stored in read_records(ledger, Selection())} == {NATURAL}
    assert sum(s.record.tokens.input or 0 for s in read_records(ledger, Selection())) == sum(range(41, 61))
    ledger.close()


def test_a_rule_that_fails_within_a_batch_leaves_nothing_of_it(ledger: Ledger) -> None:
    def broken(_record: Record) -> Rating:
        raise ZeroDivisionError

    append(ledger, SPOOL, [natural(1, tokens=tokens(1, 1, 1))])
    with pytest.raises(ZeroDivisionError):
        entering.append(ledger, SPOOL, [posting(2), natural(3)], broken)
    assert (count(ledger, schema.event), count(ledger, schema.record)) == (1, 1)


def test_an_overtaken_attempt_is_made_again_from_what_is_there_by_then(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(ledger, SPOOL, [natural(1, tokens=tokens(1, 1, 1))])
    seen: list[int] = []
    write = Transaction.write

    def overtaken_once(work: Transaction) -> None:
        if len(seen) == 1:
            raise IntegrityError(None, None, Exception("UNIQUE constraint failed: record"))
        write(work)

    monkeypatch.setattr(Transaction, "write", overtaken_once)
    for attempt in ledger.attempts("post"):
        with attempt as work:
            (new,) = work.receive(SPOOL, [natural(2)])
            current = work.current(new.record)
            assert current is not None
            seen.append(current.revision)
            work.complete(SPOOL, new, new.record, new.rating)
    assert seen == [0, 0]
    assert [one.revision for one in read_records(ledger, Selection())] == [1]
    assert audit_ledger(ledger) == []


def test_a_writer_that_is_overtaken_every_time_has_to_try_later(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(_work: Transaction) -> None:
        raise IntegrityError(None, None, Exception("UNIQUE constraint failed: record"))

    monkeypatch.setattr(Transaction, "write", overtaken)
    monkeypatch.setattr(store.time, "sleep", lambda _seconds: None)
    with pytest.raises(LedgerUnavailable, match="cannot post now: others were quicker with the same rows 20 times"):
        append(ledger, SPOOL, [posting(1)])
    assert count(ledger, schema.event) == 0


@pytest.mark.parametrize("place", ["open/ledger.db", "open/made/ledger.db"])
def test_a_new_ledger_is_for_its_owner_alone_in_any_folder(place: str, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    before = os.umask(0)
    try:
        ledger = open_ledger(f"sqlite:///{tmp_path / place}")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / place).parent.glob("ledger.db*")}
        ledger.close()
    finally:
        os.umask(before)
    assert len(modes) > 1  # the log of SQLite too
    assert set(modes.values()) == {0o600}, modes
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o755
    if "made" in place:
        assert stat.S_IMODE((tmp_path / place).parent.stat().st_mode) == 0o700


def test_a_new_file_is_closed_before_another_thread_opens_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    close = os.close
    monkeypatch.setattr(store.os, "close", lambda handle: (held.append(store._MAKING.locked()), close(handle)))
    store._make_private(tmp_path / "ledger.db")
    store._make_private(tmp_path / "ledger.db")  # it is there
    assert held == [True]
    assert not store._MAKING.locked()


def test_a_ledger_that_is_shared_on_purpose_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    open_ledger(f"sqlite:///{file}").close()
    file.chmod(0o660)
    open_ledger(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o660


def test_a_ledger_knows_when_its_file_is_gone_from_its_place(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    ledger = open_ledger(f"sqlite:///{file}")
    assert not ledger.is_replaced()
    file.rename(tmp_path / "moved.db")
    assert ledger.is_replaced()
    file.touch()
    assert ledger.is_replaced(), "another file"
    file.unlink()
    (tmp_path / "moved.db").rename(file)
    assert not ledger.is_replaced()
    log = tmp_path / "ledger.db-wal"
    log.rename(tmp_path / "moved-wal")
    assert ledger.is_replaced(), "its log is gone"
    (tmp_path / "moved-wal").rename(log)
    assert not ledger.is_replaced()
    ledger.close()


def test_a_server_is_never_replaced(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    ledger.remember(None)
    assert not ledger.is_replaced()
    ledger.close()


def test_an_address_is_shown_as_it_would_be_typed(tmp_path: Path) -> None:
    (tmp_path / "Büro 5%25?.db").write_bytes(b"no database" * 100)
    url = f"sqlite:///{tmp_path}/Büro 5%2525%3F.db"
    with pytest.raises(LedgerError) as caught:
        open_ledger(url)
    assert f"be opened at {url}:" in str(caught.value)

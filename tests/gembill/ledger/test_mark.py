"""The mark of a ledger: another one after each thing that is written, the same as long as nothing is."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gembill.ledger import Ledger, file_state, open_ledger, read_mark
from tests.gembill_reports.making import PRO, call, put


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


def test_a_mark_changes_with_what_is_written_and_only_then(ledger: Ledger) -> None:
    seen = [read_mark(ledger)]
    put(ledger, call("2026-11-02T10:00:00+00:00", (10, 20, 30)))
    seen.append(read_mark(ledger))
    assert read_mark(ledger) == seen[-1]
    put(ledger, call("2026-11-02T10:00:00+00:00", (10, 20, 30), PRO))
    seen.append(read_mark(ledger))
    ledger.announce(77, "demo")
    seen.append(read_mark(ledger))
    assert len(set(seen)) == 4
    assert all(one.isalnum() and len(one) <= 40 for one in seen)


def test_a_file_is_at_another_state_once_it_was_written_to(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    assert file_state(file) == (0, 0, 0, 0, b"")
    opened = open_ledger(f"sqlite:///{file}")
    before = file_state(file)
    read_mark(opened)
    assert file_state(file) == before
    put(opened, call("2026-11-02T10:00:00+00:00", (10, 20, 30)))
    assert file_state(file) != before
    opened.close()


def test_what_is_readable_only_after_its_bytes_were_in_the_log_is_a_change_of_its_own(tmp_path: Path) -> None:
    """A log is synced between the two, which takes long on a busy disk: whoever looked then must look again."""
    file, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    opened = open_ledger(f"sqlite:///{file}")
    put(opened, call("2026-11-02T10:00:00+00:00", (10, 20, 30)))
    index, of_copy = (one.with_name(f"{one.name}-shm") for one in (file, copy))
    of_copy.write_bytes(index.read_bytes())
    put(opened, call("2026-11-03T10:00:00+00:00", (10, 20, 30)))
    for part in ("", "-wal"):
        shutil.copy(f"{file}{part}", f"{copy}{part}")
    written = file_state(copy)
    of_copy.write_bytes(index.read_bytes())
    assert file_state(copy) != written
    opened.close()

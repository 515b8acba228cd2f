"""The mark of a ledger: another one after each thing that is written, the same as long as nothing is."""

import os
import time
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
    assert file_state(file) == (0, 0, 0, 0, 0)
    opened = open_ledger(f"sqlite:///{file}")
    written_before(file, 3_600)
    before = file_state(file)
    read_mark(opened)
    assert file_state(file) == before
    put(opened, call("2026-11-02T10:00:00+00:00", (10, 20, 30)))
    written_before(file, 1_800)
    assert file_state(file) != before
    opened.close()


def test_a_file_that_was_written_to_just_now_is_looked_at_again(tmp_path: Path) -> None:
    """Its log is synced before anyone can read what was written: whoever looked meanwhile saw the old mark."""
    file = tmp_path / "ledger.db"
    opened = open_ledger(f"sqlite:///{file}")
    put(opened, call("2026-11-02T10:00:00+00:00", (10, 20, 30)))
    written_before(file, 5)
    assert file_state(file) != file_state(file)
    written_before(file, 300)
    assert file_state(file) == file_state(file)
    opened.close()


def written_before(file: Path, seconds: int) -> None:
    """Make the file and its log so old."""
    for one in (file, file.with_name(f"{file.name}-wal")):
        os.utime(one, (time.time() - seconds,) * 2)

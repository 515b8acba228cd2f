"""The posting process by itself: what it does at its parent's death, and what it makes at the start."""

import subprocess
import sys

import pytest

from gembill.config import Settings
from gembill.errors import LedgerError
from gembill.ledger import Ledger, Selection, open_ledger, read_records
from gembill.posting import Poster
from gembill.posting_process import Pipes, begin_ledger
from gembill.posting_words import Report, Spools, Start, line, read
from gembill.spool import Spool
from tests.gembill.calls import answered


def test_when_its_parent_dies_it_posts_what_was_written_and_not_told_and_ends(ledger_url, tmp_path):
    spool = Spool.claim(tmp_path / "spool")
    spool.append_wait(*answered(1))
    child = subprocess.Popen(
        [sys.executable, "-m", "gembill.posting_process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdin.write(line(Start(Settings(data_dir=tmp_path, database_url=ledger_url), None)))
    child.stdin.flush()
    assert read(Report, child.stdout.readline()).ready
    child.stdin.write(line(Spools(str(spool.path), spool.last, {})))
    child.stdin.flush()
    while not read(Report, child.stdout.readline()).asks:
        pass
    spool.append_wait(*answered(2))
    spool.close()  # as a death closes its files
    child.stdin.close()
    assert child.wait(30) == 0
    child.stdout.close()
    ledger = open_ledger(ledger_url)
    assert len(list(read_records(ledger, Selection()))) == 2
    ledger.close()


def test_without_a_word_from_its_parent_it_ends(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "gembill.posting_process"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_a_library_prints_is_no_message(tmp_path):
    code = "import gembill.posting_process as p; p.begin_ledger = lambda settings: print('noise'); p.main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=line(Start(Settings(data_dir=tmp_path), None)),
        capture_output=True,
        check=True,
    )
    assert read(Report, done.stdout).ready
    assert done.stderr == b"noise\n"


def test_lines_are_told_apart_however_they_come(tmp_path):
    hears, says = (tmp_path / name for name in ("hears", "says"))
    hears.write_bytes(b"one\ntwo\nrest")
    with hears.open("rb") as one, says.open("wb") as other:
        pipes = Pipes(one.fileno(), other.fileno())
        assert [pipes.next_line(), pipes.next_line(), pipes.ended] == [b"one", b"two", False]
        assert [pipes.next_line(), pipes.next_line(), pipes.ended] == [None, None, True]
        pipes.say(Report(ready=True))
    assert read(Report, says.read_bytes()).ready


def test_a_ledger_in_a_file_is_made_at_the_start(tmp_path):
    settings = Settings(data_dir=tmp_path)
    begin_ledger(settings)
    open_ledger(settings.ledger_url, read_only=True).close()


def test_a_ledger_that_cannot_be_made_does_not_keep_the_proxy_from_starting(tmp_path):
    (tmp_path / "file").touch()
    begin_ledger(Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'file' / 'ledger.db'}"))


def test_a_ledger_that_is_away_at_the_start_is_asked_for_its_dead_letters_later(tmp_path):
    answers = iter([LedgerError("away"), None])

    def opened() -> Ledger:
        if (error := next(answers)) is not None:
            raise error
        return open_ledger(f"sqlite:///{tmp_path}/ledger.db")

    poster = Poster(opened, lambda _: pytest.fail("nothing is posted"))
    poster.look()
    assert poster.progress.dead_letters is None
    poster.look()
    assert poster.progress.dead_letters == 0
    poster.close()

"""Posting in a thread of this process."""

from gembill.config import Settings
from gembill.ledger import Selection, open_ledger, read_records
from gembill.posting_thread import PostingThread
from gembill.spool import Spool
from tests.gembill.calls import answered


def test_the_thread_posts_what_comes_and_what_dead_processes_left(ledger_url, tmp_path):
    spool, dead = Spool.claim(tmp_path / "spool"), Spool.claim(tmp_path / "spool")
    for number, each in enumerate((spool, dead), 1):
        each.append_wait(*answered(number))
    posting = PostingThread(Settings(data_dir=tmp_path, database_url=ledger_url))
    posting.begin(spool, [dead])
    spool.append_wait(*answered(3))
    posting.end(timeout=60)
    assert posting.progress.posted == 3
    assert (spool.posted, spool.backlog().unposted) == (2, 0)
    ledger = open_ledger(ledger_url)
    assert sorted(int(s.record.id[-1]) for s in read_records(ledger, Selection())) == [1, 2, 3]
    ledger.close()
    spool.close()


def test_a_thread_that_never_began_ends(tmp_path):
    PostingThread(Settings(data_dir=tmp_path)).end(timeout=1)

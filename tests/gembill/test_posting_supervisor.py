"""The posting process seen from its parent: real children on real spools."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gembill.config import Settings
from gembill.errors import ConfigurationError, GembillError
from gembill.ledger import Selection, open_ledger, read_records
from gembill.posting_supervisor import PostingSupervisor
from gembill.spool import Spool
from tests.gembill.calls import answered
from tests.gembill.spool.harm import flip


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.01)


def recorded(url: str) -> list[int]:
    ledger = open_ledger(url)
    numbers = sorted(int(stored.record.id[-4:], 16) for stored in read_records(ledger, Selection()))
    ledger.close()
    return numbers


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.claim(tmp_path / "spool")
    yield spool
    spool.close()


def supervised(url: str, folder: Path, **settings: object) -> PostingSupervisor:
    posting = PostingSupervisor(Settings(data_dir=folder, database_url=url, **settings))
    posting.ready()
    return posting


def test_it_posts_what_comes_and_what_dead_processes_left_and_counts(spool, ledger_url, tmp_path):
    dead = Spool.claim(tmp_path / "spool")
    dead.append_wait(*answered(50))
    dead.append_wait("broken", b"no event")
    spool.append_wait(*answered(1))
    posting = supervised(ledger_url, tmp_path)
    posting.begin(spool, [dead])
    wait_for(lambda: dead.trouble() == "the spool is closed")  # posted, and let go
    for number in range(2, 30):
        spool.append_wait(*answered(number))
    wait_for(lambda: spool.posted == spool.last == 29)
    assert spool.backlog().unposted == 0
    spool.append_wait(*answered(30))
    posting.end(timeout=60)
    assert (spool.posted, posting.progress.posted, posting.progress.buried) == (30, 31, 1)
    assert posting.progress.dead_letters == 1
    assert recorded(ledger_url) == [*range(1, 31), 50]


def test_spools_that_are_found_later_are_posted_too_also_by_a_child_that_is_started_again(spool, ledger_url, tmp_path):
    posting = supervised(ledger_url, tmp_path)
    posting.begin(spool, [])
    first, second = Spool.claim(tmp_path / "spool"), Spool.claim(tmp_path / "spool")
    first.append_wait(*answered(50))
    posting.adopt([first])
    wait_for(lambda: first.trouble() == "the spool is closed")
    second.append_wait(*answered(60))
    os.kill(child := posting.pid, signal.SIGKILL)
    posting.adopt([second])
    wait_for(lambda: posting.pid != child)
    wait_for(lambda: second.trouble() == "the spool is closed")
    posting.end(timeout=60)
    assert recorded(ledger_url) == [50, 60]


def test_a_child_that_is_killed_is_started_again_loudly_and_nothing_is_lost_or_doubled(
    spool, ledger_url, tmp_path, caplog
):
    posting = supervised(ledger_url, tmp_path)
    posting.begin(spool, [])
    for first in (1, 41, 81):
        for number in range(first, first + 40):
            spool.append_wait(*answered(number))
        wait_for(lambda first=first: spool.posted >= first)
        child = posting.pid
        os.kill(child, signal.SIGKILL)
        wait_for(lambda child=child: posting.pid != child)
    wait_for(lambda: spool.posted == spool.last == 120)
    posting.end(timeout=60)
    assert recorded(ledger_url) == list(range(1, 121))
    assert sum(posting.progress.usage.counts["requests_total"].values()) == posting.progress.posted
    assert caplog.text.count("the posting process ended with exit code -9") == 3
    assert posting.progress.restarts == 3
    assert "exit code -9" in posting.progress.last_error


def test_signals_for_the_whole_group_leave_posting_to_finish(spool, ledger_url, tmp_path):
    posting = supervised(ledger_url, tmp_path)
    posting.begin(spool, [])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(posting.pid, number)
    spool.append_wait(*answered(1))
    posting.end(timeout=60)
    assert recorded(ledger_url) == [1]


def test_the_password_is_neither_an_argument_nor_a_variable(tmp_path, monkeypatch):
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    monkeypatch.setenv("GEMBILL_DATABASE_URL", "postgresql://me:canary@127.0.0.1:1/none")
    posting = supervised("postgresql://me:canary@127.0.0.1:1/none", tmp_path)
    for file in ("cmdline", "environ"):
        assert b"canary" not in Path(f"/proc/{posting.pid}/{file}").read_bytes()
    posting.end(timeout=60)


@pytest.mark.parametrize(
    ("settings", "kind", "says"),
    [
        ({"prices": Path("/none/prices.toml")}, GembillError, "prices.toml"),
        ({"webhook_url": "http://127.0.0.1:9/"}, ConfigurationError, "webhook_secret"),
    ],
)
def test_what_the_child_cannot_obey_is_said_in_its_words(tmp_path, settings, kind, says):
    posting = PostingSupervisor(Settings(data_dir=tmp_path, **settings))
    with pytest.raises(kind, match=says):
        posting.ready()
    posting.end(timeout=60)


def test_a_child_that_dies_while_it_begins_is_one_clear_sentence(tmp_path):
    posting = PostingSupervisor(Settings(data_dir=tmp_path))
    os.kill(posting.pid, signal.SIGKILL)
    with pytest.raises(GembillError, match="did not begin; the log says why"):
        posting.ready()
    posting.end(timeout=60)


def test_a_ledger_that_is_away_is_known_and_everything_stays(spool, tmp_path):
    spool.append_wait(*answered(1))
    posting = supervised("postgresql://nobody@127.0.0.1:1/none", tmp_path)
    posting.begin(spool, [])
    wait_for(lambda: posting.progress.ledger_away)
    assert "ledger" in posting.progress.last_error
    posting.end(timeout=60)
    assert spool.posted == 0


def test_damage_that_the_child_finds_is_known_here(spool, ledger_url, tmp_path):
    for number in range(1, 4):
        spool.append_wait(*answered(number))
    segment = next(path for path in spool.path.glob("*.seg") if path.stat().st_size)
    flip(segment, b"gemini")
    posting = supervised(ledger_url, tmp_path)
    posting.begin(spool, [])
    wait_for(lambda: posting.progress.damage)
    posting.end(timeout=60)
    assert all(damage.reason for damage in posting.progress.damage)


def test_a_commit_costs_no_message_unless_the_child_asked(spool, ledger_url, tmp_path, monkeypatch):
    posting = supervised(ledger_url, tmp_path)
    posting.begin(spool, [])
    wait_for(lambda: posting._asked)
    os.kill(posting.pid, signal.SIGSTOP)
    said: list[object] = []
    say = posting._say
    monkeypatch.setattr(posting, "_say", lambda message: said.append(message) or say(message))
    for number in range(1, 51):
        spool.append_wait(*answered(number))
    assert len(said) == 1
    os.kill(posting.pid, signal.SIGCONT)
    wait_for(lambda: spool.posted == 50)
    posting.end(timeout=60)
    assert recorded(ledger_url) == list(range(1, 51))

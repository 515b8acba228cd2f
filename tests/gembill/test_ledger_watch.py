"""A ledger that is not the one that was posted to is noticed, by what it lacks and by its file."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gembill.ledger import Ledger, Selection, audit_ledger, open_ledger, read_records
from gembill.ledger_watch import COUNT_S, LACKING, LOOK_S, LedgerWatch
from gembill.posting import Poster
from gembill.spool import Spool
from gembill.spool_replay import replay_spools
from tests.gembill.calls import answered
from tests.gembill.test_spool_replay import LIST, quiet


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A spool of five calls."""
    spool = Spool.claim(tmp_path / "spool")
    for n in range(1, 6):
        spool.append_wait(*answered(n))
    yield spool
    spool.close()


def poster_of(url: str) -> Poster:
    return Poster(lambda: open_ledger(url), lambda _: LIST)


def count(url: str) -> int:
    ledger = open_ledger(url)
    try:
        assert audit_ledger(ledger) == []
        return len(list(read_records(ledger, Selection())))
    finally:
        ledger.close()


def test_a_ledger_that_lacks_what_was_posted_is_named_until_it_has_it(
    spool: Spool, ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    times = iter(range(0, 1000, 10))
    watch = LedgerWatch(lambda: next(times))
    watch.look(ledger, spool)
    assert watch.trouble is None, "nothing was posted"
    spool.mark_posted(3)
    watch.look(ledger, spool)
    assert watch.trouble == LACKING
    assert "place 3 of the spool" in caplog.text
    spool.mark_posted(5)
    watch.look(ledger, spool)
    assert caplog.text.count("lacks calls") == 1, "it is said once"
    spool.close()
    replay_spools(ledger, tmp_path / "spool", LIST, quiet)
    watch.look(ledger, spool)
    assert watch.trouble is None
    assert "has again" in caplog.text


def test_looks_at_one_spool_are_apart(spool: Spool, ledger: Ledger) -> None:
    now = 0.0
    watch = LedgerWatch(lambda: now)
    assert watch.is_due(spool.source_id)
    watch.look(ledger, spool)
    assert not watch.is_due(spool.source_id)
    assert watch.is_due(spool.source_id + 1)
    watch.forget()
    assert watch.is_due(spool.source_id)
    watch.look(ledger, spool)
    now = LOOK_S
    assert watch.is_due(spool.source_id)


def test_a_place_that_no_ledger_ever_had_is_not_missed(spool: Spool, ledger: Ledger) -> None:
    spool.mark_posted(90)  # as after damage at the end
    watch = LedgerWatch()
    watch.look(ledger, spool)
    assert watch.trouble is None


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_file_that_was_removed_or_replaced_is_noticed_and_filled_again(
    spool: Spool, tmp_path: Path, replaced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "ledger.db"
    url = f"sqlite:///{file}"
    poster = poster_of(url)
    assert poster.drain(spool) == 5
    assert poster.progress.lacking is None
    for end in ("", "-wal", "-shm"):
        (tmp_path / f"ledger.db{end}").unlink(missing_ok=True)
    if replaced:
        open_ledger(f"sqlite:///{tmp_path / 'other.db'}").close()
        os.replace(tmp_path / "other.db", file)
    spool.append_wait(*answered(6))
    assert poster.drain(spool) == 1
    assert "the file of the ledger was removed or replaced" in caplog.text
    poster._watch.forget()
    poster.drain(spool)
    assert poster.progress.lacking == LACKING
    poster.progress.recover()
    assert (poster.progress.last_error, poster.progress.last_error_us is None) == (LACKING, False)
    ledger = open_ledger(url)
    (result,) = replay_spools(ledger, tmp_path / "spool", LIST, quiet)
    assert (result.events, result.added) == (6, 5)
    ledger.close()
    assert count(url) == 6
    poster._watch.forget()
    poster.drain(spool)
    poster.progress.recover()
    assert (poster.progress.lacking, poster.progress.last_error) == (None, None)
    poster.close()


def test_what_went_to_a_file_that_was_removed_meanwhile_is_posted_again(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    poster = poster_of(url)
    kept = poster._append

    def append(*arguments: object) -> int:
        new = kept(*arguments)  # type: ignore[arg-type]
        for end in ("", "-wal", "-shm"):
            (tmp_path / f"ledger.db{end}").unlink(missing_ok=True)
        monkeypatch.undo()
        return new

    monkeypatch.setattr(poster, "_append", append)
    with pytest.raises(Exception, match="posted again"):
        poster.drain(spool)
    assert spool.posted == 0
    assert poster.drain(spool) == 5
    poster.close()
    assert count(url) == 5


def test_gaps_are_counted_at_once_and_then_now_and_then(spool: Spool, ledger: Ledger) -> None:
    now = 0.0
    watch = LedgerWatch(lambda: now)
    assert watch.gaps is None
    for seq in (2, 3, 5):
        ledger.add_dead_letter(spool.source_id, seq, str(seq), b"", "in the place of an event")
    assert watch.look(ledger, spool)
    assert watch.gaps == 2
    ledger.add_dead_letter(spool.source_id, 4, "4", b"", "in the place of an event")
    now = COUNT_S - 1
    assert not watch.look(ledger, spool)
    assert watch.gaps == 2
    now = COUNT_S
    watch.look(ledger, spool)
    assert watch.gaps == 1
    ledger.add_dead_letter(spool.source_id, 1, "1", b"", "in the place of an event")
    watch.forget()
    watch.look(ledger, spool)
    assert watch.gaps == 0, "at once in another ledger"


def test_gaps_of_a_spool_that_nobody_posts_are_counted_too(spool: Spool, ledger: Ledger) -> None:
    ledger.add_dead_letter(spool.source_id + 1, 4, "4", b"", "in the place of an event")
    watch = LedgerWatch()
    watch.look(ledger, spool)
    assert watch.gaps == 3

"""How posting fares: counts, the last error, and the pauses between tries."""

from gembill.posting_progress import PostingProgress, next_pause


def test_pauses_double_from_a_quarter_of_a_second_to_half_a_minute_and_no_longer():
    pauses, pause = [], 0.0
    for _ in range(10):
        pause = next_pause(pause)
        pauses.append(pause)
    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert [next_pause(pause, 3.0) for pause in (0.0, 1.0, 2.0, 3.0)] == [0.25, 2, 3, 3], "or as long as is said"


def test_a_failure_is_remembered_with_its_time_and_an_error_alone_does_not_blame_the_ledger():
    progress = PostingProgress()
    progress.note("something")
    assert (progress.last_error, progress.ledger_away) == ("something", False)
    progress.fail("the ledger is away")
    assert (progress.last_error, progress.ledger_away) == ("the ledger is away", True)
    assert progress.last_error_us is not None


def test_a_spool_that_is_set_aside_is_shown_with_its_newest_reason_since_its_first_failure(monkeypatch):
    progress = PostingProgress()
    clock = iter((1_793_700_000_000_000, 1_793_700_009_000_000))
    monkeypatch.setattr("gembill.posting_progress._now_us", lambda: next(clock))
    progress.set_aside("/b", "cloned")
    progress.set_aside("/b", "damaged")
    assert progress.shown_stuck() == [{"spool": "/b", "reason": "damaged", "since": "2026-11-03T10:00:00.000000Z"}]
    progress.resume("/a")
    assert "/b" in progress.stuck
    progress.resume("/b")
    assert progress.shown_stuck() == []


def test_an_error_is_gone_when_all_is_posted():
    progress = PostingProgress()
    progress.fail("the ledger is away")
    progress.recover()
    assert (progress.last_error, progress.last_error_us, progress.ledger_away) == (None, None, False)

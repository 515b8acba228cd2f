"""How far long work is, and how seldom that is said."""

from io import StringIO

import pytest

from gembill.cli.progress import Progress, progress_text


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("done", "total", "seconds", "says"),
    [
        (12_000, 50_000, 4.0, "12,000 of 50,000 calls (24%), 3,000 a second, about 13 s left"),
        (50_000, 50_000, 4.0, "50,000 of 50,000 calls (100%), 12,500 a second, about 0 s left"),
        (3, 1_000, 2.0, "3 of 1,000 calls (0%), 1.5 a second, about 11 min left"),
        (1, 100_000, 1.0, "1 of 100,000 calls (0%), 1.0 a second, about 27 h 46 min left"),
        (0, 10, 2.0, "0 of 10 calls (0%), 0.0 a second"),
        (0, 0, 0.0, "0 of 0 calls (0%), 0.0 a second"),
        (12, None, 2.0, "12 calls, 6.0 a second"),
        (12, 10, 2.0, "12 calls, 6.0 a second"),  # others wrote meanwhile
    ],
)
def test_it_is_said_how_much_how_fast_and_how_long(done: int, total: int | None, seconds: float, says: str) -> None:
    assert progress_text("calls", done, total, seconds) == says


def test_a_log_gets_a_line_now_and_then() -> None:
    clock, log = Clock(), StringIO()
    with Progress("calls", 100, stream=log, clock=clock) as progress:
        for second in range(25):
            clock.now = 100.0 + second
            progress.reach(second, "2 changed")
    lines = log.getvalue().splitlines()
    assert lines[0] == "gembill: 10 of 100 calls (10%), 1.0 a second, about 90 s left; 2 changed"
    assert len(lines) == 2


def test_a_terminal_has_one_line_that_goes_at_the_end() -> None:
    clock, screen = Clock(), Terminal()
    with Progress("calls", 100, stream=screen, clock=clock) as progress:
        for step in range(5):
            clock.now = 100.0 + step
            progress.reach(step)
    assert "\n" not in screen.getvalue()
    assert screen.getvalue().endswith(" \r")


def test_quick_work_says_nothing() -> None:
    clock, screen = Clock(), Terminal()
    with Progress("calls", 100, stream=screen, clock=clock) as progress:
        progress.reach(100)
    assert screen.getvalue() == ""

"""A clock that is moved is noticed; one that drifts, or a machine that slept, is not."""

import pytest

from gembill.clock import ClockWatch


class Clocks:
    """A wall clock that can be set and a steady one, in seconds."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000
        self.steady = 50

    def watch(self) -> ClockWatch:
        return ClockWatch(lambda: self.wall * 10**9, lambda: self.steady * 10**9)

    def pass_by(self, seconds: int, *, moved: int = 0) -> None:
        self.wall += seconds + moved
        self.steady += seconds


@pytest.mark.parametrize(("moved", "words"), [(-3_600, "back by 3600 s"), (86_400, "forward by 86400 s")])
def test_a_jump_is_said_once_and_loudly(moved, words, caplog):
    clocks = Clocks()
    watch = clocks.watch()
    clocks.pass_by(1, moved=moved)
    watch.look()
    clocks.pass_by(1)
    watch.look()
    assert watch.jumps == 1
    assert words in watch.last
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("moved", [0, 1, -1, 300, -300])
def test_time_that_passes_and_small_corrections_are_no_jump(moved, caplog):
    clocks = Clocks()
    watch = clocks.watch()
    for _ in range(3):
        clocks.pass_by(7_200, moved=moved)
        watch.look()
    assert (watch.jumps, watch.last, caplog.records) == (0, None, [])


def test_a_change_of_the_zone_is_no_jump_because_the_clock_counts_in_utc(monkeypatch):
    watch = ClockWatch()
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    watch.look()
    assert watch.jumps == 0


def test_it_looks_by_itself_until_its_end():
    clocks = Clocks()
    watch = clocks.watch()
    looked = []
    watch.look = lambda: (looked.append(1), watch.end())
    watch.begin()
    watch._ended.wait(30)
    assert looked == [1]

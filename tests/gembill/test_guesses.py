"""Wrong tokens are counted by address, for a bounded number of addresses."""

import pytest

from gembill.guesses import GUESS_SECONDS, GUESSES, Guesses, network


class Clock:
    """A clock that stands until it is moved."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_ten_are_looked_at_at_once_and_then_one_in_six_seconds():
    clock = Clock()
    guesses, looked_at = Guesses(clock), 0
    for _ in range(3_600):
        clock.now += 1
        while guesses.wait("a") <= 0:
            guesses.count("a")
            looked_at += 1
    assert looked_at == GUESSES + 3_600 / GUESS_SECONDS - 1
    assert guesses.wait("b") <= 0


def test_what_is_remembered_is_bounded():
    guesses = Guesses(Clock())
    for number in range(3_000):
        guesses.count(str(number))
    assert len(guesses._spent_until) == 1_000


@pytest.mark.parametrize(
    ("client", "counted_as"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_one_machine_is_one_address(client, counted_as):
    assert network(client) == counted_as

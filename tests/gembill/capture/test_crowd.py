"""Who stays when there is no more room: whoever works, then whoever may be silent for longest, then nobody new."""

import resource

import pytest

from gembill.capture.crowd import SPARE, Crowd, Room, possible_connections


class Client:
    """A connection, and what became of it."""

    def __init__(self, address: str = "192.0.2.1", *, idle: bool = True, deadline: float = 0.0) -> None:
        self.address, self.idle, self.deadline = address, idle, deadline
        self.denied = self.closed = ""

    def peer(self) -> str:
        return self.address

    def deny(self, refusal) -> None:
        self.denied = str(refusal)

    def close(self, *, abort: bool = False) -> None:
        self.closed = "at once" if abort else "later"


def entered(room: Room, *clients: Client) -> Crowd:
    crowd, members = Crowd(room), []
    for client in clients:
        members.append(client)
        crowd.enter(client, members)
    return crowd


def test_the_one_whose_silence_ends_first_gives_way():
    busy, first, later, new = Client(idle=False), Client(deadline=1), Client(deadline=2), Client(deadline=3)
    entered(Room(most=3), busy, first, later, new)
    assert [(each.closed, each.denied) for each in (busy, first, later, new)] == [
        ("", ""),
        ("at once", ""),
        ("", ""),
        ("", ""),
    ]


def test_where_none_is_silent_a_new_one_is_told_and_very_many_are_not():
    clients = [Client(idle=False) for _ in range(SPARE + 3)]
    entered(Room(most=2), *clients)
    assert "there are 2 connections already" in clients[2].denied
    assert [bool(each.denied) for each in clients] == [False, False] + [True] * SPARE + [False]
    assert clients[-1].closed == "at once"


def test_an_address_has_its_own_limit_and_this_machine_none():
    here = [Client("127.0.0.1") for _ in range(5)]
    there = [Client("192.0.2.1"), Client("192.0.2.1"), Client("192.0.2.1"), Client("192.0.2.2")]
    networked = [Client(f"2001:db8::{n}") for n in range(1, 4)]
    crowd = entered(Room(of_one=2), *here, *there, *networked)
    assert [bool(each.denied) for each in (*here, *there, *networked)] == [False] * 7 + [True, False] + [
        False,
        False,
        True,
    ]
    for each in (*here, *there, *networked):
        crowd.leave(each)
    assert (crowd._of_one, crowd._addresses) == ({}, {})


def test_no_limit_is_no_limit():
    clients = [Client() for _ in range(300)]
    entered(Room(), *clients)
    assert not any(each.denied or each.closed for each in clients)


@pytest.mark.parametrize(
    ("wanted", "limits", "possible", "raised"),
    [
        (100, (1_024, 4_096), 100, None),
        (1_000, (256, 4_096), 1_000, 2_128),
        (4_096, (256, 1_024), 448, 1_024),
        (0, (256, 1_024), 448, 1_024),
        (0, (256, resource.RLIM_INFINITY), 32_704, 65_536),
        (7, (resource.RLIM_INFINITY, resource.RLIM_INFINITY), 7, None),
    ],
)
def test_no_more_than_the_system_lets_us_open(wanted, limits, possible, raised, monkeypatch):
    done = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: done.append(both))
    assert possible_connections(wanted) == possible
    assert done == ([] if raised is None else [(raised, limits[1])])

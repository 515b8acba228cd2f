"""How many connections there may be, in all and of one address, and who gives way.

Owns: the limits, who is refused, and whose place is taken. Not here: sockets. Invariant: a connection with a request
under way is never closed for another one; those that are silent give way before anybody is refused.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from gembill.address import loopback
from gembill.errors import Refusal
from gembill.guesses import network

_FILES = 65_536  # to have open where nothing else is wanted
_OTHER_FILES = 128
SPARE = 64  # connections above the limit that are still told why they are refused


class Member(Protocol):
    """A connection of a client; `deadline` is until when it may be silent."""

    deadline: float

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""

    def peer(self) -> str:
        """The address of the client."""

    def deny(self, refusal: Refusal) -> None:
        """Answer its first request so."""

    def close(self, *, abort: bool = False) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Room:
    """`most` connections in all, and `of_one` of one address of another machine; 0 is any number."""

    most: int = 0
    of_one: int = 0


class Crowd:
    """Lets connections in as far as there is room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._addresses: dict[Member, str] = {}
        self._of_one: Counter[str] = Counter()

    def enter(self, new: Member, members: Collection[Member]) -> None:
        """A connection came and is one of the members: it stays, or another gives way, or it is refused."""
        room = self._room
        if room.of_one and not loopback(address := new.peer()):
            self._addresses[new] = address = network(address)
            self._of_one[address] += 1
            if self._of_one[address] > room.of_one:
                self._refuse(new, f"{room.of_one} connections of its address", self._of_one[address] - room.of_one)
                return
        if room.most and len(members) > room.most:
            silent = min((each for each in members if each is not new and each.idle), key=_until, default=None)
            if silent is not None:
                silent.close(abort=True)
            else:
                self._refuse(new, f"{room.most} connections", len(members) - room.most)

    def leave(self, member: Member) -> None:
        """A connection is closed."""
        if (address := self._addresses.pop(member, None)) is not None:
            self._of_one[address] -= 1
            if not self._of_one[address]:
                del self._of_one[address]

    def _refuse(self, new: Member, of_what: str, over: int) -> None:
        if over > SPARE:
            new.close(abort=True)
            return
        new.deny(Refusal(503, "GEMBILL_TOO_MANY_CONNECTIONS", f"not forwarded: there are {of_what} already"))


def possible_connections(wanted: int) -> int:
    """As many connections as are wanted (0: any number) and as the system lets this process open.

    Each may need another one to the API, and files are open too.
    """
    try:
        import resource
    except ImportError:
        return wanted
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return wanted
    needed = _FILES if wanted == 0 else 2 * wanted + _OTHER_FILES
    if files < needed:
        files = needed if most == resource.RLIM_INFINITY else min(needed, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    possible = max(1, (files - _OTHER_FILES) // 2)
    return min(wanted, possible) if wanted else possible


def _until(member: Member) -> float:
    return member.deadline

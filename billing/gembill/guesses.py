"""How often a token may be guessed from one address.

Owns: the count of wrong ones by address, and what one address is. Not here: tokens. Invariant: a bounded number of
addresses is remembered, and a right token is not counted.
"""

import ipaddress
import time
from collections.abc import Callable

GUESSES = 10  # wrong tokens of one address that are looked at without a pause
GUESS_SECONDS = 6.0  # after them, one in this time
_ADDRESSES = 1_000  # that are remembered; the one whose last guess is oldest is forgotten


class Guesses:
    """Wrong tokens by the address they came from. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._spent_until: dict[str, float] = {}  # when all guesses of an address will be forgiven

    def wait(self, address: str) -> float:
        """Seconds until the next token of this address is looked at; 0 or less is now."""
        return self._spent_until.get(address, 0.0) - self._clock() - (GUESSES - 1) * GUESS_SECONDS

    def count(self, address: str) -> None:
        """A token of this address was wrong."""
        now = self._clock()
        self._spent_until[address] = max(self._spent_until.pop(address, now), now) + GUESS_SECONDS
        while len(self._spent_until) > _ADDRESSES:
            del self._spent_until[next(iter(self._spent_until))]


def network(client: str) -> str:
    """An address as guesses are counted by: of IPv6 the network, because one machine has all addresses of it."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if address.version == 4 or mapped is not None:
        return str(mapped or address)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
